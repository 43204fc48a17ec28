// Writes uses to the database, over a connection of its own: when each secret was used last, and which
// entries of whitelists let somebody in. One thread.
#ifndef LATCHKEY_COMMON_APP_USE_STORE_H
#define LATCHKEY_COMMON_APP_USE_STORE_H

#include <stdint.h>

#include "common/app/use_table.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"

// A hit is told once in a minute for each pair of secret and address; what collides is told again.
#define USE_RECENT_HITS 16384

// Embedded by its owner; zeroed but for the first three.
struct use_store {
    struct db_connection_options options; // texts are borrowed
    const struct clock *clock;
    const char *server; // what USE_BY_SERVER stands for

    struct db_connection *connection; // NULL = none now
    uint64_t recent_hits[USE_RECENT_HITS];
};

void use_store_fini(struct use_store *store);

// All of the table, in batches that are committed one by one. To write a use once more does no harm: the
// latest one counts.
MUST_CHECK enum status use_store_write(struct use_store *store, const struct use_table *table,
                                       uint64_t deadline_ns);

#endif
