// What the jobs of the whitelist ask and do: across companies, by functions that may look (0016), what is to
// be done, each one round trip and transaction of its own; and within a system call, for one company, the
// removal of a replaced list's entries.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_SWEEP_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_SWEEP_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/app/due.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

// At most so many at once (due_read_list()).
#define WHITELIST_DUE_MAX 100

// Companies whose published list nobody confirmed in time.
MUST_CHECK enum status whitelist_store_list_overdue(const struct due_work *work, struct due_list *ret_list);
// Drafts that nobody has touched for `lifetime_ms`, one a batch.
MUST_CHECK enum status whitelist_store_list_forsaken(const struct due_work *work, int64_t lifetime_ms,
                                                     struct due_list *ret_list);
// Lists that are to be removed, one a batch.
MUST_CHECK enum status whitelist_store_list_replaced(const struct due_work *work, struct due_list *ret_list);

// Removes a batch of a replaced list's entries, those after `*after`, which moves on; when none is left, the
// list itself. Leaves a list alone that another process sweeps just now.
#define WHITELIST_SWEEP_ROWS 5000
MUST_CHECK enum status whitelist_store_sweep(struct app_call *call, struct uuid list_id, struct uuid *after,
                                             size_t *ret_removed);

#endif
