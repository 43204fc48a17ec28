// Drafts in the database, and the pointer that puts one in the live list's place. Every function is one round
// trip within the call's transaction, as in whitelist_store.h.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_DRAFT_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_DRAFT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"
#include "services/whitelist/whitelist_store.h"

// All drafts, newest first, with the settings of the live list.
struct whitelist_drafts {
    struct whitelist whitelist;
    struct whitelist_draft *drafts;
    size_t count;
};
MUST_CHECK enum status whitelist_store_list_drafts(struct app_call *call,
                                                   struct whitelist_drafts *ret_drafts);

// The same, before one is begun: the company begins no other until the call has ended, so that what is
// counted is still so then. `ret_unswept`: its replaced and discarded lists that are not gone yet. ABORTED
// (DRAFT_BEING_BEGUN) where one is being begun already.
MUST_CHECK enum status whitelist_store_lock_drafts(struct app_call *call, struct whitelist_drafts *ret_drafts,
                                                   int64_t *ret_unswept);

struct whitelist_beginning {
    struct uuid draft_id;
    const char *created_by;
    bool is_empty; // else a copy of the live list, entry ids and all
};
// After whitelist_store_lock_drafts(). Locks nothing else that others wait for, however long the copy takes.
MUST_CHECK enum status whitelist_store_begin_draft(struct app_call *call,
                                                   const struct whitelist_beginning *beginning,
                                                   struct whitelist_draft *ret_draft);

// NOT_FOUND (DRAFT_NOT_FOUND).
MUST_CHECK enum status whitelist_store_get_draft(struct app_call *call, struct uuid draft_id,
                                                 struct whitelist_draft *ret_draft);

// False: there is no such draft.
MUST_CHECK enum status whitelist_store_discard_draft(struct app_call *call, struct uuid draft_id,
                                                     bool *ret_was_there);

// A draft and the live list, both locked. NOT_FOUND (DRAFT_NOT_FOUND).
struct whitelist_candidate {
    struct whitelist_draft draft;
    struct whitelist_standing live, published; // as it is, and as it would be
};
MUST_CHECK enum status whitelist_store_lock_draft(struct app_call *call, struct uuid draft_id,
                                                  struct whitelist_candidate *ret_candidate);

// After it. `confirm_by_ms` CLOCK_NEVER_MS: the list before is replaced for good.
MUST_CHECK enum status whitelist_store_publish(struct app_call *call, struct uuid draft_id,
                                               int64_t confirm_by_ms, struct whitelist *ret_whitelist);

// After whitelist_store_lock(): the list or the settings that wait stay.
MUST_CHECK enum status whitelist_store_confirm(struct app_call *call, struct whitelist *ret_whitelist);

// Locks, and puts what was before back if the time to confirm is over. False: it is not, or was confirmed.
struct whitelist_reversal {
    bool is_done;
    struct whitelist before, after;
};
MUST_CHECK enum status whitelist_store_revert(struct app_call *call, struct whitelist_reversal *ret_reversal);

#endif
