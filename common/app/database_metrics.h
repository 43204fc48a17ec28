// The pool of database connections, for Prometheus.
#ifndef LATCHKEY_COMMON_APP_DATABASE_METRICS_H
#define LATCHKEY_COMMON_APP_DATABASE_METRICS_H

#include "common/app/metrics.h"

// A metrics_source with a `struct db_pool *` as context.
void database_metrics_write(struct metrics_writer *writer, void *pool);

#endif
