// Whether a server can do its work now, and what keeps it from that: as /readyz, gRPC health, the metric
// `latchkey_ready` and the log tell it.
#ifndef LATCHKEY_COMMON_APP_READINESS_H
#define LATCHKEY_COMMON_APP_READINESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/app/app.h"
#include "common/app/database_probe.h"
#include "common/app/metrics.h"
#include "common/base/buffer.h"
#include "common/db/pool.h"
#include "common/grpc/health.h"

// Embedded by its owner, zeroed, and filled in before anybody asks.
struct readiness {
    const struct app_program *program;
    struct db_pool *database; // NULL = it needs none
    const struct database_probe *probe;
    struct grpc_health *health;

    // Relaxed: written by the main thread, read by any.
    atomic_bool is_leaving;          // it stops
    atomic_bool is_database_checked; // the schema has been seen to be ours
    atomic_bool is_ready;            // at the last readiness_update()
};

// One line for each part that is not ready; nothing = ready. Any thread; `readiness` is a struct readiness.
void readiness_write_unready(struct buffer *to, void *readiness);

// The main thread: looks, tells health, logs when it is another than before. Returns whether it is ready.
bool readiness_update(struct readiness *readiness);

// A metrics_source.
void readiness_write_metrics(struct metrics_writer *writer, void *readiness);

#endif
