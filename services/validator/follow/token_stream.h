// Tokens from several transactions at once that see one snapshot: each is read by a thread of its own, which
// parses them into batches; one taker puts them where they belong.
//
//   batches   empty --a reader fills it--> full --take--> taken --the next take--> empty
//
// There are only so many of them, so a slow taker holds the readers back.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_TOKEN_STREAM_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_TOKEN_STREAM_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/fingerprint.h"
#include "common/db/transaction.h"
#include "services/validator/image/image_rows.h"
#include "services/validator/image/lane_set.h"

#define TOKEN_STREAM_READERS_MAX 16

struct token_stream;

struct token_stream_options {
    size_t reader_count;               // 1..TOKEN_STREAM_READERS_MAX: so many transactions will be added
    struct lane_set lanes;             // of companies of these
    const struct fingerprint_key *key; // borrows
    const atomic_bool *is_stopping;    // borrows; true ends it with CANCELLED
};

// Reads nothing yet.
MUST_CHECK enum status token_stream_new(const struct token_stream_options *options,
                                        struct token_stream **ret_stream);

// Begins to read the next part by this transaction, which is the stream's until that is freed. NO_MEMORY: no
// thread.
MUST_CHECK enum status token_stream_add(struct token_stream *stream, struct db_transaction *transaction);

// Once all have been added: the next rows, which are good until the next call. Waits for them; NULL at the
// end and after a failure.
const struct token_row *token_stream_take(struct token_stream *stream, size_t *ret_count);

// Ends what is still being read: connections may be broken then. OK: all has been taken. Takes NULL.
enum status token_stream_free(struct token_stream *stream);

#endif
