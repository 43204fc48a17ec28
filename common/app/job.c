#include "common/app/job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/condition.h"
#include "common/base/log.h"

enum { JOBS_MAX = 16, LEASE_PATIENCE_MS = 10000, STATEMENTS_PATIENCE_MS = 30000 };

struct running_job {
    struct jobs *jobs;
    const struct app_job *job;
    pthread_t thread;
    bool is_failing; // its own thread's: told once, not every second

    // Relaxed: for metrics.
    _Atomic uint64_t rounds, failures;
};

struct jobs {
    struct jobs_options options;
    struct running_job list[JOBS_MAX];
    size_t count, started;

    pthread_mutex_t lock;
    pthread_cond_t changed; // all are to stop
    bool is_stopping;       // under the lock
};

// ---- a job's thread ----

// False when the process stops.
static bool wait_for_turn(struct jobs *jobs, int64_t ms) {
    struct timespec until = condition_get_end(ms);
    int result = 0;
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->is_stopping && result == 0)
        result = pthread_cond_timedwait(&jobs->changed, &jobs->lock, &until);
    bool goes_on = !jobs->is_stopping;
    pthread_mutex_unlock(&jobs->lock);
    return goes_on;
}

static void tell_failure(struct running_job *self, enum status status) {
    bool is_failing = status != STATUS_OK;
    if (is_failing && !self->is_failing)
        log_event(LOG_LEVEL_WARNING, "a job fails; it is tried again",
                  LOG_TEXT("status", status_get_text(status)));
    if (!is_failing && self->is_failing)
        log_event(LOG_LEVEL_INFO, "a job works again");
    self->is_failing = is_failing;
}

// How long until the next round.
static int64_t run_round(struct running_job *self, struct arena *arena) {
    struct job_run run = {.app = self->jobs->options.app,
                          .job = self->job,
                          .arena = arena,
                          .next_in_ms = -1,
                          .jobs = self->jobs};
    enum status status = self->job->run(&run);
    atomic_fetch_add_explicit(status == STATUS_OK ? &self->rounds : &self->failures, 1, memory_order_relaxed);
    tell_failure(self, status);
    arena_reset(arena);
    return status == STATUS_OK && run.next_in_ms >= 0 ? run.next_in_ms : *self->job->period_ms;
}

static void *run_job(void *context) {
    struct running_job *self = context;
    struct arena arena;
    arena_init(&arena, 0);
    int64_t next_in_ms = 0;
    const struct log_field about = LOG_TEXT("job", self->job->name);
    log_set_context(&about, 1);
    while (wait_for_turn(self->jobs, next_in_ms))
        next_in_ms = run_round(self, &arena);
    arena_fini(&arena);
    return NULL;
}

// ---- for jobs ----

bool job_is_stopping(const struct job_run *run) {
    pthread_mutex_lock(&run->jobs->lock);
    bool is_stopping = run->jobs->is_stopping;
    pthread_mutex_unlock(&run->jobs->lock);
    return is_stopping;
}

static uint64_t get_deadline_ns(const struct job_run *run, int64_t patience_ms) {
    return clock_get_monotonic_ns(run->jobs->options.clock) + (uint64_t)patience_ms * 1000000;
}

enum status job_lease_database(const struct job_run *run, struct db_connection **ret_connection) {
    return db_pool_lease(run->jobs->options.database, get_deadline_ns(run, LEASE_PATIENCE_MS), NULL,
                         ret_connection);
}

enum status job_run_with_database(struct job_run *run, job_work work) {
    struct db_connection *connection;
    enum status status = job_lease_database(run, &connection);
    if (status != STATUS_OK)
        return status;
    status = work(run, connection);
    db_pool_return(run->jobs->options.database, connection);
    return status;
}

enum status job_execute(const struct job_run *run, struct db_connection *connection,
                        struct db_command *commands, size_t count) {
    struct db_begin_options options = {.arena = run->arena,
                                       .deadline_ns = get_deadline_ns(run, STATEMENTS_PATIENCE_MS)};
    return db_execute(connection, &options, commands, count);
}

// ---- public ----

enum status jobs_new(const struct jobs_options *options, struct jobs **ret_jobs) {
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs)
        return STATUS_NO_MEMORY;
    jobs->options = *options;
    condition_init(&jobs->changed);
    pthread_mutex_init(&jobs->lock, NULL);
    *ret_jobs = jobs;
    return STATUS_OK;
}

enum status jobs_add(struct jobs *jobs, const struct app_job *job) {
    if (jobs->count == JOBS_MAX)
        return STATUS_EXHAUSTED;
    struct running_job *added = &jobs->list[jobs->count++];
    added->jobs = jobs;
    added->job = job;
    return STATUS_OK;
}

enum status jobs_start(struct jobs *jobs) {
    for (; jobs->started < jobs->count; jobs->started++) {
        struct running_job *job = &jobs->list[jobs->started];
        if (pthread_create(&job->thread, NULL, run_job, job) != 0)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void jobs_free(struct jobs *jobs) {
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->is_stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < jobs->started; i++)
        pthread_join(jobs->list[i].thread, NULL);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

// ---- metrics ----

static void write_rounds(struct metrics_writer *writer, const struct running_job *job, const char *result,
                         const _Atomic uint64_t *count) {
    char labels[128];
    snprintf(labels, sizeof(labels), "name=\"%s\",result=\"%s\"", job->job->name, result);
    metrics_write_counter(writer, "latchkey_job_rounds_total",
                          "Rounds of what a server does by itself, by whether they failed.", labels,
                          atomic_load_explicit(count, memory_order_relaxed));
}

void jobs_write_metrics(struct metrics_writer *writer, void *context) {
    const struct jobs *jobs = context;
    for (size_t i = 0; i < jobs->count; i++) {
        write_rounds(writer, &jobs->list[i], "ok", &jobs->list[i].rounds);
        write_rounds(writer, &jobs->list[i], "failed", &jobs->list[i].failures);
    }
}
