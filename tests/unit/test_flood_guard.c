// Budgets of what clients may do, on a clock of the test's: the bursts, the rates, what work earns, and the
// policing of pings (WIRE.md, point 59).
#include "common/base/compiler.h"
#include "common/grpc/flood_guard.h"
#include "tests/unit/unit.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define START (1000 * HOUR)

struct flooding {
    struct flood_limits limits;
    struct flood_guard guard;
    struct flood_moment moment;
};

static struct flooding begin(void) {
    struct grpc_server_settings settings;
    struct flooding flooding = {.moment.now_ns = START};
    grpc_server_settings_init(&settings);
    flood_limits_init(&flooding.limits, &settings);
    flood_guard_init(&flooding.guard, &flooding.limits, START);
    return flooding;
}

static bool pass(struct flooding *flooding, enum flood kind) {
    return flood_guard_pass(&flooding->guard, &flooding->limits, kind, 1, &flooding->moment);
}

static bool ping(struct flooding *flooding) {
    return flood_guard_pass_ping(&flooding->guard, &flooding->limits, &flooding->moment);
}

// How many pass at this moment.
static size_t count_passes(struct flooding *flooding, enum flood kind) {
    size_t count = 0;
    while (pass(flooding, kind))
        count++;
    return count;
}

static void every_kind_has_a_burst_a_rate_and_a_name_of_its_own(void **state) {
    (void)state;
    static const struct {
        enum flood kind;
        size_t burst, per_second;
    } rows[] = {
        {FLOOD_RESETS, 2000, 500},      {FLOOD_LATE_RESETS, 40000, 10000},   {FLOOD_PINGS, 500, 10},
        {FLOOD_SETTINGS, 200, 10},      {FLOOD_WINDOW_UPDATES, 10000, 1000}, {FLOOD_PRIORITIES, 10000, 100},
        {FLOOD_LATE_DATA, 10000, 1000}, {FLOOD_EMPTY_FRAMES, 100, 10},       {FLOOD_LARGE_HEADERS, 100, 10},
        {FLOOD_OTHER_FRAMES, 1000, 10}, {FLOOD_INFLATION, 128, 64},
    };
    assert_int_equal(ARRAY_LENGTH(rows), FLOOD_COUNT);
    for (size_t i = 0; i < FLOOD_COUNT; i++) {
        struct flooding flooding = begin();
        assert_int_equal(rows[i].kind, i);
        assert_int_equal(count_passes(&flooding, rows[i].kind), rows[i].burst);
        flooding.moment.now_ns += SECOND;
        assert_int_equal(count_passes(&flooding, rows[i].kind), rows[i].per_second);
        flooding.moment.now_ns += 24 * HOUR;
        assert_int_equal(count_passes(&flooding, rows[i].kind), rows[i].burst);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(flood_get_close(rows[i].kind), flood_get_close(rows[j].kind));
    }
}

static void one_kind_does_not_use_up_the_budget_of_another(void **state) {
    (void)state;
    struct flooding flooding = begin();
    (void)count_passes(&flooding, FLOOD_SETTINGS);
    assert_true(pass(&flooding, FLOOD_RESETS) && pass(&flooding, FLOOD_PINGS));
}

static void time_in_small_steps_is_not_lost(void **state) {
    (void)state;
    struct flooding flooding = begin();
    (void)count_passes(&flooding, FLOOD_SETTINGS);
    size_t passed = 0;
    for (int i = 0; i < 10000; i++) { // 10 s
        flooding.moment.now_ns += SECOND / 1000;
        passed += pass(&flooding, FLOOD_SETTINGS);
    }
    assert_in_range(passed, 95, 100);
}

static void a_thousand_cancels_a_second_are_paid_for_by_as_many_answers(void **state) {
    (void)state;
    struct flooding flooding = begin();
    for (int i = 0; i < 100000; i++) { // a hundred seconds of it
        flooding.moment.now_ns += SECOND / 1000;
        flooding.moment.work += 3;
        assert_true(pass(&flooding, FLOOD_RESETS));
    }
}

static void streams_that_are_only_begun_do_not_pay(void **state) {
    (void)state;
    struct flooding flooding = begin();
    (void)count_passes(&flooding, FLOOD_RESETS);
    flooding.moment.work += 300; // headers of three hundred streams
    assert_int_equal(count_passes(&flooding, FLOOD_RESETS), 100);
}

static void what_reading_takes_is_never_punished(void **state) {
    (void)state;
    struct flooding flooding = begin();
    for (int i = 0; i < 1000000; i++) { // an update of the stream and of the connection for each frame
        flooding.moment.work++;
        assert_true(pass(&flooding, FLOOD_WINDOW_UPDATES) && pass(&flooding, FLOOD_WINDOW_UPDATES));
    }
}

static void two_pings_may_come_too_early(void **state) {
    (void)state;
    struct flooding flooding = begin();
    flooding.moment.has_calls = true;
    for (int i = 0; i < 3; i++, flooding.moment.now_ns += MINUTE)
        assert_true(ping(&flooding));
    assert_false(ping(&flooding));
}

static void pings_with_calls_may_come_every_five_minutes(void **state) {
    (void)state;
    struct flooding flooding = begin();
    flooding.moment.has_calls = true;
    for (int i = 0; i < 1000; i++, flooding.moment.now_ns += 5 * MINUTE)
        assert_true(ping(&flooding));
}

static void pings_without_calls_may_come_every_two_hours(void **state) {
    (void)state;
    struct flooding flooding = begin();
    for (int i = 0; i < 100; i++, flooding.moment.now_ns += 2 * HOUR)
        assert_true(ping(&flooding));
    size_t passed = 0;
    for (; ping(&flooding); flooding.moment.now_ns += 5 * MINUTE)
        passed++;
    assert_int_equal(passed, 3);
}

static void pings_without_calls_may_be_permitted(void **state) {
    (void)state;
    struct flooding flooding = begin();
    flooding.limits.permits_pings_without_calls = true;
    for (int i = 0; i < 1000; i++, flooding.moment.now_ns += 5 * MINUTE)
        assert_true(ping(&flooding));
}

static void what_is_sent_forgives_pings(void **state) {
    (void)state;
    struct flooding flooding = begin();
    for (int i = 0; i < 1000; i++, flooding.moment.work += 3)
        assert_true(ping(&flooding) && ping(&flooding) && ping(&flooding));
}

static void pings_that_are_not_policed_have_their_budget(void **state) {
    (void)state;
    struct flooding flooding = begin();
    flooding.limits.min_ping_interval_ns = 0;
    size_t passed = 0;
    while (ping(&flooding))
        passed++;
    assert_int_equal(passed, 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_burst_a_rate_and_a_name_of_its_own),
        cmocka_unit_test(one_kind_does_not_use_up_the_budget_of_another),
        cmocka_unit_test(time_in_small_steps_is_not_lost),
        cmocka_unit_test(a_thousand_cancels_a_second_are_paid_for_by_as_many_answers),
        cmocka_unit_test(streams_that_are_only_begun_do_not_pay),
        cmocka_unit_test(what_reading_takes_is_never_punished),
        cmocka_unit_test(two_pings_may_come_too_early),
        cmocka_unit_test(pings_with_calls_may_come_every_five_minutes),
        cmocka_unit_test(pings_without_calls_may_come_every_two_hours),
        cmocka_unit_test(pings_without_calls_may_be_permitted),
        cmocka_unit_test(what_is_sent_forgives_pings),
        cmocka_unit_test(pings_that_are_not_policed_have_their_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
