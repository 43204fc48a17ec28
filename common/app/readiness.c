#include "common/app/readiness.h"

#include "common/base/log.h"

// The pool knows of failures only once it has tried; before, what counts is that the schema has been seen.
static void write_database_unready(const struct readiness *readiness, struct buffer *to) {
    struct db_connect_failure failure = db_pool_get_failure(readiness->database);
    if (failure.kind != DB_CONNECT_NONE)
        buffer_append_format(to, "database: %s\n", failure.sentence);
    else if (!atomic_load_explicit(&readiness->is_database_checked, memory_order_relaxed))
        buffer_append_text(to, "database: not reached yet\n");
    else if (database_probe_is_silent(readiness->probe))
        buffer_append_text(to, "database: no answer\n");
}

void readiness_write_unready(struct buffer *to, void *context) {
    const struct readiness *readiness = context;
    if (atomic_load_explicit(&readiness->is_leaving, memory_order_relaxed))
        buffer_append_text(to, "server: stopping\n");
    if (readiness->database)
        write_database_unready(readiness, to);
    for (size_t i = 0; i < readiness->program->service_count; i++)
        if (readiness->program->services[i]->write_unready)
            readiness->program->services[i]->write_unready(to);
}

static void log_change(bool is_ready, struct buffer *unready) {
    if (unready->len > 0)
        unready->data[unready->len - 1] = '\0'; // in place of the last line's end
    log_event(is_ready ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, is_ready ? "ready" : "not ready",
              LOG_TEXT("reason", unready->len > 0 ? (const char *)unready->data : ""));
}

bool readiness_update(struct readiness *readiness) {
    struct buffer unready = {0};
    readiness_write_unready(&unready, readiness);
    bool is_ready = unready.len == 0 && !unready.failed;
    bool was_ready = atomic_exchange_explicit(&readiness->is_ready, is_ready, memory_order_relaxed);
    grpc_health_set_all(readiness->health, is_ready ? GRPC_HEALTH_SERVING : GRPC_HEALTH_NOT_SERVING);
    if (is_ready != was_ready)
        log_change(is_ready, &unready);
    buffer_fini(&unready);
    return is_ready;
}

void readiness_write_metrics(struct metrics_writer *writer, void *context) {
    const struct readiness *readiness = context;
    bool is_ready = atomic_load_explicit(&readiness->is_ready, memory_order_relaxed);
    metrics_write_gauge(writer, "latchkey_ready", "1 while every part is ready, as /readyz says.", NULL,
                        is_ready);
}
