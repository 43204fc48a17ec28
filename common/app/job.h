// What a server does by itself again and again: sweeping, sending mail, taking back what was not confirmed.
// Each job has a thread of its own and may block. Several servers run the same job at once, so each takes its
// rows with FOR UPDATE SKIP LOCKED, in small batches, and commits for one company at a time.
#ifndef LATCHKEY_COMMON_APP_JOB_H
#define LATCHKEY_COMMON_APP_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/db/transaction.h"

struct app;
struct job_run;
struct jobs;

// Static storage.
struct app_job {
    const char *name;         // in the log and in metrics, e.g. "mailer"
    const int64_t *period_ms; // from the end of a run to the next; a setting, read when the job starts
    // One round of it. Anything but OK is logged, and tried again after the period.
    enum status (*run)(struct job_run *run);
};

// One round, made by the frame.
struct job_run {
    struct app *app;
    const struct app_job *job;
    struct arena *arena; // emptied after each round
    int64_t next_in_ms;  // the job may ask to come again sooner than its period; < 0 = the period
    struct jobs *jobs;   // the frame's
};

// Whether the process is going down: a job then ends its round soon.
bool job_is_stopping(const struct job_run *run);

// A connection for a part of the round; a job that does something slow in between returns it first, with
// db_pool_return(). The status of db_pool_lease().
MUST_CHECK enum status job_lease_database(const struct job_run *run, struct db_connection **ret_connection);

// The same for a job that needs one all through its round: runs `work` with it.
typedef enum status (*job_work)(struct job_run *run, struct db_connection *connection);
MUST_CHECK enum status job_run_with_database(struct job_run *run, job_work work);

// Statements across companies, in one transaction of their own (db_execute()), within 30 s. The results live
// until the next use of the connection.
MUST_CHECK enum status job_execute(const struct job_run *run, struct db_connection *connection,
                                   struct db_command *commands, size_t count);

struct jobs_options {
    struct app *app;
    struct db_pool *database;
    const struct clock *clock;
};

// Starts no thread yet: jobs are added, then started.
MUST_CHECK enum status jobs_new(const struct jobs_options *options, struct jobs **ret_jobs);

// Borrows the job. Before jobs_start().
MUST_CHECK enum status jobs_add(struct jobs *jobs, const struct app_job *job);

// A thread for each.
MUST_CHECK enum status jobs_start(struct jobs *jobs);

// Waits for the rounds that are running. Takes NULL.
void jobs_free(struct jobs *jobs);

// A metrics_source with the jobs as context.
void jobs_write_metrics(struct metrics_writer *writer, void *jobs);

#endif
