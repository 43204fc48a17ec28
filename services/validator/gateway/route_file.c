// A file's stamp is taken before it is read: if it changes in between, the next look sees that. Versions
// begin at 1, so a new view has none.
#include "services/validator/gateway/route_file.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/file_stamp.h"
#include "common/base/log.h"

enum { ERROR_MAX = 1024 };

// The main thread's.
static const char *path; // NULL = there is no table
static struct file_stamp stamp;

// Relaxed: written by the main thread, read by the admin port.
static _Atomic uint64_t reloads, failures;

static struct {
    pthread_mutex_t mutex;
    struct route_table *table; // under `mutex`
    _Atomic uint64_t version;  // moved on under `mutex`, with the table
} in_use = {.mutex = PTHREAD_MUTEX_INITIALIZER, .version = 1};

static void publish(struct route_table *table) {
    pthread_mutex_lock(&in_use.mutex);
    struct route_table *before = in_use.table;
    in_use.table = table;
    // release: pairs with the acquire in route_view_get().
    atomic_fetch_add_explicit(&in_use.version, 1, memory_order_release);
    pthread_mutex_unlock(&in_use.mutex);
    route_table_release(before);
}

static enum status read(char *ret_error, size_t error_size) {
    struct route_table *table;
    enum status status = route_table_read(path, &table, ret_error, error_size);
    if (status == STATUS_OK)
        publish(table);
    return status;
}

enum status route_file_open(const char *the_path, char *ret_error, size_t error_size) {
    path = the_path && *the_path ? the_path : NULL;
    if (!path)
        return STATUS_OK;
    stamp = file_stamp_of(path);
    return read(ret_error, error_size);
}

void route_file_close(void) {
    path = NULL;
    publish(NULL);
}

void route_file_reload(void) {
    char error[ERROR_MAX];
    if (!path)
        return;
    stamp = file_stamp_of(path);
    if (read(error, sizeof(error)) == STATUS_OK) {
        atomic_fetch_add_explicit(&reloads, 1, memory_order_relaxed);
        log_event(LOG_LEVEL_INFO, "routes read again", LOG_TEXT("file", path));
        return;
    }
    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    log_event(LOG_LEVEL_ERROR, "routes can't be used; those that were read before stay in use",
              LOG_TEXT("reason", error));
}

void route_file_tick(void) {
    if (!path)
        return;
    struct file_stamp now = file_stamp_of(path);
    if (!file_stamp_is_equal(&now, &stamp))
        route_file_reload();
}

void route_file_write_metrics(struct metrics_writer *writer, void *context) {
    static const char help[] = "Times that the file of routes was read again.";
    (void)context;
    metrics_write_counter(writer, "latchkey_routes_reload_total", help, "result=\"ok\"",
                          atomic_load_explicit(&reloads, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_routes_reload_total", help, "result=\"failed\"",
                          atomic_load_explicit(&failures, memory_order_relaxed));
}

// ---- readers ----

static void take(struct route_view *view) {
    pthread_mutex_lock(&in_use.mutex);
    struct route_table *before = view->table;
    view->table = route_table_hold(in_use.table);
    view->version = atomic_load_explicit(&in_use.version, memory_order_relaxed);
    pthread_mutex_unlock(&in_use.mutex);
    route_table_release(before);
}

const struct route_table *route_view_get(struct route_view *view) {
    if (view->version != atomic_load_explicit(&in_use.version, memory_order_acquire))
        take(view);
    return view->table;
}

void route_view_release(struct route_view *view) {
    route_table_release(view->table);
    *view = (struct route_view){0};
}
