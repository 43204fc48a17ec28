// One snapshot of the database that several transactions see, each on a connection of its own, so that what
// is large can be read in parts at once. Goes by the name that PostgreSQL gives it (pg_export_snapshot()).
#ifndef LATCHKEY_COMMON_DB_SHARED_SNAPSHOT_H
#define LATCHKEY_COMMON_DB_SHARED_SNAPSHOT_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/transaction.h"

#define DB_SNAPSHOT_NAME_MAX 63
#define DB_SNAPSHOT_CONTENT_MAX 1023

struct db_shared_snapshot {
    char name[DB_SNAPSHOT_NAME_MAX + 1];       // letters, digits and '-'
    char content[DB_SNAPSHOT_CONTENT_MAX + 1]; // of which start of which server, and what it sees
};

// Of a REPEATABLE READ transaction; others can join (db_begin_options.snapshot) until it ends. Fails as
// db_query() does; TOO_LARGE: so many transactions are under way that its content has no room.
MUST_CHECK enum status db_share_snapshot(struct db_transaction *transaction,
                                         struct db_shared_snapshot *ret_snapshot);

// Whether a transaction that was begun with the snapshot sees it indeed. False also where it can't be told:
// the transaction is of no use then.
MUST_CHECK bool db_sees_snapshot(struct db_transaction *transaction,
                                 const struct db_shared_snapshot *snapshot);

#endif
