// Rows of the database (row_source.h) into an image: for each kind one function turns a row into what the
// image takes.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_READER_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "services/validator/follow/change_set.h"
#include "services/validator/follow/row_source.h"
#include "services/validator/follow/snapshot_progress.h"
#include "services/validator/image/image.h"

// Embedded; one thread.
struct row_reader {
    struct image *image;                // borrows
    struct reclaim *reclaim;            // borrows: the image's; run now and then while many rows come
    const atomic_bool *is_stopping;     // borrows; true ends a reading with CANCELLED
    struct snapshot_progress *progress; // borrows; each row is added; NULL = nobody watches
    bool has_fingerprints; // rows are an image's (row_writer.h): tokens come without their digests
    unsigned rows_since_reclaim;
    struct arena arena; // of one row, or of all that are kept to the end of a reading
    struct row_statement statement;
    struct uuid entries_of;    // whose entries are being gathered; zero = nobody's
    struct buffer entries;     // struct ip_set_entry, of that company
    struct buffer prefixes;    // struct ip_prefix: only what stands under these is read; empty = all
    struct buffer definitions; // struct permission_definition
};

void row_reader_init(struct row_reader *reader, struct image *image, struct reclaim *reclaim,
                     const atomic_bool *is_stopping);
void row_reader_fini(struct row_reader *reader);

// Everything of the kind that the image takes.
MUST_CHECK enum status row_reader_read_all(struct row_reader *reader, struct db_transaction *transaction,
                                           enum row_kind kind);

// The rows with these ids, at most ROW_READER_IDS_MAX.
#define ROW_READER_IDS_MAX 1000
MUST_CHECK enum status row_reader_read_ids(struct row_reader *reader, struct db_transaction *transaction,
                                           enum row_kind kind, const struct uuid *ids, size_t count);

// All that the company has of the kind. With ROW_ENTRY also a company without an entry gets its (empty) list.
MUST_CHECK enum status row_reader_read_company(struct row_reader *reader, struct db_transaction *transaction,
                                               enum row_kind kind, const struct uuid *company_id);

// Rows that come from elsewhere, one by one; of a kind with others between only where that is not
// ROW_PERMISSION. The catalogue and the last company's entries are put by finish().
MUST_CHECK enum status row_reader_put(struct row_reader *reader, enum row_kind kind, const struct bytes *row);
MUST_CHECK enum status row_reader_put_tokens(struct row_reader *reader, const struct token_row *rows,
                                             size_t count);
MUST_CHECK enum status row_reader_finish(struct row_reader *reader, enum row_kind kind);

// The company's entries under these prefixes of its live list, at most ROW_READER_PREFIXES_MAX: the rest
// stays as it is.
#define ROW_READER_PREFIXES_MAX 50000
MUST_CHECK enum status row_reader_read_prefixes(struct row_reader *reader, struct db_transaction *transaction,
                                                const struct uuid *company_id,
                                                const struct changed_prefix *prefixes, size_t count);

#endif
