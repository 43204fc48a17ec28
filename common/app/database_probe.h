// Notices that the database is gone, or back, while no call asks for it: now and then one small query on a
// worker. Calls tell the rest.
#ifndef LATCHKEY_COMMON_APP_DATABASE_PROBE_H
#define LATCHKEY_COMMON_APP_DATABASE_PROBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app/worker.h"
#include "common/base/clock.h"
#include "common/db/pool.h"

// Embedded by its owner, zeroed but for the first three; lives as long as the workers.
struct database_probe {
    struct db_pool *database;
    struct worker_pool *workers;
    const struct clock *clock;

    struct worker_job job;
    atomic_bool is_running; // acquire/release: the job is the pool's
    atomic_bool is_silent;  // relaxed
    uint64_t due_ns;        // main thread
};

// From the main thread, every second or so: submits a query when one is due and none runs.
void database_probe_tick(struct database_probe *probe);

// The last query got no answer on a connection that seemed good. Any thread. That no connection can be had is
// the pool's to tell: see db_pool_get_failure().
bool database_probe_is_silent(const struct database_probe *probe);

#endif
