// COPY (SELECT ...) TO STDOUT (FORMAT binary), row by row at the speed of the wire and in bounded memory: the
// way to load a snapshot.
#ifndef LATCHKEY_COMMON_DB_COPY_H
#define LATCHKEY_COMMON_DB_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/transaction.h"

struct db_copy;

// `statement` is the whole COPY command (it can't have parameters); each of its rows has `columns` fields.
// Until db_copy_finish() the transaction takes no other statement.
MUST_CHECK enum status db_copy_begin(struct db_transaction *transaction, const struct db_statement *statement,
                                     size_t columns, struct db_copy **ret_copy);

// Fills `ret_fields[0..columns-1]`; they are valid until the next call; a NULL has data NULL. `*ret_has_row`
// false: the end has been reached and checked. MALFORMED: the stream is not what PostgreSQL sends, or another
// number of columns.
MUST_CHECK enum status db_copy_next(struct db_copy *copy, struct bytes *ret_fields, bool *ret_has_row);

// Frees it. After the end the transaction goes on; given up before, the connection is broken. Takes NULL.
void db_copy_finish(struct db_copy *copy);

#endif
