#include "common/app/database_metrics.h"

#include "common/db/pool.h"

void database_metrics_write(struct metrics_writer *writer, void *context) {
    struct db_pool_statistics pool = db_pool_get_statistics(context);
    const char *name = "latchkey_database_connections", *help = "Connections to the database, by state.";
    metrics_write_gauge(writer, name, help, "state=\"leased\"", pool.leased);
    metrics_write_gauge(writer, name, help, "state=\"idle\"", pool.idle);
    metrics_write_gauge(writer, name, help, "state=\"opening\"", pool.opening);
    metrics_write_counter(writer, "latchkey_database_leases_total", "Connections leased.", NULL, pool.leases);
    metrics_write_counter(writer, "latchkey_database_lease_waits_total", "Leases that had to wait.", NULL,
                          pool.waits);
    metrics_write_counter(writer, "latchkey_database_leases_exhausted_total", "Leases that waited in vain.",
                          NULL, pool.exhausted);
    metrics_write_counter(writer, "latchkey_database_connections_failed_total",
                          "Attempts to connect that failed.", NULL, pool.failed);
    metrics_write_counter(writer, "latchkey_database_connections_retired_total",
                          "Connections closed as broken.", NULL, pool.retired);
}
