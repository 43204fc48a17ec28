// The route table in use (route_table.h), as a file says it: read at the start, and again when the file has
// changed or when told to. A file that can't be used changes nothing: the table in use stays, the log says
// why, once, and it is counted. Of the process.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_FILE_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/gateway/route_table.h"

// What one thread holds; zeroed memory holds nothing yet.
struct route_view {
    struct route_table *table;
    uint64_t version; // of the table in use when it was taken
};

// The main thread. `path` NULL or "": there is no table. INVALID or NO_MEMORY, and a sentence. Borrows.
MUST_CHECK enum status route_file_open(const char *path, char *ret_error, size_t error_size);
void route_file_close(void);

// The main thread: reads again if the file has changed; or anyhow.
void route_file_tick(void);
void route_file_reload(void);

// A metrics source. Any thread.
void route_file_write_metrics(struct metrics_writer *writer, void *context);

// The table in use, or NULL where there is none: good until the thread asks again, or releases. Costs a load
// unless the table is new.
const struct route_table *route_view_get(struct route_view *view);
void route_view_release(struct route_view *view);

#endif
