// The last use of every token, on its way to the database. Each loop notes uses in a table of its own; every
// few seconds, or when the table fills, it hands that over to one thread, which writes it and gives it back
// empty:
//
//            noted by the loop         written by the thread
//   ACTIVE --hand_over()--> FULL --use_store_write()--> SPARE --hand_over()--> ACTIVE
//
// While the database is away a full table waits, the active one fills, and what finds no room in it is
// dropped and counted. An orderly stop loses nothing.
#ifndef LATCHKEY_COMMON_APP_USE_LOG_H
#define LATCHKEY_COMMON_APP_USE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/app/use_table.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/net/loop.h"

struct use_log;
struct use_loop; // what one loop notes in

struct use_log_options {
    struct loop_group *loops; // borrows
    struct db_connection_options connection;
    const struct clock *clock;
    bool is_kept;              // else uses are forgotten: there is no database
    const char *server;        // its name as who asked about the uses of management calls
    int64_t flush_interval_ms; // so old is a use at most when it is written
    size_t capacity;           // uses that one loop holds between two hand-overs
};

// Before the loops start; begins the thread.
MUST_CHECK enum status use_log_new(const struct use_log_options *options, struct use_log **ret_log);

// After the loops have ended: writes what is left, for as long as a few seconds. Takes NULL.
void use_log_free(struct use_log *log);

// By the loop's index.
struct use_loop *use_log_get_loop(struct use_log *log, size_t index);

// On the loop's thread: no allocation, no clock, and a lock only once for a table that fills.
void use_log_note(struct use_loop *mine, const struct use *use);

// Asks the memory for what noting this one would read.
void use_log_prefetch(const struct use_loop *mine, const struct use *use);

// The number of an asker, as use_table_get_by(); good for the next use_log_note() only.
uint16_t use_log_get_by(struct use_loop *mine, struct uuid token_id);

// A metrics_source.
void use_log_write_metrics(struct metrics_writer *writer, void *log);

#endif
