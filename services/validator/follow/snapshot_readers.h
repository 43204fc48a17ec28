// Further connections that see what a transaction sees, to read it in parts at once.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_READERS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_READERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/db/shared_snapshot.h"
#include "common/db/transaction.h"
#include "services/validator/follow/token_stream.h"

#define SNAPSHOT_READERS_MAX (TOKEN_STREAM_READERS_MAX - 1)

struct snapshot_reader {
    struct arena arena;
    struct db_connection *connection;
    struct db_transaction *transaction;
};

// Zeroed memory has none.
struct snapshot_readers {
    struct db_shared_snapshot snapshot; // while they live
    struct snapshot_reader readers[SNAPSHOT_READERS_MAX];
    size_t count;
};

// At most `wanted` of them: where one can't be had, a line of the log says so, and there are fewer. Fails as
// db_query() does where the transaction, which is at its beginning, can't share its snapshot; it is of no
// further use then. `database` is borrowed.
MUST_CHECK enum status snapshot_readers_init(struct snapshot_readers *readers, size_t wanted,
                                             struct db_transaction *transaction,
                                             const struct db_connection_options *database,
                                             uint64_t deadline_ns);
void snapshot_readers_fini(struct snapshot_readers *readers);

#endif
