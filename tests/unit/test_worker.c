// Worker threads: every job runs once, a full queue says no at once, stopping runs what waits.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/worker.h"
#include "tests/unit/unit.h"

enum { JOBS = 10000 };

struct counted_job {
    struct worker_job job; // first: a job is its counter
    atomic_int runs;
};

static void count_run(struct worker_job *job) {
    atomic_fetch_add(&((struct counted_job *)job)->runs, 1);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void pass_gate(struct worker_job *job) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    count_run(job);
}

static void every_job_runs_exactly_once(void **state) {
    (void)state;
    static struct counted_job jobs[JOBS];
    struct worker_pool *pool;
    assert_int_equal(
        worker_pool_new(&(struct worker_pool_options){.threads = 4, .queue_capacity = JOBS}, &pool),
        STATUS_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].job = (struct worker_job){.run = count_run, .share = (unsigned)i % WORKER_SHARES_MAX};
        assert_int_equal(worker_pool_submit(pool, &jobs[i].job), STATUS_OK);
    }
    worker_pool_free(pool);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(jobs[i].runs, 1);
}

static void a_full_queue_refuses_at_once_and_counts_it(void **state) {
    (void)state;
    struct counted_job jobs[4] = {0};
    struct worker_pool *pool;
    assert_int_equal(worker_pool_new(&(struct worker_pool_options){.threads = 1, .queue_capacity = 2}, &pool),
                     STATUS_OK);
    for (int i = 0; i < 4; i++)
        jobs[i].job.run = pass_gate;

    pthread_mutex_lock(&gate);
    assert_int_equal(worker_pool_submit(pool, &jobs[0].job), STATUS_OK);
    while (worker_pool_get_statistics(pool).running == 0)
        sched_yield(); // the worker holds the first one
    assert_int_equal(worker_pool_submit(pool, &jobs[1].job), STATUS_OK);
    assert_int_equal(worker_pool_submit(pool, &jobs[2].job), STATUS_OK);
    assert_int_equal(worker_pool_submit(pool, &jobs[3].job), STATUS_EXHAUSTED);
    assert_int_equal(worker_pool_get_statistics(pool).refused, 1);
    assert_int_equal(worker_pool_get_statistics(pool).waiting, 2);
    pthread_mutex_unlock(&gate);

    worker_pool_free(pool);
    for (int i = 0; i < 3; i++)
        assert_int_equal(jobs[i].runs, 1);
    assert_int_equal(jobs[3].runs, 0);
}

static struct clock_manual hands;

static void take_a_tenth_of_a_second(struct worker_job *job) {
    clock_manual_advance_ms(&hands, 100);
    count_run(job);
}

static void wait_until_idle(struct worker_pool *pool) {
    for (;;) {
        struct worker_pool_statistics now = worker_pool_get_statistics(pool);
        if (now.running + now.waiting == 0)
            return;
        sched_yield();
    }
}

static enum status submit_with(struct worker_pool *pool, struct counted_job *job, uint64_t in_ms) {
    job->job = (struct worker_job){.run = pass_gate, .deadline_ns = hands.monotonic_ns + in_ms * 1000000};
    return worker_pool_submit(pool, &job->job);
}

static void whose_turn_would_come_too_late_is_refused_at_once(void **state) {
    (void)state;
    struct counted_job first = {.job.run = take_a_tenth_of_a_second}, jobs[4] = {0};
    struct worker_pool *pool;
    clock_manual_init(&hands);
    const struct worker_pool_options options = {.threads = 1, .queue_capacity = 8, .clock = &hands.clock};
    assert_int_equal(worker_pool_new(&options, &pool), STATUS_OK);
    assert_int_equal(worker_pool_submit(pool, &first.job), STATUS_OK);
    wait_until_idle(pool);

    pthread_mutex_lock(&gate);
    assert_int_equal(submit_with(pool, &jobs[0], 1), STATUS_OK); // nobody waits before it
    while (worker_pool_get_statistics(pool).running == 0)
        sched_yield();
    assert_int_equal(submit_with(pool, &jobs[1], 1), STATUS_OK);
    // One waits, for a tenth of a second; as much to spare, and as much to run.
    assert_int_equal(submit_with(pool, &jobs[2], 299), STATUS_EXHAUSTED);
    assert_int_equal(submit_with(pool, &jobs[2], 300), STATUS_OK);
    assert_int_equal(submit_with(pool, &jobs[3], 499), STATUS_EXHAUSTED);
    jobs[3].job.deadline_ns = 0;
    assert_int_equal(worker_pool_submit(pool, &jobs[3].job), STATUS_OK);
    assert_int_equal(worker_pool_get_statistics(pool).late, 2);
    assert_int_equal(worker_pool_get_statistics(pool).refused, 0);
    pthread_mutex_unlock(&gate);

    worker_pool_free(pool);
    for (int i = 0; i < 4; i++)
        assert_int_equal(jobs[i].runs, 1);
}

struct ordered_job {
    struct worker_job job;
    int number;
};

static int order[8], order_count;

static void note_order(struct worker_job *job) {
    pthread_mutex_lock(&gate);
    order[order_count++] = ((struct ordered_job *)job)->number;
    pthread_mutex_unlock(&gate);
}

static void who_sends_many_does_not_make_the_others_wait(void **state) {
    (void)state;
    static const unsigned shares[] = {1, 1, 1, 1, 2, 3}; // in the order of their coming; the first one runs
    struct ordered_job jobs[ARRAY_LENGTH(shares)] = {0};
    struct worker_pool *pool;
    order_count = 0;
    assert_int_equal(
        worker_pool_new(&(struct worker_pool_options){.threads = 1, .queue_capacity = 16}, &pool), STATUS_OK);

    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < ARRAY_LENGTH(shares); i++) {
        jobs[i] = (struct ordered_job){{.run = note_order, .share = shares[i]}, (int)i};
        assert_int_equal(worker_pool_submit(pool, &jobs[i].job), STATUS_OK);
        while (worker_pool_get_statistics(pool).running == 0)
            sched_yield();
    }
    pthread_mutex_unlock(&gate);
    worker_pool_free(pool);

    static const int expected[] = {0, 4, 5, 1, 2, 3};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(order[i], expected[i]);
}

static pthread_mutex_t inner_gate = PTHREAD_MUTEX_INITIALIZER;

static void pass_inner_gate(struct worker_job *job) {
    pthread_mutex_lock(&inner_gate);
    pthread_mutex_unlock(&inner_gate);
    count_run(job);
}

static void a_free_worker_takes_whose_share_has_the_fewest(void **state) {
    (void)state;
    struct counted_job held[3] = {0};
    struct counted_job ends = {.job = {.run = pass_gate, .share = 2}};
    struct ordered_job older = {{.run = note_order, .share = 1}, 1},
                       newer = {{.run = note_order, .share = 3}, 3};
    struct worker_pool *pool;
    order_count = 0;
    assert_int_equal(
        worker_pool_new(&(struct worker_pool_options){.threads = 4, .queue_capacity = 16}, &pool), STATUS_OK);

    pthread_mutex_lock(&inner_gate);
    pthread_mutex_lock(&gate);
    for (unsigned i = 0; i < 3; i++) {
        held[i].job = (struct worker_job){.run = pass_inner_gate, .share = i == 0 ? 1 : 3 + i};
        assert_int_equal(worker_pool_submit(pool, &held[i].job), STATUS_OK);
    }
    assert_int_equal(worker_pool_submit(pool, &ends.job), STATUS_OK);
    while (worker_pool_get_statistics(pool).running < 4)
        sched_yield();
    assert_int_equal(worker_pool_submit(pool, &older.job), STATUS_OK);
    assert_int_equal(worker_pool_submit(pool, &newer.job), STATUS_OK);
    pthread_mutex_unlock(&gate); // one worker is free now, another runs share 1
    while (worker_pool_get_statistics(pool).waiting > 0)
        sched_yield();
    pthread_mutex_unlock(&inner_gate);
    worker_pool_free(pool);

    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
}

// Four workers, of which one share gets three, and eight places, of which it gets six.
static void a_single_share_leaves_a_worker_and_places_for_the_others(void **state) {
    (void)state;
    struct counted_job jobs[10] = {0}, other = {.job = {.run = count_run, .share = 2}};
    struct worker_pool *pool;
    assert_int_equal(worker_pool_new(&(struct worker_pool_options){.threads = 4, .queue_capacity = 8}, &pool),
                     STATUS_OK);

    pthread_mutex_lock(&gate);
    for (int i = 0; i < 10; i++)
        jobs[i].job = (struct worker_job){.run = pass_gate, .share = 1};
    for (int i = 0; i < 3; i++)
        assert_int_equal(worker_pool_submit(pool, &jobs[i].job), STATUS_OK);
    while (worker_pool_get_statistics(pool).running < 3)
        sched_yield();
    for (int i = 3; i < 9; i++)
        assert_int_equal(worker_pool_submit(pool, &jobs[i].job), STATUS_OK);
    assert_int_equal(worker_pool_submit(pool, &jobs[9].job), STATUS_EXHAUSTED);
    assert_int_equal(worker_pool_submit(pool, &other.job), STATUS_OK);
    while (atomic_load(&other.runs) == 0) // on the fourth worker, while all of the first share wait
        sched_yield();
    assert_int_equal(worker_pool_get_statistics(pool).waiting, 6);
    pthread_mutex_unlock(&gate);

    worker_pool_free(pool);
    for (int i = 0; i < 9; i++)
        assert_int_equal(jobs[i].runs, 1);
    assert_int_equal(jobs[9].runs, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_exactly_once),
        cmocka_unit_test(a_full_queue_refuses_at_once_and_counts_it),
        cmocka_unit_test(whose_turn_would_come_too_late_is_refused_at_once),
        cmocka_unit_test(who_sends_many_does_not_make_the_others_wait),
        cmocka_unit_test(a_free_worker_takes_whose_share_has_the_fewest),
        cmocka_unit_test(a_single_share_leaves_a_worker_and_places_for_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
