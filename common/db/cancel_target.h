// The connection's side of cancel.h: what the canceller thread needs to reach the statement that runs on it.
#ifndef LATCHKEY_COMMON_DB_CANCEL_TARGET_H
#define LATCHKEY_COMMON_DB_CANCEL_TARGET_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/cancel.h"

struct pg_conn;

// The helper thread exists while somebody uses it: each pool does. Without it db_cancel() only sets the mark.
MUST_CHECK enum status canceller_use(void);
void canceller_leave(void);

// NULL = out of memory.
struct db_cancel_target *cancel_target_new(struct pg_conn *pg);
void cancel_target_free(struct db_cancel_target *target); // takes NULL; never blocks

// From here db_cancel() reaches the target. False when the call is cancelled already: then they are not
// bound.
MUST_CHECK bool cancel_target_bind(struct db_cancel_target *target, struct db_cancellation *cancellation);

// From here it does not. False when a cancel is still on its way after two seconds: the connection can't be
// used any more.
MUST_CHECK bool cancel_target_unbind(struct db_cancel_target *target, struct db_cancellation *cancellation);

// Before a COMMIT of changes is sent. False when the call is cancelled already: then it must not be. No third
// way: either db_cancel() comes first, or it says that it is too late.
MUST_CHECK bool cancel_target_begin_commit(struct db_cancellation *cancellation);

#endif
