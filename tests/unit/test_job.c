// Jobs of a server: a round at the start, the next after its period or when it asks to, and none after the
// stop.
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

static int forget(void **state) {
    (void)state;
    begun = ended = 0;
    is_held = has_seen_stopping = false;
    outcome = STATUS_OK;
    asked_in_ms = -1;
    return 0;
}

static struct jobs *start(const struct app_job *job) {
    struct jobs *jobs;
    struct jobs_options options = {.clock = clock_get_system()};
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

static void let_go(void) {
    pthread_mutex_lock(&lock);
    is_held = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void a_job_runs_at_the_start_and_again_after_its_period(void **state) {
    (void)state;
    struct jobs *jobs = start(&quick_job);
    await(&ended, 3);
    jobs_free(jobs);
}

static void a_job_whose_period_is_not_over_does_not_run_again(void **state) {
    (void)state;
    struct jobs *jobs = start(&rare_job);
    await(&ended, 1);
    jobs_free(jobs);
    assert_int_equal(begun, 1);
}

static void a_job_that_fails_is_tried_again(void **state) {
    (void)state;
    outcome = STATUS_UNAVAILABLE;
    struct jobs *jobs = start(&quick_job);
    await(&ended, 5);
    jobs_free(jobs);
}

static void a_job_may_ask_to_come_again_sooner(void **state) {
    (void)state;
    asked_in_ms = 0;
    struct jobs *jobs = start(&rare_job);
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
    is_held = true;
    struct jobs *jobs = start(&rare_job);
    await(&begun, 1);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, free_jobs, jobs), 0);
    while (!is_stopping(jobs))
        sched_yield();
    let_go();
    pthread_join(stopper, NULL);
    assert_int_equal(ended, 1);
    assert_true(has_seen_stopping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_job_runs_at_the_start_and_again_after_its_period, forget),
        cmocka_unit_test_setup(a_job_whose_period_is_not_over_does_not_run_again, forget),
        cmocka_unit_test_setup(a_job_that_fails_is_tried_again, forget),
        cmocka_unit_test_setup(a_job_may_ask_to_come_again_sooner, forget),
        cmocka_unit_test_setup(stopping_waits_for_the_round_that_runs_and_tells_it, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
