// What has to be swept now and then: rows of the change log and of repeated requests that nobody needs any
// more. Small batches on a worker, so that nothing waits for it; several servers may sweep at once.
#ifndef LATCHKEY_COMMON_APP_MAINTENANCE_H
#define LATCHKEY_COMMON_APP_MAINTENANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/app/worker.h"
#include "common/base/clock.h"
#include "common/db/pool.h"

// Embedded by its owner, zeroed but for the first three; lives as long as the workers.
struct maintenance {
    struct db_pool *database;
    struct worker_pool *workers;
    const struct clock *clock;

    struct worker_job job;
    atomic_bool is_running;      // acquire/release: the job is the pool's
    uint64_t due_ns;             // main thread
    _Atomic uint64_t swept_rows; // relaxed
};

// From the main thread, every second or so: submits a sweep when one is due and none runs.
void maintenance_tick(struct maintenance *maintenance);

// A metrics_source.
void maintenance_write_metrics(struct metrics_writer *writer, void *maintenance);

#endif
