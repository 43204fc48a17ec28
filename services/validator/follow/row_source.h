// The rows that an image is made of, where they are in the database: for each kind one statement, run as
// COPY, so that a whole deployment and one changed token come the same way and in bounded memory.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_SOURCE_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_SOURCE_H

#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/copy.h"
#include "common/db/transaction.h"
#include "services/validator/follow/change_set.h"
#include "services/validator/image/lane_set.h"

enum row_kind {
    ROW_PERMISSION, // the catalogue: only as a whole
    ROW_COMPANY,
    ROW_WHITELIST, // by the company's id
    ROW_ENTRY,     // of live lists: as a whole, or all of one company
    ROW_ROLE,
    ROW_MEMBER, // with its roles
    ROW_TOKEN,  // a row for each secret
    ROW_KINDS,
};

#define ROW_COLUMNS_MAX 15
size_t row_kind_get_columns(enum row_kind kind);

// Which rows of a kind: zeroed but for the kind and the lanes, all of them.
struct row_selection {
    enum row_kind kind;
    struct lane_set lanes;  // of all rows of the kind those of companies in these lanes; not ROW_PERMISSION
    const struct uuid *ids; // these; not ROW_PERMISSION, not ROW_ENTRY
    size_t id_count;
    const struct uuid *company_id; // all that this one has of the kind; not ROW_PERMISSION, not ROW_COMPANY
    const struct changed_prefix *prefixes; // and ROW_ENTRY: of these, which are all of one list
    size_t prefix_count;
    // ROW_TOKEN: the part-th of so many parts, which are about equal, and all secrets of a token in one; 0
    // and 1 = all.
    unsigned part, part_count;
};

// Begins to read them. `sql` is room for the statement, which lives as long as the COPY.
struct row_statement {
    struct buffer sql;
    struct db_statement statement;
};
MUST_CHECK enum status row_source_open(struct row_statement *statement, struct db_transaction *transaction,
                                       const struct row_selection *selection, struct db_copy **ret_copy);
void row_statement_fini(struct row_statement *statement);

#endif
