// Base64 against the RFC's vectors, and that no bytes have two spellings but for the padding.
#include <string.h>

#include "common/protobuf/base64.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void the_vectors_of_rfc_4648_are_read_padded_and_unpadded(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *padded, *unpadded;
    } vectors[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+", "+//+"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct bytes decoded;
        assert_true(
            bytes_is_text(base64_encode(&arena, bytes_of_text(vectors[i].bytes)), vectors[i].unpadded));
        assert_int_equal(base64_decode(&arena, bytes_of_text(vectors[i].padded), &decoded), STATUS_OK);
        assert_true(bytes_is_text(decoded, vectors[i].bytes));
        assert_int_equal(base64_decode(&arena, bytes_of_text(vectors[i].unpadded), &decoded), STATUS_OK);
        assert_true(bytes_is_text(decoded, vectors[i].bytes));
    }
}

static void what_is_no_base64_is_refused(void **state) {
    (void)state;
    static const struct bytes bad[] = {
        BYTES_LITERAL("A"),     BYTES_LITERAL("AAAAA"), BYTES_LITERAL("="),          BYTES_LITERAL("=="),
        BYTES_LITERAL("===="),  BYTES_LITERAL("A==="),  BYTES_LITERAL("AA="),        BYTES_LITERAL("AAA=="),
        BYTES_LITERAL("AA=A"),  BYTES_LITERAL("AAAA="), BYTES_LITERAL("AAAA=="),     BYTES_LITERAL("Zh=="),
        BYTES_LITERAL("Zh"),    BYTES_LITERAL("Zm9="),  BYTES_LITERAL("AA-_"),       BYTES_LITERAL("AA A"),
        BYTES_LITERAL("AAA\n"), BYTES_LITERAL("AAA\0"), BYTES_LITERAL("AA\xc3\xa4"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct bytes decoded = BYTES_LITERAL("untouched");
        if (base64_decode(&arena, bad[i], &decoded) != STATUS_INVALID)
            fail_msg("%.*s is read", BYTES_FORMAT(bad[i]));
        assert_true(bytes_is_text(decoded, "untouched"));
    }
}

// All texts of two, three and four characters over a few letters: what is read is written back as it was.
static void bytes_have_one_spelling(void **state) {
    (void)state;
    static const char letters[] = "AQgw/+9_=-";
    size_t read = 0;
    for (size_t len = 2; len <= 4; len++) {
        for (unsigned number = 0; number < 10000; number++) {
            char text[4];
            unsigned rest = number;
            for (size_t i = 0; i < 4; i++, rest /= 10)
                text[i] = letters[rest % 10];
            struct bytes decoded, given = bytes_of(text, len);
            if (base64_decode(&arena, given, &decoded) != STATUS_OK)
                continue;
            struct bytes written = base64_encode(&arena, decoded);
            assert_true(bytes_has_prefix(given, written));
            for (size_t i = written.len; i < len; i++)
                assert_int_equal(text[i], '=');
            read++;
        }
        arena_reset(&arena);
    }
    assert_true(read > 0);
}

static void every_length_comes_back(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (size_t len = 0; len <= 300; len++) {
        uint8_t data[300];
        struct bytes decoded;
        seed_fill(&seed, data, len);
        struct bytes text = base64_encode(&arena, bytes_of(data, len));
        assert_int_equal(base64_decode(&arena, text, &decoded), STATUS_OK);
        assert_true(bytes_is_equal(decoded, bytes_of(data, len)));
    }
}

static void an_arena_without_room_gives_nothing(void **state) {
    (void)state;
    struct arena small;
    struct bytes decoded;
    arena_init(&small, 16);
    assert_null(base64_encode(&small, BYTES_LITERAL("more than twelve bytes")).data);
    assert_int_equal(base64_decode(&small, BYTES_LITERAL("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &decoded),
                     STATUS_NO_MEMORY);
    arena_fini(&small);
}

#define STAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(the_vectors_of_rfc_4648_are_read_padded_and_unpadded),
        STAGED(what_is_no_base64_is_refused),
        STAGED(bytes_have_one_spelling),
        STAGED(every_length_comes_back),
        STAGED(an_arena_without_room_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
