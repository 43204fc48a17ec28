// Which access tokens a list or a change of many is about, and the same in SQL.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_FILTER_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/uuid.h"
#include "common/db/params.h"
#include "common/db/statement.h"
#include "services/token/token.h"

// Filters that are set must all hold.
struct token_filter {
    enum token_state state; // ANY = all
    struct uuid member_id;  // zero = all
    struct bytes label_contains;
    const struct bytes *grants; // any one of them; none = all
    size_t grant_count;
    int64_t expires_before_ms; // CLOCK_NEVER_MS = all
    int64_t unused_since_ms;   // CLOCK_ALWAYS_MS = all
    struct bytes external_id;
};

bool token_filter_is_empty(const struct token_filter *filter);

// Whether tokens have to be looked at one by one to tell whether it names them.
bool token_filter_looks_at_each(const struct token_filter *filter);

// token_get_state() in SQL, in a form of which only the part for the state asked for is left in a plan, and
// with it the index that serves it.
#define TOKEN_IS_SUSPENDED "t.suspended AND coalesce(t.suspended_until > $2, true)"
#define TOKEN_STATE                                                                                     \
    "($11::smallint = 0 OR ($11 = 3 AND t.deactivated_at IS NOT NULL)"                                  \
    " OR ($11 = 2 AND t.deactivated_at IS NULL AND " TOKEN_IS_SUSPENDED ")"                             \
    " OR ($11 = 5 AND t.deactivated_at IS NULL AND NOT (" TOKEN_IS_SUSPENDED ") AND t.not_before > $2)" \
    " OR ($11 = 4 AND t.deactivated_at IS NULL AND NOT (" TOKEN_IS_SUSPENDED ")"                        \
    " AND coalesce(t.not_before <= $2, true) AND t.expires_at <= $2)"                                   \
    " OR ($11 = 1 AND t.deactivated_at IS NULL AND NOT (" TOKEN_IS_SUSPENDED ")"                        \
    " AND coalesce(t.not_before <= $2, true) AND coalesce(t.expires_at > $2, true)))"

// Conditions over latchkey.token t: $2 = now, $5 to $11 = token_filter_add_params(). The first are served by
// indexes; the others have to look at one token after the other.
#define TOKEN_FILTER_INDEXED                 \
    "($5::uuid IS NULL OR t.member_id = $5)" \
    " AND ($10 = '' OR t.external_id = $10) AND " TOKEN_STATE
#define TOKEN_FILTER_LOOKED_AT                                             \
    "($8::timestamptz IS NULL OR t.expires_at < $8)"                       \
    " AND ($6 = '' OR position(lower($6) IN lower(t.label)) > 0)"          \
    " AND ($7::text[] = '{}' OR t.permissions && $7)"                      \
    " AND ($9::timestamptz IS NULL OR (t.created_at < $9 AND NOT EXISTS (" \
    "SELECT FROM latchkey.token_use u WHERE u.token_id = t.token_id AND u.last_used_at >= $9)))"
#define TOKEN_FILTER TOKEN_FILTER_INDEXED " AND " TOKEN_FILTER_LOOKED_AT

// To run before a statement with TOKEN_FILTER, in the same transaction.
extern const struct db_statement token_plan_afresh_statement;

void token_filter_add_params(const struct token_filter *filter, struct db_params *params);

#endif
