// A bounded pool of connections to the database. One opener thread makes the connections, one after the
// other, so that a restart of PostgreSQL is never answered with a storm; who leases only waits, up to its
// deadline. While the database is known to be down leases fail at once, and the opener tries again after 0.1
// s, then twice as long each time up to 5 s, with jitter.
//
// A connection's state is the list it is on:
//
//            wanted            opened                leased
//   ABSENT ---------> OPENING --------> IDLE ------------------> LEASED
//     ^                 | failed         | found dead           |  |
//     |<----------------+<---------------+<-------broken--------+  |
//                                        ^---------returned---------+
//
// Any thread may lease; a leased connection belongs to the thread that leased it.
#ifndef LATCHKEY_COMMON_DB_POOL_H
#define LATCHKEY_COMMON_DB_POOL_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/db/connection.h"

struct db_pool;

struct db_pool_options {
    struct db_connection_options connection; // texts are copied
    unsigned size;                           // connections at most, 1..1000
};

struct db_pool_statistics {
    unsigned size, idle, leased, opening;
    unsigned waiting;        // threads in db_pool_lease() now
    uint64_t leases;         // since the start; as all below
    uint64_t waits;          // leases that did not find an idle connection at once
    uint64_t wait_ns;        // how long they waited together
    uint64_t exhausted;      // leases that ran into their deadline
    uint64_t opened, failed; // connections; attempts
    uint64_t retired;        // connections closed because they were broken or dead
};

// Starts the opener and the canceller thread; opens nothing until the first lease.
MUST_CHECK enum status db_pool_new(const struct db_pool_options *options, struct db_pool **ret_pool);

// Every connection must have been returned. May block for as long as an attempt to connect takes to notice.
// Takes NULL.
void db_pool_free(struct db_pool *pool);

// UNAVAILABLE: the database is down (reason DATABASE_UNAVAILABLE) or every connection stayed leased until the
// deadline (DATABASE_BUSY), with a time after which to try again; NO_MEMORY. `fault` may be NULL.
MUST_CHECK enum status db_pool_lease(struct db_pool *pool, uint64_t deadline_ns, struct fault *fault,
                                     struct db_connection **ret_connection);

// Gives it back, whatever its state: an open transaction is rolled back, a broken connection closed. Takes
// NULL.
void db_pool_return(struct db_pool *pool, struct db_connection *connection);

// Why the last attempt to open a connection failed; kind DB_CONNECT_NONE if it did not. For /readyz and logs.
struct db_connect_failure db_pool_get_failure(struct db_pool *pool);

struct db_pool_statistics db_pool_get_statistics(struct db_pool *pool);

#endif
