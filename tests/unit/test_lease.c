// The life of a lease, by a clock that stands still until the test moves it.
#include "common/base/clock.h"
#include "services/validator/image/lease.h"
#include "tests/unit/unit.h"

#define TERM_NS UINT64_C(30000000000)

struct stage {
    struct clock_manual manual;
    struct lease lease;
};

static void begin(struct stage *stage) {
    clock_manual_init(&stage->manual);
    lease_init(&stage->lease, TERM_NS);
}

static uint64_t get_now(const struct stage *stage) {
    return clock_get_boottime_ns(&stage->manual.clock);
}

static enum lease_state get_state(const struct stage *stage) {
    return lease_get_state(&stage->lease, get_now(stage));
}

static void nothing_serves_before_the_first_grant(void **state) {
    (void)state;
    struct stage stage;
    struct lease zero = {0};
    begin(&stage);
    assert_int_equal(get_state(&stage), LEASE_LOADING);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), 0);
    assert_int_equal(lease_get_state(&zero, 0), LEASE_LOADING);
    lease_withdraw(&stage.lease);
    assert_int_equal(get_state(&stage), LEASE_LOADING);
}

static void a_grant_counts_from_before_it_was_sent(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    uint64_t sent_ns = get_now(&stage);
    clock_manual_advance_ms(&stage.manual, 4000); // the answer took as long
    lease_grant(&stage.lease, sent_ns, TERM_NS);
    assert_int_equal(get_state(&stage), LEASE_SERVING);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), TERM_NS - UINT64_C(4000000000));
    clock_manual_advance_ms(&stage.manual, 25999);
    assert_int_equal(get_state(&stage), LEASE_SERVING);
    clock_manual_advance_ms(&stage.manual, 1);
    assert_int_equal(get_state(&stage), LEASE_STALE);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), 0);
}

static void an_answer_that_took_longer_than_the_term_lets_nobody_serve(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    uint64_t sent_ns = get_now(&stage);
    clock_manual_advance_ms(&stage.manual, 30000);
    lease_grant(&stage.lease, sent_ns, TERM_NS);
    assert_int_equal(get_state(&stage), LEASE_STALE);
}

static void a_machine_that_slept_is_stale_when_it_wakes(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    stage.manual.boottime_ns += 3600 * UINT64_C(1000000000); // monotonic time stood still
    assert_int_equal(get_state(&stage), LEASE_STALE);
}

static void an_earlier_grant_never_shortens_a_later_one(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    uint64_t first_ns = get_now(&stage);
    clock_manual_advance_ms(&stage.manual, 10000);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    lease_grant(&stage.lease, first_ns, TERM_NS);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), TERM_NS);
}

static void a_part_of_anothers_lease_ends_when_that_does_and_with_the_term_at_last(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    lease_grant(&stage.lease, get_now(&stage), 1000000);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), 1000000);
    clock_manual_advance_ms(&stage.manual, 1);
    assert_int_equal(get_state(&stage), LEASE_STALE);
    lease_grant(&stage.lease, get_now(&stage), UINT64_MAX);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), TERM_NS);
    lease_grant(&stage.lease, get_now(&stage), 1000000);
    assert_int_equal(lease_get_left_ns(&stage.lease, get_now(&stage)), TERM_NS);
}

static void a_withdrawn_lease_is_stale_at_once_and_may_be_granted_again(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    lease_withdraw(&stage.lease);
    assert_int_equal(get_state(&stage), LEASE_STALE);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    assert_int_equal(get_state(&stage), LEASE_SERVING);
}

static void a_lost_history_stays_lost_until_it_is_recovered(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    lease_lose_history(&stage.lease);
    assert_int_equal(get_state(&stage), LEASE_HISTORY_LOST);
    lease_withdraw(&stage.lease);
    assert_int_equal(get_state(&stage), LEASE_HISTORY_LOST);
    clock_manual_advance_ms(&stage.manual, 60000);
    assert_int_equal(get_state(&stage), LEASE_HISTORY_LOST);
    lease_recover_history(&stage.lease);
    assert_int_equal(get_state(&stage), LEASE_STALE);
    lease_grant(&stage.lease, get_now(&stage), TERM_NS);
    assert_int_equal(get_state(&stage), LEASE_SERVING);
}

static void states_have_names(void **state) {
    (void)state;
    assert_string_equal(lease_state_get_name(LEASE_LOADING), "loading");
    assert_string_equal(lease_state_get_name(LEASE_SERVING), "serving");
    assert_string_equal(lease_state_get_name(LEASE_STALE), "stale");
    assert_string_equal(lease_state_get_name(LEASE_HISTORY_LOST), "history lost");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_serves_before_the_first_grant),
        cmocka_unit_test(a_grant_counts_from_before_it_was_sent),
        cmocka_unit_test(an_answer_that_took_longer_than_the_term_lets_nobody_serve),
        cmocka_unit_test(a_machine_that_slept_is_stale_when_it_wakes),
        cmocka_unit_test(an_earlier_grant_never_shortens_a_later_one),
        cmocka_unit_test(a_part_of_anothers_lease_ends_when_that_does_and_with_the_term_at_last),
        cmocka_unit_test(a_withdrawn_lease_is_stale_at_once_and_may_be_granted_again),
        cmocka_unit_test(a_lost_history_stays_lost_until_it_is_recovered),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
