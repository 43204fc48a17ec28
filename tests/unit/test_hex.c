// Bytes as hexadecimal digits.
#include <stdio.h>

#include "common/base/hex.h"
#include "tests/unit/unit.h"

static void every_byte_comes_back(void **state) {
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value, back;
        char text[3], expected[3];
        snprintf(expected, sizeof(expected), "%02x", value);
        hex_format(bytes_of(&byte, 1), text);
        assert_string_equal(text, expected);
        assert_true(hex_parse(bytes_of_text(text), &back, 1));
        assert_int_equal(back, byte);
    }
}

static void digits_of_either_case_are_read(void **state) {
    (void)state;
    uint8_t bytes[2];
    assert_true(hex_parse(BYTES_LITERAL("aBCd"), bytes, 2));
    assert_int_equal(bytes[0], 0xab);
    assert_int_equal(bytes[1], 0xcd);
}

static void other_lengths_and_characters_are_refused(void **state) {
    (void)state;
    uint8_t bytes[2];
    static const char *const bad[] = {"",     "abc",  "abcde", "abcg", "ab c",
                                      "abc/", "abc:", "abc@",  "abc`", "\341bcd"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(hex_parse(bytes_of_text(bad[i]), bytes, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(digits_of_either_case_are_read),
        cmocka_unit_test(other_lengths_and_characters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
