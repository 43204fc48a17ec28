// Another validator as what is followed (--upstream): its feed (WatchChanges) in place of the database's log
// and rows, and a part of its lease in place of a row of our own (docs/model/feed.pml).
//
// The lease counts from before a nonce was sent, for as long as the answer says, once everything that came
// before the answer has been applied. A nonce goes out at each poll and after each run of changes, with the
// positions applied, which is what confirms a revocation.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_RPC_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_UPSTREAM_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc_client/client.h"

struct upstream;

struct upstream_options {
    const char *target;                // of client_targets.h
    const char *token_file;            // read at each connection; NULL = by certificate
    const struct grpc_client_tls *tls; // NULL = plaintext
    bool allow_plaintext;
    const struct clock *clock;
};

// Borrows what the options point to. INVALID with a sentence in `ret_error`.
MUST_CHECK enum status upstream_new(const struct upstream_options *options, struct upstream **ret_upstream,
                                    char *ret_error, size_t error_size);
void upstream_free(struct upstream *upstream); // takes NULL

#endif
