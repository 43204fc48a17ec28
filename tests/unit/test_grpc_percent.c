// The encodings of text in header fields: percent for grpc-message, base64 for "-bin" metadata.
#include <string.h>

#include "common/grpc/percent.h"
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

static void assert_bytes(struct bytes actual, struct bytes expected) {
    assert_int_equal(actual.len, expected.len);
    assert_true(bytes_is_equal(actual, expected));
}

static void the_conformance_suites_sentence_is_encoded(void **state) {
    (void)state;
    struct bytes text = BYTES_LITERAL("\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\n");
    assert_bytes(
        percent_encode(&arena, text),
        BYTES_LITERAL("%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%0A"));
}

static void plain_text_is_not_copied(void **state) {
    (void)state;
    struct bytes text = BYTES_LITERAL("plain ~ text!");
    assert_ptr_equal(percent_encode(&arena, text).data, text.data);
}

static void the_percent_sign_is_encoded_too(void **state) {
    (void)state;
    assert_bytes(percent_encode(&arena, BYTES_LITERAL("100%")), BYTES_LITERAL("100%25"));
}

static void what_is_no_escape_is_left_as_it_is(void **state) {
    (void)state;
    assert_bytes(percent_decode(&arena, BYTES_LITERAL("%zz %4 %41%6a%")), BYTES_LITERAL("%zz %4 Aj%"));
}

static void any_bytes_come_back_from_percent(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t data[64];
        size_t len = seed_next_below(&seed, sizeof(data));
        seed_fill(&seed, data, len);
        struct bytes text = percent_encode(&arena, bytes_of(data, len));
        for (size_t k = 0; k < text.len; k++)
            assert_in_range(text.data[k], 0x20, 0x7e);
        assert_bytes(percent_decode(&arena, text), bytes_of(data, len));
        arena_reset(&arena);
    }
}

static void the_vectors_of_rfc_4648_are_written_without_padding(void **state) {
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++)
        assert_bytes(base64_encode(&arena, bytes_of_text(vectors[i][0])), bytes_of_text(vectors[i][1]));
}

static void padding_may_be_there_or_not(void **state) {
    (void)state;
    struct bytes bytes;
    assert_int_equal(base64_decode(&arena, BYTES_LITERAL("Zm8="), &bytes), STATUS_OK);
    assert_bytes(bytes, BYTES_LITERAL("fo"));
    assert_int_equal(base64_decode(&arena, BYTES_LITERAL("Zm8"), &bytes), STATUS_OK);
    assert_bytes(bytes, BYTES_LITERAL("fo"));
    assert_int_equal(base64_decode(&arena, BYTES_LITERAL("Zg=="), &bytes), STATUS_OK);
    assert_bytes(bytes, BYTES_LITERAL("f"));
}

static void other_alphabets_lengths_and_left_over_bits_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "Z", "Zm9vY", "Zm8==", "Zg=", "Z===", "====", "Zm_-", "Zm 8", "Zh", "Zm9=", "=Zg="};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct bytes bytes;
        assert_int_equal(base64_decode(&arena, bytes_of_text(bad[i]), &bytes), STATUS_INVALID);
    }
}

static void any_bytes_come_back_from_base64(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t data[64];
        struct bytes bytes;
        size_t len = seed_next_below(&seed, sizeof(data));
        seed_fill(&seed, data, len);
        assert_int_equal(base64_decode(&arena, base64_encode(&arena, bytes_of(data, len)), &bytes),
                         STATUS_OK);
        assert_bytes(bytes, bytes_of(data, len));
        arena_reset(&arena);
    }
}

static void an_exhausted_arena_is_told(void **state) {
    (void)state;
    struct arena small;
    struct bytes bytes;
    arena_init(&small, 16);
    assert_null(percent_encode(&small, BYTES_LITERAL("%%%%%%%%")).data);
    assert_null(percent_decode(&small, BYTES_LITERAL("a text of more than sixteen bytes")).data);
    assert_null(base64_encode(&small, BYTES_LITERAL("a text of more than sixteen bytes")).data);
    assert_int_equal(base64_decode(&small, BYTES_LITERAL("AAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &bytes),
                     STATUS_NO_MEMORY);
    arena_fini(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conformance_suites_sentence_is_encoded),
        cmocka_unit_test(plain_text_is_not_copied),
        cmocka_unit_test(the_percent_sign_is_encoded_too),
        cmocka_unit_test(what_is_no_escape_is_left_as_it_is),
        cmocka_unit_test(any_bytes_come_back_from_percent),
        cmocka_unit_test(the_vectors_of_rfc_4648_are_written_without_padding),
        cmocka_unit_test(padding_may_be_there_or_not),
        cmocka_unit_test(other_alphabets_lengths_and_left_over_bits_are_refused),
        cmocka_unit_test(any_bytes_come_back_from_base64),
        cmocka_unit_test(an_exhausted_arena_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
