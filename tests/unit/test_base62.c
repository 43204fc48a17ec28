// Vectors worked out with Python's integers, round trips, and the edges of what fits.
#include <string.h>

#include "common/base/base62.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define MAX_256_TEXT "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
#define COUNTING_256_TEXT "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf" // bytes 00 01 02 ... 1f

static void thirty_two_bit_numbers_are_written_with_leading_zeros(void **state) {
    (void)state;
    static const struct {
        uint32_t value;
        const char *text;
    } vectors[] = {
        {0, "000000"},          {9, "000009"},         {10, "00000A"},        {35, "00000Z"},
        {36, "00000a"},         {61, "00000z"},        {62, "000010"},        {3843, "0000zz"},
        {3844, "000100"},       {916132831, "0zzzzz"}, {916132832, "100000"}, {0xDEADBEEF, "44pZgF"},
        {UINT32_MAX, "4gfFC3"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        char text[BASE62_LENGTH_32];
        uint32_t value;
        base62_encode_u32(vectors[i].value, text, sizeof(text));
        assert_memory_equal(text, vectors[i].text, sizeof(text));
        assert_true(base62_decode_u32(bytes_of(text, sizeof(text)), &value));
        assert_int_equal(value, vectors[i].value);
    }
}

static void a_narrow_width_is_kept(void **state) {
    (void)state;
    char text[3] = "??";
    base62_encode_u32(64, text, 2);
    assert_string_equal(text, "12");
}

static void what_does_not_fit_in_32_bits_is_refused(void **state) {
    (void)state;
    uint32_t value = 7;
    assert_false(base62_decode_u32(BYTES_LITERAL("4gfFC4"), &value));
    assert_false(base62_decode_u32(BYTES_LITERAL("zzzzzz"), &value));
    assert_false(base62_decode_u32(BYTES_LITERAL("zzzzzzzzzzzzzzzzzzzzzzzz"), &value));
    assert_false(base62_decode_u32(BYTES_EMPTY, &value));
    assert_int_equal(value, 7);
}

static void only_the_62_digits_are_digits(void **state) {
    (void)state;
    unsigned count = 0;
    for (unsigned character = 0; character < 256; character++) {
        uint8_t text = (uint8_t)character;
        uint32_t value;
        bool is_digit = base62_is_digit(text);
        assert_int_equal(base62_decode_u32(bytes_of(&text, 1), &value), is_digit);
        count += is_digit;
    }
    assert_int_equal(count, 62);
}

static void known_256_bit_numbers_are_written_as_known_texts(void **state) {
    (void)state;
    uint8_t value[32] = {0};
    char text[BASE62_LENGTH_256];
    base62_encode_256(value, text);
    assert_memory_equal(text, "0000000000000000000000000000000000000000000", sizeof(text));
    value[31] = 62;
    base62_encode_256(value, text);
    assert_memory_equal(text, "0000000000000000000000000000000000000000010", sizeof(text));
    memset(value, 0xFF, sizeof(value));
    base62_encode_256(value, text);
    assert_memory_equal(text, MAX_256_TEXT, sizeof(text));
    for (unsigned i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)i;
    base62_encode_256(value, text);
    assert_memory_equal(text, COUNTING_256_TEXT, sizeof(text));
}

static void random_256_bit_numbers_come_back(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 10000; i++) {
        uint8_t value[32], again[32];
        char text[BASE62_LENGTH_256];
        seed_fill(&seed, value, sizeof(value));
        base62_encode_256(value, text);
        assert_true(base62_decode_256(bytes_of(text, sizeof(text)), again));
        assert_memory_equal(value, again, sizeof(value));
    }
}

static void the_256_bit_form_has_one_length_and_one_largest_value(void **state) {
    (void)state;
    const uint8_t untouched[32] = {0x5A};
    uint8_t value[32] = {0x5A};
    char text[] = MAX_256_TEXT "0";
    text[BASE62_LENGTH_256 - 1]++; // one more than the largest
    assert_false(base62_decode_256(bytes_of(text, BASE62_LENGTH_256), value));
    for (size_t len = 0; len <= BASE62_LENGTH_256 + 1; len++)
        if (len != BASE62_LENGTH_256)
            assert_false(base62_decode_256(bytes_of(text, len), value));
    memset(text, 'z', BASE62_LENGTH_256);
    assert_false(base62_decode_256(bytes_of(text, BASE62_LENGTH_256), value));
    assert_memory_equal(value, untouched, sizeof(value));
    assert_true(base62_decode_256(BYTES_LITERAL(MAX_256_TEXT), value));
}

static void a_foreign_character_anywhere_is_refused(void **state) {
    (void)state;
    for (size_t at = 0; at < BASE62_LENGTH_256; at++) {
        uint8_t value[32];
        char text[BASE62_LENGTH_256];
        memset(text, '0', sizeof(text));
        text[at] = '-';
        assert_false(base62_decode_256(bytes_of(text, sizeof(text)), value));
        assert_false(base62_is_number(bytes_of(text, sizeof(text))));
    }
}

static void a_text_is_a_number_exactly_if_every_byte_is_a_digit(void **state) {
    (void)state;
    for (size_t len = 1; len <= 50; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[50];
            memset(text, 'z', sizeof(text));
            for (unsigned byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                assert_int_equal(base62_is_number(bytes_of(text, len)), base62_is_digit((uint8_t)byte));
            }
        }
    }
}

static void a_number_is_one_digit_or_more(void **state) {
    (void)state;
    assert_false(base62_is_number(BYTES_EMPTY));
    assert_true(base62_is_number(BYTES_LITERAL("0")));
    assert_true(base62_is_number(BYTES_LITERAL(MAX_256_TEXT)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_two_bit_numbers_are_written_with_leading_zeros),
        cmocka_unit_test(a_narrow_width_is_kept),
        cmocka_unit_test(what_does_not_fit_in_32_bits_is_refused),
        cmocka_unit_test(only_the_62_digits_are_digits),
        cmocka_unit_test(known_256_bit_numbers_are_written_as_known_texts),
        cmocka_unit_test(random_256_bit_numbers_come_back),
        cmocka_unit_test(the_256_bit_form_has_one_length_and_one_largest_value),
        cmocka_unit_test(a_foreign_character_anywhere_is_refused),
        cmocka_unit_test(a_text_is_a_number_exactly_if_every_byte_is_a_digit),
        cmocka_unit_test(a_number_is_one_digit_or_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
