// The kernel's clocks and the one that stands still.
#include <time.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

static uint64_t read_ns(clockid_t id) {
    struct timespec now;
    assert_int_equal(clock_gettime(id, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void the_system_clock_reads_the_kernels_three(void **state) {
    (void)state;
    const struct clock *clock = clock_get_system();
    uint64_t before = read_ns(CLOCK_MONOTONIC);
    uint64_t read = clock_get_monotonic_ns(clock);
    assert_true(before <= read && read <= read_ns(CLOCK_MONOTONIC));
    before = read_ns(CLOCK_BOOTTIME);
    read = clock_get_boottime_ns(clock);
    assert_true(before <= read && read <= read_ns(CLOCK_BOOTTIME));
    int64_t before_ms = (int64_t)(read_ns(CLOCK_REALTIME) / 1000000);
    int64_t read_ms = clock_get_realtime_ms(clock);
    assert_true(before_ms <= read_ms && read_ms <= (int64_t)(read_ns(CLOCK_REALTIME) / 1000000));
}

static void a_manual_clock_stands_still_until_it_is_moved(void **state) {
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual);
    assert_int_equal(clock_get_monotonic_ns(&manual.clock), clock_get_monotonic_ns(&manual.clock));
    assert_int_equal(clock_get_realtime_ms(&manual.clock), CLOCK_MANUAL_START_MS);
    clock_manual_advance_ms(&manual, 30000);
    assert_int_equal(clock_get_monotonic_ns(&manual.clock), CLOCK_MANUAL_START_NS + 30000000000);
    assert_int_equal(clock_get_boottime_ns(&manual.clock), 2 * CLOCK_MANUAL_START_NS + 30000000000);
    assert_int_equal(clock_get_realtime_ms(&manual.clock), CLOCK_MANUAL_START_MS + 30000);
}

static void each_clock_of_a_manual_one_can_be_moved_alone(void **state) {
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual);
    uint64_t monotonic_before = clock_get_monotonic_ns(&manual.clock);
    manual.boottime_ns += 1000;
    manual.realtime_ns -= 5000000;
    assert_int_equal(clock_get_monotonic_ns(&manual.clock), monotonic_before);
    assert_int_equal(clock_get_boottime_ns(&manual.clock), 2 * CLOCK_MANUAL_START_NS + 1000);
    assert_int_equal(clock_get_realtime_ms(&manual.clock), CLOCK_MANUAL_START_MS - 5);
}

static void never_and_always_compare_with_any_instant(void **state) {
    (void)state;
    int64_t now_ms = clock_get_realtime_ms(clock_get_system());
    assert_true(now_ms < CLOCK_NEVER_MS);
    assert_true(now_ms > CLOCK_ALWAYS_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_clock_reads_the_kernels_three),
        cmocka_unit_test(a_manual_clock_stands_still_until_it_is_moved),
        cmocka_unit_test(each_clock_of_a_manual_one_can_be_moved_alone),
        cmocka_unit_test(never_and_always_compare_with_any_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
