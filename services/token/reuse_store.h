// Spent secrets in the database: those that were used, and those that need be known no longer.
#ifndef LATCHKEY_SERVICES_TOKEN_REUSE_STORE_H
#define LATCHKEY_SERVICES_TOKEN_REUSE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/app/due.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

// Numbers as latchkey.v1.ReuseAction.
enum reuse_action { REUSE_ACTION_AUDIT = 1, REUSE_ACTION_DEACTIVATE = 2 };

#define REUSE_BATCH_MAX 100

struct reuse {
    struct uuid token_id;
    const char *hint; // of the secret
    int64_t at_ms;    // the latest use
    const char *address;
    const char *asker; // as last_used_by; "" = unknown
};

struct reuse_batch {
    int action; // of the company
    struct reuse *reuses;
    size_t count;
};

// Companies with uses that nobody has been told of, and with secrets that have been spent for longer than
// `kept_ms` (due_read_list()).
MUST_CHECK enum status reuse_store_list_untold(const struct due_work *work, struct due_list *ret_list);
MUST_CHECK enum status reuse_store_list_spent(const struct due_work *work, int64_t kept_ms,
                                              struct due_list *ret_list);

// Takes a batch of the company's uses, which are told with the commit; others that do the same pass them
// over.
MUST_CHECK enum status reuse_store_take(struct app_call *call, struct reuse_batch *ret_batch);

// Forgets a batch of the company's spent secrets; `*ret_count` is how many went.
MUST_CHECK enum status reuse_store_forget(struct app_call *call, int64_t kept_ms, int64_t *ret_count);

#endif
