// Working off a list of what is due: a step for each batch, whatever became of the others, until the process
// stops.
#include <sched.h>
#include <stdatomic.h>

#include "common/app/due.h"
#include "common/base/clock.h"
#include "tests/unit/unit.h"

enum { BATCH_COUNT = 8 };

// Which steps fail, and what they saw.
struct record {
    enum status outcomes[BATCH_COUNT];
    unsigned steps[BATCH_COUNT];
    size_t first; // the batch of the first step
    unsigned step_count;
};

static enum status keep_record(const struct due_work *work, const struct due_batch *batch, void *context) {
    (void)work;
    struct record *record = context;
    size_t i = batch->count; // its number (work_off())
    if (record->step_count++ == 0)
        record->first = i;
    record->steps[i]++;
    return record->outcomes[i];
}

static enum status work_off(struct job_run *run, size_t count, due_step step, void *context) {
    struct due_work work = {.run = run, .system = "test"};
    struct due_batch batches[BATCH_COUNT];
    struct due_list list = {.batches = batches, .count = count};
    for (size_t i = 0; i < count; i++)
        batches[i] = (struct due_batch){.count = i};
    return due_work_off(&work, &list, step, context);
}

static struct jobs *make_jobs(void) {
    struct jobs *jobs;
    struct jobs_options options = {.clock = clock_get_system()};
    assert_int_equal(jobs_new(&options, &jobs), STATUS_OK);
    return jobs;
}

static enum status work_off_all(struct record *record, size_t count) {
    struct jobs *jobs = make_jobs();
    enum status status = work_off(&(struct job_run){.jobs = jobs}, count, keep_record, record);
    jobs_free(jobs);
    return status;
}

static void each_batch_has_one_step(void **state) {
    (void)state;
    for (size_t count = 0; count <= BATCH_COUNT; count++) {
        struct record record = {0};
        assert_int_equal(work_off_all(&record, count), STATUS_OK);
        assert_int_equal(record.step_count, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(record.steps[i], 1);
    }
}

static void a_step_that_failed_keeps_no_other_from_being_taken(void **state) {
    (void)state;
    for (size_t failing = 0; failing < BATCH_COUNT; failing++) {
        struct record record = {0};
        record.outcomes[failing] = STATUS_INVALID;
        assert_int_equal(work_off_all(&record, BATCH_COUNT), STATUS_INVALID);
        for (size_t i = 0; i < BATCH_COUNT; i++)
            assert_int_equal(record.steps[i], 1);
    }
}

// why 200: that one of the eight is never the first has a chance of 8 * (7/8)^200, one in 50 thousand
// million.
static void any_batch_may_be_the_first(void **state) {
    (void)state;
    bool was_first[BATCH_COUNT] = {false};
    for (int i = 0; i < 200; i++) {
        struct record record = {0};
        assert_int_equal(work_off_all(&record, BATCH_COUNT), STATUS_OK);
        was_first[record.first] = true;
    }
    for (size_t i = 0; i < BATCH_COUNT; i++)
        assert_true(was_first[i]);
}

// ---- stopping ----

static atomic_uint long_steps;

static enum status wait_for_stop(const struct due_work *work, const struct due_batch *batch, void *context) {
    (void)batch;
    (void)context;
    atomic_fetch_add(&long_steps, 1);
    while (!job_is_stopping(work->run))
        sched_yield();
    return STATUS_OK;
}

static enum status run(struct job_run *run) {
    return work_off(run, BATCH_COUNT, wait_for_stop, NULL);
}

static void no_step_is_taken_once_the_process_stops(void **state) {
    (void)state;
    static const int64_t an_hour_ms = 3600000;
    static const struct app_job job = {.name = "due", .period_ms = &an_hour_ms, .run = run};
    struct jobs *jobs = make_jobs();
    assert_int_equal(jobs_add(jobs, &job), STATUS_OK);
    assert_int_equal(jobs_start(jobs), STATUS_OK);
    while (atomic_load(&long_steps) == 0)
        sched_yield();
    jobs_free(jobs);
    assert_int_equal(atomic_load(&long_steps), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_batch_has_one_step),
        cmocka_unit_test(a_step_that_failed_keeps_no_other_from_being_taken),
        cmocka_unit_test(any_batch_may_be_the_first),
        cmocka_unit_test(no_step_is_taken_once_the_process_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
