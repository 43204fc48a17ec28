// How far a loop is behind, from what a turn has read, what it has left, and how long it took.
#include "common/net/turn_lag.h"
#include "tests/unit/unit.h"

static void a_turn_that_read_nothing_is_not_behind(void **state) {
    (void)state;
    struct turn_lag lag = {.lag_ns = 7};
    assert_false(turn_lag_has_read(&lag));
    turn_lag_end_turn(&lag, 0);
    assert_int_equal(lag.lag_ns, 0);
    assert_int_equal(lag.turn, 1);
}

static void a_turn_that_left_nothing_is_behind_by_its_own_length(void **state) {
    (void)state;
    struct turn_lag lag = {0};
    turn_lag_note_read(&lag, 1000, 10, 0);
    turn_lag_note_read(&lag, 1500, 10, 0);
    turn_lag_end_turn(&lag, 3000);
    assert_int_equal(lag.lag_ns, 2000);
}

static void what_is_left_takes_as_long_in_proportion(void **state) {
    (void)state;
    struct turn_lag lag = {0};
    turn_lag_note_read(&lag, 1000, 10, 30);
    turn_lag_note_read(&lag, 1500, 10, 30);
    turn_lag_end_turn(&lag, 3000);
    assert_int_equal(lag.lag_ns, 8000);
    assert_false(turn_lag_has_read(&lag));
}

static void a_clock_that_stands_still_is_no_lag(void **state) {
    (void)state;
    struct turn_lag lag = {0};
    turn_lag_note_read(&lag, 1000, 10, 30);
    turn_lag_end_turn(&lag, 1000);
    assert_int_equal(lag.lag_ns, 0);
}

static void turns_that_have_read_add_up(void **state) {
    (void)state;
    struct turn_lag lag = {0};
    turn_lag_note_read(&lag, 1000, 10, 30);
    turn_lag_end_turn(&lag, 1400);
    turn_lag_end_turn(&lag, 0);
    turn_lag_note_read(&lag, 2000, 10, 0);
    turn_lag_end_turn(&lag, 2100);
    assert_int_equal(lag.busy_ns, 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_that_read_nothing_is_not_behind),
        cmocka_unit_test(a_turn_that_left_nothing_is_behind_by_its_own_length),
        cmocka_unit_test(what_is_left_takes_as_long_in_proportion),
        cmocka_unit_test(a_clock_that_stands_still_is_no_lag),
        cmocka_unit_test(turns_that_have_read_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
