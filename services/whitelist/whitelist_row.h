// Rows of the whitelist's tables into what the service works with, and the parameters that its statements
// begin with. For whitelist_*store.c.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_ROW_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_ROW_H

#include <stdbool.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"

// The list that a statement is about. $1 = company, $2 = the draft, NULL = the live list. NULL if there is no
// such draft. why the sub-select: it is worked out once, and what it is compared with keeps its index.
#define WHITELIST_TARGET "(SELECT latchkey.whitelist_target($1, $2))"

// An entry that lets somebody in. $3 = now.
#define WHITELIST_IS_LIVE "NOT e.disabled AND coalesce(e.expires_at > $3, true)"

// For the rest of the transaction. why: a plan is kept for the life of a connection, also where it was made
// while a list was empty and any index would do; lists grow to a million between two calls. And compiling a
// plan takes longer than running it.
#define WHITELIST_PLAN_AFRESH \
    "set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"

// A number that stands in the text of a statement.
#define WHITELIST_TEXT_OF(number) #number
#define WHITELIST_TEXT(number) WHITELIST_TEXT_OF(number)

// Behind `WITH gone AS (DELETE ... RETURNING entry_id, list_id)`: an entry that is in no list any more takes
// its last hit with it. In one order, so that whoever records hits at the same time and this never wait for
// each other.
#define WHITELIST_FORGET_GONE                                                                   \
    ", forgotten AS (DELETE FROM latchkey.whitelist_entry_use u WHERE u.entry_id = ANY (ARRAY(" \
    "SELECT known.entry_id FROM gone JOIN latchkey.whitelist_entry_use known USING (entry_id)"  \
    " WHERE NOT EXISTS (SELECT FROM latchkey.whitelist_list l JOIN latchkey.whitelist_entry e"  \
    " ON e.list_id = l.list_id AND e.entry_id = gone.entry_id"                                  \
    " WHERE l.company_id = $1 AND l.list_id <> gone.list_id)"                                   \
    " ORDER BY known.entry_id FOR UPDATE OF known)))"

// The columns of an entry `e`, as whitelist_row_read_entry() reads them; behind them may stand others.
#define WHITELIST_ENTRY_COLUMNS(last_hit_at)                                                                             \
    "e.entry_id, e.address, e.cidr, e.note, e.owner, e.disabled, e.expires_at, e.created_at, e.created_by, " last_hit_at \
    ", e.version"
enum { WHITELIST_ENTRY_COLUMN_COUNT = 11 };

// In the arena; false when out of memory.
MUST_CHECK bool whitelist_row_read_entry(const struct db_result *rows, int row, struct arena *arena,
                                         struct whitelist_entry *ret_entry);

// The whitelist `w` with the count of the list `l`.
#define WHITELIST_COLUMNS \
    "w.company_id, w.enabled, w.scope, l.entry_count, w.confirm_by, w.version, w.previous_enabled"

// NOT_FOUND (DRAFT_NOT_FOUND) where there is no row and `draft_id` is one.
MUST_CHECK enum status whitelist_row_read(struct app_call *call, const struct db_result *rows,
                                          struct uuid draft_id, struct whitelist *ret_whitelist);

// NOT_FOUND (DRAFT_NOT_FOUND) in the fault, which it returns.
MUST_CHECK enum status whitelist_row_refuse_draft(struct app_call *call, struct uuid draft_id);

// $1 and $2 of WHITELIST_TARGET.
void whitelist_row_init_params(struct db_params *params, const struct app_call *call, struct uuid draft_id);

#endif
