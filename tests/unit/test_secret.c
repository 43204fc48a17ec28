// Secrets against vectors computed elsewhere (Python: zlib.crc32, int to base62), and every way to spoil one.
#include <string.h>

#include "common/base/base62.h"
#include "common/crypto/crc32.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const char good[] = "lka_0500000000000000000000000000000000000000000070iVOTH";

static void vectors_computed_elsewhere_pass(void **state) {
    (void)state;
    static const struct {
        const char *text, *brand;
        enum secret_kind kind;
        unsigned lane;
    } vectors[] = {
        {"lka_00000000000000000000000000000000000000000000015yWF4", "lk", SECRET_ACCESS, 0},
        {"lka_11yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10TRlzk", "lk", SECRET_ACCESS, 63},
        {"lkl_0KS7HDBbc2rAT6xkqqLDtsJ5ApZ4ftsKfQY8pvqxOi5Aj1EVnkX", "lk", SECRET_LOGIN, 20},
        {"zzi_01F7XBHax0l8DWfOfaaOoTluWlaLgkYyiyQ93F9oZuASJ44a4Pi", "zz", SECRET_INVITATION, 1},
        {good, "lk", SECRET_ACCESS, 5},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        enum secret_kind kind;
        unsigned lane;
        assert_true(secret_check(bytes_of_text(vectors[i].text), vectors[i].brand, &kind, &lane));
        assert_int_equal(kind, vectors[i].kind);
        assert_int_equal(lane, vectors[i].lane);
        assert_true(secret_check(bytes_of_text(vectors[i].text), vectors[i].brand, NULL, NULL));
    }
}

static void right_checksums_do_not_save_what_is_wrong_otherwise(void **state) {
    (void)state;
    static const struct {
        const char *text, *what;
    } vectors[] = {
        {"lka_1200000000000000000000000000000000000000000071Vec0r", "lane 64"},
        {"lka_05yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp22YkAgI", "2^256"},
        {"lkx_0500000000000000000000000000000000000000000072g4VHB", "a kind that is none"},
        {"lka-0500000000000000000000000000000000000000000072nWIKd", "a dash before the lane"},
        {"lka_05-0000000000000000000000000000000000000000071bxaYW", "a character beyond base62"},
        {"LKa_0500000000000000000000000000000000000000000070Pr8CG", "a brand in upper case"},
        {"lka_0500000000000000000000000000000000000000000075PAdfL", "a checksum of 33 bits"},
        {"zzi_01F7XBHax0l8DWfOfaaOoTluWlaLgkYyiyQ93F9oZuASJ44a4Pi", "another brand"},
        {"", "nothing"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        enum secret_kind kind = SECRET_KIND_NONE;
        unsigned lane = 99;
        if (secret_check(bytes_of_text(vectors[i].text), "lk", &kind, &lane))
            fail_msg("%s passed", vectors[i].what);
        assert_int_equal(kind, SECRET_KIND_NONE);
        assert_int_equal(lane, 99);
    }
}

// All 55 * 255 of them: CRC-32 tells every change within 32 bits.
static void each_single_changed_character_is_refused(void **state) {
    (void)state;
    struct secret secret;
    secret_new("lk", SECRET_LOGIN, 33, &secret);
    for (size_t i = 0; i < SECRET_LENGTH; i++)
        for (unsigned value = 0; value < 256; value++) {
            char text[SECRET_LENGTH];
            memcpy(text, secret.text, SECRET_LENGTH);
            if (text[i] == (char)value)
                continue;
            text[i] = (char)value;
            assert_false(secret_check(bytes_of(text, SECRET_LENGTH), "lk", NULL, NULL));
        }
}

static void two_neighbours_that_changed_places_are_refused(void **state) {
    (void)state;
    struct secret secret;
    secret_new("lk", SECRET_ACCESS, 2, &secret);
    for (size_t i = 0; i + 1 < SECRET_LENGTH; i++) {
        char text[SECRET_LENGTH];
        memcpy(text, secret.text, SECRET_LENGTH);
        text[i] = secret.text[i + 1];
        text[i + 1] = secret.text[i];
        bool is_same = text[i] == text[i + 1];
        assert_int_equal(secret_check(bytes_of(text, SECRET_LENGTH), "lk", NULL, NULL), is_same);
    }
}

static void every_other_length_is_refused(void **state) {
    (void)state;
    char text[SECRET_LENGTH + 2];
    memcpy(text, good, sizeof(good));
    text[SECRET_LENGTH + 1] = '0';
    for (size_t len = 0; len <= sizeof(text); len++)
        assert_int_equal(secret_check(bytes_of(text, len), "lk", NULL, NULL), len == SECRET_LENGTH);
}

static void new_secrets_pass_name_their_lane_and_never_repeat(void **state) {
    (void)state;
    static const enum secret_kind kinds[] = {SECRET_ACCESS, SECRET_LOGIN, SECRET_INVITATION};
    struct secret before = {{0}};
    for (unsigned i = 0; i < 3 * SECRET_LANE_COUNT; i++) {
        struct secret secret;
        enum secret_kind kind;
        unsigned lane;
        uint32_t lane_digits;
        secret_new("ab", kinds[i % 3], i / 3, &secret);
        assert_int_equal(strlen(secret.text), SECRET_LENGTH);
        assert_true(secret_check(bytes_of_text(secret.text), "ab", &kind, &lane));
        assert_int_equal(kind, kinds[i % 3]);
        assert_int_equal(lane, i / 3);
        assert_true(base62_decode_u32(bytes_of(secret.text + 4, 2), &lane_digits));
        assert_int_equal(lane_digits, lane);
        assert_memory_not_equal(secret.text + 6, before.text + 6, 43);
        before = secret;
    }
}

static void a_hint_shows_the_prefix_and_four_characters(void **state) {
    (void)state;
    char hint[SECRET_HINT_LENGTH + 1];
    secret_get_hint(bytes_of_text(good), hint);
    assert_string_equal(hint, "lka_\xe2\x80\xa6VOTH");
}

static void a_brand_is_two_small_letters(void **state) {
    (void)state;
    static const char *const bad[] = {"", "l", "lkk", "LK", "l1", "l_", "l\xc3", "  "};
    assert_true(secret_brand_is_valid(BYTES_LITERAL("lk")));
    assert_true(secret_brand_is_valid(BYTES_LITERAL("az")));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(secret_brand_is_valid(bytes_of_text(bad[i])));
}

static void wiped_memory_is_zero(void **state) {
    (void)state;
    char text[] = "a secret", zero[sizeof(text)] = {0};
    secret_wipe(text, sizeof(text));
    assert_memory_equal(text, zero, sizeof(text));
}

// ---- digests ----

static void assert_digest(struct bytes data, const char *hexadecimal) {
    struct digest digest;
    digest_sha256(data, &digest);
    for (size_t i = 0; i < DIGEST_LENGTH; i++) {
        static const char digits[] = "0123456789abcdef";
        assert_int_equal(digits[digest.bytes[i] >> 4], hexadecimal[2 * i]);
        assert_int_equal(digits[digest.bytes[i] & 15], hexadecimal[2 * i + 1]);
    }
}

// FIPS 180-4 and NIST's examples, and a secret digested elsewhere.
static void digests_are_those_of_the_standard(void **state) {
    (void)state;
    static uint8_t million[1000000];
    memset(million, 'a', sizeof(million));
    assert_digest(BYTES_EMPTY, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest(BYTES_LITERAL("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(BYTES_LITERAL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest(bytes_of(million, sizeof(million)),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_digest(BYTES_LITERAL("lka_00000000000000000000000000000000000000000000015yWF4"),
                  "ffd478ab5df46b223a6e1fbd36f1bcaba1dce8eac656c0faac3e74a6396561af");
}

static void digests_are_equal_in_every_byte_or_not_at_all(void **state) {
    (void)state;
    struct digest a, b;
    digest_sha256(BYTES_LITERAL("abc"), &a);
    b = a;
    assert_true(digest_is_equal(&a, &b));
    for (size_t i = 0; i < DIGEST_LENGTH; i++) {
        b.bytes[i] ^= 1;
        assert_false(digest_is_equal(&a, &b));
        b = a;
    }
}

// ---- checksums ----

static void checksums_are_those_of_zlib(void **state) {
    (void)state;
    uint8_t all[256], zeros[32] = {0}, ones[40];
    for (unsigned i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(crc32_compute(BYTES_EMPTY), 0);
    assert_int_equal(crc32_compute(BYTES_LITERAL("a")), 0xe8b7be43);
    assert_int_equal(crc32_compute(BYTES_LITERAL("123456789")), 0xcbf43926);
    assert_int_equal(crc32_compute(BYTES_LITERAL("The quick brown fox jumps over the lazy dog")), 0x414fa339);
    assert_int_equal(crc32_compute(bytes_of(all, sizeof(all))), 0x29058c73);
    assert_int_equal(crc32_compute(bytes_of(zeros, sizeof(zeros))), 0x190a55ad);
    assert_int_equal(crc32_compute(bytes_of(ones, sizeof(ones))), 0x8cd04c73);
}

// Bit by bit, as the polynomial says.
static uint32_t compute_slowly(struct bytes data) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < data.len; i++) {
        crc ^= data.data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static void checksums_of_every_length_and_alignment_are_those_of_the_polynomial(void **state) {
    (void)state;
    struct seed seed = seed_new();
    uint8_t data[96];
    for (unsigned round = 0; round < 50; round++) {
        seed_fill(&seed, data, sizeof(data));
        for (size_t from = 0; from < 8; from++)
            for (size_t len = 0; len <= sizeof(data) - from; len++)
                assert_int_equal(crc32_compute(bytes_of(data + from, len)),
                                 compute_slowly(bytes_of(data + from, len)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_computed_elsewhere_pass),
        cmocka_unit_test(right_checksums_do_not_save_what_is_wrong_otherwise),
        cmocka_unit_test(each_single_changed_character_is_refused),
        cmocka_unit_test(two_neighbours_that_changed_places_are_refused),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(new_secrets_pass_name_their_lane_and_never_repeat),
        cmocka_unit_test(a_hint_shows_the_prefix_and_four_characters),
        cmocka_unit_test(a_brand_is_two_small_letters),
        cmocka_unit_test(wiped_memory_is_zero),
        cmocka_unit_test(digests_are_those_of_the_standard),
        cmocka_unit_test(digests_are_equal_in_every_byte_or_not_at_all),
        cmocka_unit_test(checksums_are_those_of_zlib),
        cmocka_unit_test(checksums_of_every_length_and_alignment_are_those_of_the_polynomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
