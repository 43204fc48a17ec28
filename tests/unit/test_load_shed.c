// The quota of a loop that is behind: it falls and rises with the lag, and only where calls have time-outs.
#include "common/grpc/load_shed.h"
#include "tests/unit/unit.h"

#define MS UINT64_C(1000000)

enum { ANY = 0 };

static struct load_shed begin(uint64_t timeout_ns) {
    struct load_shed shed = {0};
    if (timeout_ns > 0)
        load_shed_note_timeout(&shed, timeout_ns);
    return shed;
}

static void look(struct load_shed *shed, uint64_t lag_ns, int turns) {
    for (int i = 0; i < turns; i++)
        load_shed_look(shed, shed->turn + 1, lag_ns);
}

static void nothing_is_refused_of_a_loop_that_keeps_up(void **state) {
    (void)state;
    struct load_shed shed = begin(100 * MS);
    look(&shed, 9 * MS, 1000);
    assert_int_equal(shed.quota, ANY);
}

static void nothing_is_refused_where_no_call_has_a_time_out(void **state) {
    (void)state;
    struct load_shed shed = begin(0);
    look(&shed, 10000 * MS, 1000);
    assert_int_equal(shed.quota, ANY);
}

static void one_long_turn_is_forgiven(void **state) {
    (void)state;
    struct load_shed shed = begin(100 * MS);
    look(&shed, 10000 * MS, 1);
    assert_int_equal(shed.quota, LOAD_SHED_QUOTA_MAX / 2);
    look(&shed, 0, 10);
    assert_int_equal(shed.quota, ANY);
}

static void a_loop_that_stays_behind_takes_less_and_less_but_always_a_call(void **state) {
    (void)state;
    struct load_shed shed = begin(100 * MS);
    for (unsigned before = LOAD_SHED_QUOTA_MAX; before > 1; before = shed.quota) {
        look(&shed, 30 * MS, 1);
        assert_in_range(shed.quota, before / 2, before - 1);
    }
    look(&shed, 10000 * MS, 100);
    assert_int_equal(shed.quota, 1);
}

static void a_loop_that_is_a_little_behind_takes_a_little_less(void **state) {
    (void)state;
    struct load_shed shed = begin(100 * MS);
    shed.quota = 1000;
    look(&shed, 11 * MS, 1);
    assert_in_range(shed.quota, 900, 920);
}

static void a_turn_counts_once(void **state) {
    (void)state;
    struct load_shed shed = begin(100 * MS);
    look(&shed, 30 * MS, 1);
    unsigned quota = shed.quota;
    load_shed_look(&shed, shed.turn, 30 * MS);
    assert_int_equal(shed.quota, quota);
}

static void time_outs_of_a_moment_do_not_make_a_lag_of_none(void **state) {
    (void)state;
    struct load_shed shed = begin(1);
    look(&shed, 4 * MS, 1000);
    assert_int_equal(shed.quota, ANY);
    look(&shed, 6 * MS, 1);
    assert_int_not_equal(shed.quota, ANY);
}

static void long_time_outs_do_not_keep_a_queue_alive(void **state) {
    (void)state;
    struct load_shed shed = begin(UINT64_C(3600000) * MS);
    look(&shed, 11 * MS, 1);
    assert_int_not_equal(shed.quota, ANY);
}

static void each_connection_begins_its_quota_in_each_turn(void **state) {
    (void)state;
    struct load_shed shed = {.turn = 7, .quota = 2};
    struct load_share one = {0}, other = {0};
    for (; shed.turn < 10; shed.turn++)
        for (int call = 0; call < 5; call++) {
            assert_int_equal(load_shed_may_begin(&shed, &one), call < 2);
            assert_int_equal(load_shed_may_begin(&shed, &other), call < 2);
        }
}

static void where_nothing_is_refused_any_number_begins(void **state) {
    (void)state;
    struct load_shed shed = {0};
    struct load_share share = {0};
    for (int call = 0; call < 2 * LOAD_SHED_QUOTA_MAX; call++)
        assert_true(load_shed_may_begin(&shed, &share));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_refused_of_a_loop_that_keeps_up),
        cmocka_unit_test(nothing_is_refused_where_no_call_has_a_time_out),
        cmocka_unit_test(one_long_turn_is_forgiven),
        cmocka_unit_test(a_loop_that_stays_behind_takes_less_and_less_but_always_a_call),
        cmocka_unit_test(a_loop_that_is_a_little_behind_takes_a_little_less),
        cmocka_unit_test(a_turn_counts_once),
        cmocka_unit_test(time_outs_of_a_moment_do_not_make_a_lag_of_none),
        cmocka_unit_test(long_time_outs_do_not_keep_a_queue_alive),
        cmocka_unit_test(each_connection_begins_its_quota_in_each_turn),
        cmocka_unit_test(where_nothing_is_refused_any_number_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
