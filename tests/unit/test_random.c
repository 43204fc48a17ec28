// That all of a buffer is filled, and nothing beside it. That it is random is the kernel's matter.
#include <string.h>

#include "common/base/random.h"
#include "tests/unit/unit.h"

static void every_byte_is_filled_and_none_beside(void **state) {
    (void)state;
    static uint8_t buffer[100002];
    static uint8_t seen[sizeof(buffer)];
    // Sixteen fills leave a byte zero in all of them with a chance of 2^-128.
    for (int i = 0; i < 16; i++) {
        memset(buffer, 0, sizeof(buffer));
        random_fill(buffer + 1, sizeof(buffer) - 2);
        assert_int_equal(buffer[0], 0);
        assert_int_equal(buffer[sizeof(buffer) - 1], 0);
        for (size_t at = 0; at < sizeof(buffer); at++)
            seen[at] |= buffer[at];
    }
    for (size_t at = 1; at < sizeof(buffer) - 1; at++)
        assert_int_not_equal(seen[at], 0);
}

static void nothing_is_asked_for_and_nothing_written(void **state) {
    (void)state;
    uint8_t untouched = 0x5A;
    random_fill(&untouched, 0);
    assert_int_equal(untouched, 0x5A);
}

static void every_bit_of_a_number_varies(void **state) {
    (void)state;
    uint64_t ones = 0, zeros = 0;
    for (int i = 0; i < 128; i++) {
        uint64_t value = random_get_u64();
        ones |= value;
        zeros |= ~value;
    }
    assert_true(ones == UINT64_MAX);
    assert_true(zeros == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_filled_and_none_beside),
        cmocka_unit_test(nothing_is_asked_for_and_nothing_written),
        cmocka_unit_test(every_bit_of_a_number_varies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
