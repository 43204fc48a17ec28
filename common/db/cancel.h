// Cancelling a statement from another thread. PQcancel() blocks (it opens a connection of its own), so one
// helper thread sends them, one after the other, from a queue.
//
// A call embeds one db_cancellation. While a transaction of the call is open (transaction.h) the two are
// bound; then db_cancel() reaches the running statement. It is sticky: every later statement of the call
// answers CANCELLED without being sent, a transaction can't be committed any more, but a COMMIT that was
// already sent is left alone.
//
// Why a cancel can't hit the next statement of the same connection: unbinding takes a cancel that still waits
// out of the queue, and waits for one that is being sent. PQcancel() returns after the server has signalled
// the backend, and a signal that finds the backend idle does nothing. When the sending takes longer than two
// seconds (a dead network) the connection is closed instead of being used again.
#ifndef LATCHKEY_COMMON_DB_CANCEL_H
#define LATCHKEY_COMMON_DB_CANCEL_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

struct db_cancel_target;

// Embedded by the call; zeroed memory is one that nobody has cancelled. Fields are cancel.c's, under its
// lock.
struct db_cancellation {
    struct db_cancel_target *target; // NULL = no statement can be running
    bool is_cancelled;
    bool is_committing; // a COMMIT of changes is sent, or was
};

// Any thread, while the call exists; never blocks. A second one does nothing. False when it comes too late: a
// COMMIT that it can't reach has been sent, so that nobody may say that nothing was changed.
bool db_cancel(struct db_cancellation *cancellation);

bool db_is_cancelled(const struct db_cancellation *cancellation);

#endif
