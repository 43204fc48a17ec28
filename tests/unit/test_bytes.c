// Byte strings and the cursor. UTF-8 is held against a decoder that computes every code point.
#include <stdlib.h>

#include "common/base/bytes.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void equality_ignoring_case_is_ascii_only(void **state) {
    (void)state;
    assert_true(bytes_is_equal_ignoring_case(BYTES_LITERAL("Bearer"), BYTES_LITERAL("bEARER")));
    assert_true(bytes_is_equal_ignoring_case(BYTES_EMPTY, BYTES_EMPTY));
    assert_false(bytes_is_equal_ignoring_case(BYTES_LITERAL("bearer"), BYTES_LITERAL("bearer ")));
    assert_false(bytes_is_equal_ignoring_case(BYTES_LITERAL("\xC3\x84"), BYTES_LITERAL("\xC3\xA4")));
    assert_false(bytes_is_equal_ignoring_case(BYTES_LITERAL("@"), BYTES_LITERAL("`")));
    assert_false(bytes_is_equal_ignoring_case(BYTES_LITERAL("["), BYTES_LITERAL("{")));
}

static void trimming_takes_spaces_and_tabs_from_both_ends_only(void **state) {
    (void)state;
    assert_true(bytes_is_text(bytes_trim(BYTES_LITERAL(" \ta b\t ")), "a b"));
    assert_true(bytes_is_text(bytes_trim(BYTES_LITERAL("a\n")), "a\n"));
    assert_int_equal(bytes_trim(BYTES_LITERAL(" \t ")).len, 0);
    assert_int_equal(bytes_trim(BYTES_EMPTY).len, 0);
}

static void splitting_visits_every_part_also_the_empty_last_one(void **state) {
    (void)state;
    static const char *const expected[] = {"a", "", "bc", ""};
    struct bytes rest = BYTES_LITERAL("a,,bc,");
    size_t count = 0;
    while (rest.data) {
        assert_in_range(count, 0, ARRAY_LENGTH(expected) - 1);
        assert_true(bytes_is_text(bytes_split(&rest, ','), expected[count]));
        count++;
    }
    assert_int_equal(count, ARRAY_LENGTH(expected));
}

static void splitting_without_a_separator_returns_all(void **state) {
    (void)state;
    struct bytes rest = BYTES_LITERAL("abc");
    assert_true(bytes_is_text(bytes_split(&rest, ','), "abc"));
    assert_null(rest.data);
    assert_int_equal(bytes_split(&rest, ',').len, 0);
}

static void unsigned_numbers_are_plain_decimal_digits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t max, value;
    } good[] = {{"0", 0, 0},
                {"7", 7, 7},
                {"32", 128, 32},
                {"18446744073709551615", UINT64_MAX, UINT64_MAX},
                {"9223372036854775807", INT64_MAX, INT64_MAX}};
    static const struct {
        const char *text;
        uint64_t max;
    } bad[] = {{"", 9},
               {"00", 9},
               {"01", 9},
               {"+1", 9},
               {"-1", 9},
               {" 1", 9},
               {"1 ", 9},
               {"1a", 99},
               {"0x1", 99},
               {"33", 32},
               {"10", 9},
               {"1", 0},
               {"9", 8},
               {"18446744073709551616", UINT64_MAX},
               {"99999999999999999999999", UINT64_MAX},
               {"256", 255}};
    uint64_t value;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(bytes_parse_unsigned(bytes_of_text(good[i].text), good[i].max, &value));
        assert_true(value == good[i].value);
    }
    value = 77;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(bytes_parse_unsigned(bytes_of_text(bad[i].text), bad[i].max, &value));
    assert_int_equal(value, 77);
}

// The definition, word for word: decode by the lead byte's bits, then check range, shortest form and
// surrogates.
static bool is_utf8_by_decoding(struct bytes a) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t at = 0; at < a.len;) {
        uint8_t lead = a.data[at];
        size_t len = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (len == 0 || len > a.len - at)
            return false;
        uint32_t code_point = len == 1 ? lead : lead & (0x7Fu >> len);
        for (size_t i = 1; i < len; i++) {
            if (a.data[at + i] >> 6 != 2)
                return false;
            code_point = code_point << 6 | (a.data[at + i] & 0x3F);
        }
        if (code_point < smallest[len] || code_point > 0x10FFFF ||
            (code_point >= 0xD800 && code_point <= 0xDFFF))
            return false;
        at += len;
    }
    return true;
}

static void utf8_agrees_with_a_decoder_on_every_two_bytes_and_their_continuations(void **state) {
    (void)state;
    static const uint8_t thirds[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < ARRAY_LENGTH(thirds); i++)
                for (size_t len = 1; len <= 4; len++) {
                    uint8_t text[4] = {(uint8_t)first, (uint8_t)second, thirds[i], 0x80};
                    struct bytes bytes = bytes_of(text, len);
                    assert_int_equal(bytes_is_utf8(bytes), is_utf8_by_decoding(bytes));
                }
}

// Mostly ASCII, so that the eight-byte steps are taken, with one or two odd bytes at any distance from them.
// Exact allocations let AddressSanitizer see a read past the end.
static void utf8_agrees_with_a_decoder_on_random_texts(void **state) {
    (void)state;
    static const char *const pieces[] = {"a",
                                         "z",
                                         "0123456789",
                                         "\xC3\xA4",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x94\x91",
                                         "\xED\xA0\x80",
                                         "\xF4\x90\x80\x80",
                                         "\xC0\xAF",
                                         "\x80",
                                         "\xFF"};
    enum { WELL_FORMED_PIECES = 6 };
    struct seed seed = seed_new();
    for (int i = 0; i < 20000; i++) {
        uint8_t *text = malloc(200);
        assert_non_null(text);
        size_t len = 0;
        while (len < 150 && seed_next_below(&seed, 30) != 0) {
            size_t kinds = seed_next_below(&seed, 20) == 0 ? ARRAY_LENGTH(pieces) : WELL_FORMED_PIECES;
            struct bytes piece = bytes_of_text(pieces[seed_next_below(&seed, kinds)]);
            memcpy(text + len, piece.data, piece.len);
            len += piece.len;
        }
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact + 1, text, len); // also misaligned
        struct bytes bytes = bytes_of(exact + 1, len);
        assert_int_equal(bytes_is_utf8(bytes), is_utf8_by_decoding(bytes));
        free(exact);
        free(text);
    }
}

static void code_points_are_counted_not_bytes(void **state) {
    (void)state;
    assert_int_equal(bytes_count_code_points(BYTES_EMPTY), 0);
    assert_int_equal(bytes_count_code_points(BYTES_LITERAL("abc")), 3);
    assert_int_equal(bytes_count_code_points(BYTES_LITERAL("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91!")), 4);
}

static void a_code_point_at_the_front_is_measured(void **state) {
    (void)state;
    assert_int_equal(bytes_measure_code_point(BYTES_EMPTY), 0);
    assert_int_equal(bytes_measure_code_point(BYTES_LITERAL("a\xFF")), 1);
    assert_int_equal(bytes_measure_code_point(BYTES_LITERAL("\xC3\xA4"
                                                            "b")),
                     2);
    assert_int_equal(bytes_measure_code_point(BYTES_LITERAL("\xE2\x82")), 0);
    assert_int_equal(bytes_measure_code_point(BYTES_LITERAL("\xF0\x9F\x94\x91")), 4);
}

static void the_cursor_reads_big_endian(void **state) {
    (void)state;
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'x', 'y'};
    struct cursor cursor = cursor_of(bytes_of(data, sizeof(data)));
    assert_int_equal(cursor_read_u8(&cursor), 1);
    assert_int_equal(cursor_read_u16(&cursor), 0x0203);
    assert_int_equal(cursor_read_u32(&cursor), 0x04050607);
    assert_int_equal(cursor_read_u64(&cursor), 0x08090A0B0C0D0E0F);
    assert_true(bytes_is_text(cursor_read_bytes(&cursor, 2), "xy"));
    assert_int_equal(cursor_read_bytes(&cursor, 0).len, 0);
    assert_false(cursor.failed);
    assert_int_equal(cursor.rest.len, 0);
}

static void every_truncation_fails_and_stays_failed(void **state) {
    (void)state;
    static const uint8_t data[15] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t len = 0; len < sizeof(data); len++) {
        struct cursor cursor = cursor_of(bytes_of(data, len));
        cursor_read_u64(&cursor);
        cursor_read_u32(&cursor);
        cursor_read_u16(&cursor);
        cursor_read_u8(&cursor);
        assert_true(cursor.failed);
        assert_int_equal(cursor_read_u8(&cursor), 0);
        assert_int_equal(cursor_read_bytes(&cursor, 0).len, 0);
        assert_true(cursor.failed);
    }
}

static void a_length_beyond_the_end_is_refused_whatever_its_size(void **state) {
    (void)state;
    struct cursor cursor = cursor_of(BYTES_LITERAL("abc"));
    assert_int_equal(cursor_read_bytes(&cursor, SIZE_MAX).len, 0);
    assert_true(cursor.failed);
}

static void lists_are_equal_in_number_and_place_by_place(void **state) {
    (void)state;
    const struct bytes a[] = {BYTES_LITERAL("x"), BYTES_LITERAL("y"), BYTES_LITERAL("")};
    const struct bytes b[] = {BYTES_LITERAL("x"), BYTES_LITERAL("y"), BYTES_LITERAL("z")};
    assert_true(bytes_list_is_equal(a, 2, b, 2));
    assert_false(bytes_list_is_equal(a, 3, b, 3));
    assert_false(bytes_list_is_equal(a, 2, b, 3));
    assert_false(bytes_list_is_equal(a, 2, a + 1, 2));
    assert_true(bytes_list_is_equal(a, 0, NULL, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_equal_in_number_and_place_by_place),
        cmocka_unit_test(equality_ignoring_case_is_ascii_only),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_both_ends_only),
        cmocka_unit_test(splitting_visits_every_part_also_the_empty_last_one),
        cmocka_unit_test(splitting_without_a_separator_returns_all),
        cmocka_unit_test(unsigned_numbers_are_plain_decimal_digits),
        cmocka_unit_test(utf8_agrees_with_a_decoder_on_every_two_bytes_and_their_continuations),
        cmocka_unit_test(utf8_agrees_with_a_decoder_on_random_texts),
        cmocka_unit_test(code_points_are_counted_not_bytes),
        cmocka_unit_test(a_code_point_at_the_front_is_measured),
        cmocka_unit_test(the_cursor_reads_big_endian),
        cmocka_unit_test(every_truncation_fails_and_stays_failed),
        cmocka_unit_test(a_length_beyond_the_end_is_refused_whatever_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
