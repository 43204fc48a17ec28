// Numbers of ProtoJSON against the C library and against arithmetic in wider integers.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/protobuf/protojson_number.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 20000 };

static void assert_whole(const char *text, int64_t min, uint64_t max, enum protojson_number_result expected,
                         uint64_t value) {
    uint64_t got = 0;
    enum protojson_number_result result = protojson_number_parse_whole(bytes_of_text(text), min, max, &got);
    if (result != expected || got != value)
        fail_msg("%s: result %d, %" PRIu64, text, result, got);
}

// 123 as 123, 1.23e2, 12.300e1 and so on: `zeros` more digits, and the point `shift` places to the left.
static void write_shifted(char *text, size_t size, const char *sign, uint64_t magnitude, unsigned zeros,
                          unsigned shift) {
    char digits[64];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64 "%.*s", magnitude, (int)zeros, "00000000");
    int whole = len - (int)shift;
    if (shift == 0 || whole <= 0)
        snprintf(text, size, "%s%se-%u", sign, digits, zeros);
    else
        snprintf(text, size, "%s%.*s.%se%d", sign, whole, digits, digits + whole, (int)shift - (int)zeros);
}

static void whole_numbers_are_the_same_in_every_form(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[128];
        uint64_t magnitude = (seed_next(&seed) >> seed_next_below(&seed, 64)) | 1;
        bool is_negative = magnitude <= INT64_MAX && seed_next_below(&seed, 2);
        write_shifted(text, sizeof(text), is_negative ? "-" : "", magnitude,
                      (unsigned)seed_next_below(&seed, 5), (unsigned)seed_next_below(&seed, 24));
        assert_whole(text, INT64_MIN, UINT64_MAX, PROTOJSON_NUMBER_OK, is_negative ? -magnitude : magnitude);
    }
}

static void a_number_is_in_range_as_wider_arithmetic_says(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[64];
        uint64_t bound = seed_next(&seed) >> (1 + seed_next_below(&seed, 63));
        int64_t min = -(int64_t)bound;
        __int128 number = (__int128)bound + (int64_t)seed_next_below(&seed, 5) - 2;
        if (seed_next_below(&seed, 2))
            number = -number;
        bool is_in = number >= min && number <= (__int128)bound;
        uint64_t magnitude = (uint64_t)(number < 0 ? -number : number);
        snprintf(text, sizeof(text), "%s%" PRIu64, number < 0 ? "-" : "", magnitude);
        assert_whole(text, min, bound, is_in ? PROTOJSON_NUMBER_OK : PROTOJSON_NUMBER_OUT_OF_RANGE,
                     is_in ? (uint64_t)number : 0);
    }
}

static void the_ends_of_64_bits_are_exact(void **state) {
    (void)state;
    assert_whole("-9223372036854775808", INT64_MIN, INT64_MAX, PROTOJSON_NUMBER_OK, (uint64_t)INT64_MIN);
    assert_whole("-9223372036854775809", INT64_MIN, INT64_MAX, PROTOJSON_NUMBER_OUT_OF_RANGE, 0);
    assert_whole("9223372036854775807", INT64_MIN, INT64_MAX, PROTOJSON_NUMBER_OK, INT64_MAX);
    assert_whole("18446744073709551615", 0, UINT64_MAX, PROTOJSON_NUMBER_OK, UINT64_MAX);
    assert_whole("1844674407370955161.5e1", 0, UINT64_MAX, PROTOJSON_NUMBER_OK, UINT64_MAX);
    assert_whole("18446744073709551616", 0, UINT64_MAX, PROTOJSON_NUMBER_OUT_OF_RANGE, 0);
    assert_whole("-1", 0, UINT64_MAX, PROTOJSON_NUMBER_OUT_OF_RANGE, 0);
    assert_whole("0.00000000000000000000000000000000000000000000000000000000000001", 0, 9,
                 PROTOJSON_NUMBER_NOT_WHOLE, 0);
}

static uint64_t to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void every_double_comes_back(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
        double value, back;
        seed_fill(&seed, &value, sizeof(value));
        size_t len = protojson_number_format_double(value, text);
        assert_int_equal(len, strlen(text));
        assert_int_equal(protojson_number_parse_double(text, &back), PROTOJSON_NUMBER_OK);
        assert_true(isnan(value) ? isnan(back) : to_bits(value) == to_bits(back));
    }
}

static void every_float_comes_back_in_nine_digits_or_less(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
        float value, back;
        seed_fill(&seed, &value, sizeof(value));
        assert_true(protojson_number_format_float(value, text) <= strlen("-1.23456789e-38"));
        assert_int_equal(protojson_number_parse_float(text, &back), PROTOJSON_NUMBER_OK);
        assert_true(isnan(value) ? isnan(back) : value == back && signbit(value) == signbit(back));
    }
}

static void short_numbers_stay_short(void **state) {
    (void)state;
    static const char *const texts[] = {"0", "-0", "0.1", "1", "1.5", "100000", "1e+300", "123456789012345"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
        double value;
        assert_int_equal(protojson_number_parse_double(texts[i], &value), PROTOJSON_NUMBER_OK);
        (void)protojson_number_format_double(value, text);
        assert_string_equal(text, texts[i]);
    }
    char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
    (void)protojson_number_format_float(0.1f, text);
    assert_string_equal(text, "0.1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_the_same_in_every_form),
        cmocka_unit_test(a_number_is_in_range_as_wider_arithmetic_says),
        cmocka_unit_test(the_ends_of_64_bits_are_exact),
        cmocka_unit_test(every_double_comes_back),
        cmocka_unit_test(every_float_comes_back_in_nine_digits_or_less),
        cmocka_unit_test(short_numbers_stay_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
