// Ends of waits, and a wait that is over at its end.
#include <errno.h>

#include "common/base/condition.h"
#include "tests/unit/unit.h"

static int64_t get_ns(const struct timespec *at) {
    return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static int64_t get_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return get_ns(&now);
}

// Whatever fraction of a second it is now.
static void an_end_is_a_proper_instant_as_far_ahead_as_asked(void **state) {
    (void)state;
    for (int64_t ms = 0; ms < 5000; ms += 7) {
        int64_t before_ns = get_now_ns();
        struct timespec end = condition_get_end(ms);
        int64_t after_ns = get_now_ns();
        assert_in_range(end.tv_nsec, 0, 999999999);
        assert_true(get_ns(&end) >= before_ns + ms * 1000000);
        assert_true(get_ns(&end) <= after_ns + ms * 1000000);
    }
}

static void a_wait_that_nobody_ends_is_over_at_its_end(void **state) {
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    condition_init(&condition);
    struct timespec end = condition_get_end(3);
    pthread_mutex_lock(&lock);
    int result = 0;
    while (result == 0) // a wait may end for no reason
        result = pthread_cond_timedwait(&condition, &lock, &end);
    pthread_mutex_unlock(&lock);
    assert_int_equal(result, ETIMEDOUT);
    assert_true(get_now_ns() >= get_ns(&end));
    pthread_cond_destroy(&condition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_a_proper_instant_as_far_ahead_as_asked),
        cmocka_unit_test(a_wait_that_nobody_ends_is_over_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
