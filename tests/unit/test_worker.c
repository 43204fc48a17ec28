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
    assert_int_equal(worker_pool_new(&(struct worker_pool_options){4, JOBS}, &pool), STATUS_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].job.run = count_run;
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
    assert_int_equal(worker_pool_new(&(struct worker_pool_options){1, 2}, &pool), STATUS_OK);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_exactly_once),
        cmocka_unit_test(a_full_queue_refuses_at_once_and_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
