// Versions begin at 1, so a new view has none.
#include "services/validator/gateway/route_file.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/app/watched_files.h"

static const char *path; // the main thread's; NULL = there is no table

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

static struct watched_files file = {
    .paths = {&path},
    .read = read,
    .read_again = "routes read again",
    .unusable = "routes can't be used; those that were read before stay in use",
};

enum status route_file_open(const char *the_path, char *ret_error, size_t error_size) {
    path = the_path && *the_path ? the_path : NULL;
    if (!path)
        return STATUS_OK;
    (void)watched_files_look(&file);
    return read(ret_error, error_size);
}

void route_file_close(void) {
    path = NULL;
    publish(NULL);
}

void route_file_reload(void) {
    watched_files_reload(&file);
}

void route_file_tick(void) {
    watched_files_tick(&file);
}

void route_file_write_metrics(struct metrics_writer *writer, void *context) {
    (void)context;
    watched_files_write_metrics(writer, "latchkey_routes_reload_total",
                                "Times that the file of routes was read again.", &file, 1);
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
