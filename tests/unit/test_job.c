// Jobs of a server: a round at the start, one whenever somebody wakes it, and none after the stop.
#include <pthread.h>
#include <stdatomic.h>

#include "common/app/job.h"
#include "common/base/clock.h"
#include "tests/unit/unit.h"

static const int64_t an_hour_ms = 3600000, a_moment_ms = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned begun, ended;  // under the lock
static bool is_held;           // under the lock: rounds wait in the middle
static enum status outcome;    // under the lock
static int64_t asked_in_ms;    // under the lock
static bool has_seen_stopping; // under the lock

static enum status run(struct job_run *run) {
    pthread_mutex_lock(&lock);
    begun++;
    pthread_cond_broadcast(&changed);
    while (is_held)
        pthread_cond_wait(&changed, &lock);
    ended++;
    run->next_in_ms = asked_in_ms;
    has_seen_stopping = job_is_stopping(run);
    enum status status = outcome;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return status;
}

static const struct app_job rare_job = {.name = "rare", .period_ms = &an_hour_ms, .run = run};
static const struct app_job quick_job = {.name = "quick", .period_ms = &a_moment_ms, .run = run};

static struct jobs *start(const struct app_job *job) {
    struct jobs *jobs;
    struct jobs_options options = {.clock = clock_get_system()};
    begun = ended = 0;
    is_held = has_seen_stopping = false;
    outcome = STATUS_OK;
    asked_in_ms = -1;
    assert_int_equal(jobs_new(&options, &jobs), STATUS_OK);
    assert_int_equal(jobs_add(jobs, job), STATUS_OK);
    assert_int_equal(jobs_start(jobs), STATUS_OK);
    return jobs;
}

static void await(const unsigned *counter, unsigned at_least) {
    pthread_mutex_lock(&lock);
    while (*counter < at_least)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void hold(bool held) {
    pthread_mutex_lock(&lock);
    is_held = held;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void a_job_runs_at_the_start_and_whenever_it_is_woken(void **state) {
    (void)state;
    struct jobs *jobs = start(&rare_job);
    await(&ended, 1);
    jobs_wake(jobs, &rare_job);
    await(&ended, 2);
    jobs_wake(jobs, &quick_job); // nobody here has it
    jobs_free(jobs);
    assert_int_equal(ended, 2);
}

static void who_wakes_a_running_job_gets_another_round(void **state) {
    (void)state;
    struct jobs *jobs = start(&rare_job);
    await(&ended, 1);
    hold(true);
    jobs_wake(jobs, &rare_job);
    await(&begun, 2);
    jobs_wake(jobs, &rare_job);
    hold(false);
    await(&ended, 3);
    jobs_free(jobs);
}

static void a_job_that_fails_is_tried_again(void **state) {
    (void)state;
    struct jobs *jobs = start(&quick_job);
    pthread_mutex_lock(&lock);
    outcome = STATUS_UNAVAILABLE;
    pthread_mutex_unlock(&lock);
    await(&ended, 5);
    jobs_free(jobs);
}

static void a_job_may_ask_to_come_again_sooner(void **state) {
    (void)state;
    struct jobs *jobs = start(&rare_job);
    await(&ended, 1);
    pthread_mutex_lock(&lock);
    asked_in_ms = 0;
    pthread_mutex_unlock(&lock);
    jobs_wake(jobs, &rare_job);
    await(&ended, 5);
    jobs_free(jobs);
}

static void *free_jobs(void *jobs) {
    jobs_free(jobs);
    return NULL;
}

static bool is_stopping(struct jobs *jobs) {
    struct job_run run = {.jobs = jobs};
    return job_is_stopping(&run);
}

static void stopping_waits_for_the_round_that_runs_and_tells_it(void **state) {
    (void)state;
    struct jobs *jobs = start(&rare_job);
    await(&ended, 1);
    hold(true);
    jobs_wake(jobs, &rare_job);
    await(&begun, 2);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, free_jobs, jobs), 0);
    while (!is_stopping(jobs))
        sched_yield();
    hold(false);
    pthread_join(stopper, NULL);
    assert_int_equal(ended, 2);
    assert_true(has_seen_stopping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_at_the_start_and_whenever_it_is_woken),
        cmocka_unit_test(who_wakes_a_running_job_gets_another_round),
        cmocka_unit_test(a_job_that_fails_is_tried_again),
        cmocka_unit_test(a_job_may_ask_to_come_again_sooner),
        cmocka_unit_test(stopping_waits_for_the_round_that_runs_and_tells_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
