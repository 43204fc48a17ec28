// The settings of a whitelist in the database, and what its lists say to the caller. Every function is one
// round trip within the call's transaction, and copies what it returns to the arena. A failure of the
// database itself leaves the fault filled.
//
// Who changes a list holds a row locked from the beginning (of the live list its whitelist, of a draft the
// draft), so that changes of one list take turns: two that are harmless alone can't lock somebody out
// together. What locks for a caller is ABORTED without a fault where the caller is not what it was before it
// waited (caller_check_again()).
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"
#include "services/whitelist/whitelist_guard.h"

// A list's settings and what it says to the caller's address; a draft's as if it were the live one.
struct whitelist_standing {
    struct whitelist whitelist; // entry_count is that of the list
    struct whitelist_outcome outcome;
};

// Locks the live list.
MUST_CHECK enum status whitelist_store_lock(struct app_call *call, struct whitelist_standing *ret_standing);

struct whitelist_settings {
    bool is_enabled;
    enum whitelist_scope scope;
    int64_t confirm_by_ms; // those before come back then; CLOCK_NEVER_MS = they are gone
};
// After whitelist_store_lock(). With a time only where nothing waits (whitelist_check_settled()); switching
// off ends the waiting of other settings, not that of a list.
MUST_CHECK enum status whitelist_store_update(struct app_call *call,
                                              const struct whitelist_settings *settings,
                                              struct whitelist *ret_whitelist);

// For the other stores, as parts of their round trips. All live in the call's arena; a draft_id of zero is
// the live list. STANDING is of the list without `removed`; read it with whitelist_store_read_standing().
struct whitelist_list_query {
    struct db_params target, standing;
};
void whitelist_store_init_query(struct whitelist_list_query *query, struct app_call *call,
                                struct uuid draft_id, const struct uuid *removed, size_t removed_count);
struct db_command whitelist_store_lock_command(const struct whitelist_list_query *query,
                                               struct uuid draft_id);
// First of what looks at entries without a lock (WHITELIST_PLAN_AFRESH).
struct db_command whitelist_store_plan_command(void);
struct db_command whitelist_store_read_command(const struct whitelist_list_query *query);
struct db_command whitelist_store_standing_command(const struct whitelist_list_query *query);

// From the answers to the two.
MUST_CHECK enum status whitelist_store_read_standing(struct app_call *call, struct uuid draft_id,
                                                     const struct db_command *read,
                                                     const struct db_command *standing,
                                                     struct whitelist_standing *ret_standing);

#endif
