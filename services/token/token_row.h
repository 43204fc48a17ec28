// Access tokens as rows of the database: what every statement that reads them selects, and how a row becomes
// a token. For the stores of this service.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_ROW_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_ROW_H

#include <stdbool.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/token/token.h"
#include "services/token/token_mint.h"
#include "services/token/token_rules.h"

// Columns of latchkey.token t and what is joined to it below. $1 = company, $2 = now.
#define TOKEN_COLUMNS                                                                                       \
    "t.token_id, t.company_id, t.member_id, t.external_id, t.label, t.description, t.channels,"             \
    " ARRAY(SELECT key FROM jsonb_each_text(t.metadata) ORDER BY key),"                                     \
    " ARRAY(SELECT value FROM jsonb_each_text(t.metadata) ORDER BY key),"                                   \
    " t.permissions, t.allowed_domains, t.allowed_ips, t.not_before, t.expires_at, t.suspended,"            \
    " t.suspended_until, t.deactivated_at, t.deactivate_reason, t.deactivate_note, t.created_at,"           \
    " t.created_by, t.version, secret.hints, secret.created, secret.ends, secret.used_at, secret.used_ips," \
    " used.last_used_at, coalesce(host(used.last_used_ip), ''), coalesce(used.last_used_by, '')"

#define TOKEN_SECRETS_AND_USE                                                                             \
    " CROSS JOIN LATERAL ("                                                                               \
    "SELECT coalesce(array_agg(s.hint ORDER BY s.created_at DESC), '{}') AS hints,"                       \
    " array_agg(s.created_at ORDER BY s.created_at DESC) AS created,"                                     \
    " array_agg(s.expires_at ORDER BY s.created_at DESC) AS ends,"                                        \
    " array_agg(u.last_used_at ORDER BY s.created_at DESC) AS used_at,"                                   \
    " array_agg(coalesce(host(u.last_used_ip), '') ORDER BY s.created_at DESC) AS used_ips"               \
    " FROM latchkey.token_secret s LEFT JOIN latchkey.token_use u ON u.digest = s.digest"                 \
    " WHERE s.token_id = t.token_id AND coalesce(s.expires_at > $2, true)) AS secret"                     \
    " LEFT JOIN LATERAL (SELECT u.last_used_at, u.last_used_ip, u.last_used_by FROM latchkey.token_use u" \
    " WHERE u.token_id = t.token_id ORDER BY u.last_used_at DESC LIMIT 1) AS used ON true"

// How many columns TOKEN_COLUMNS are: the number of the first one behind them.
#define TOKEN_COLUMN_COUNT 30

// Reads one access token: $1 = company, $2 = now, $3 = token.
extern const struct db_statement token_find_statement;

// $1 and $2 of most statements.
void token_params_init(struct db_params *params, const struct app_call *call);
// The parameters of token_find_statement, and the first three of those that change one token.
void token_params_init_find(struct db_params *params, const struct app_call *call, struct uuid token_id);

// Metadata as two arrays, keys and values. False when out of memory.
MUST_CHECK bool token_params_add_metadata(struct db_params *params, const struct token_draft *draft,
                                          struct arena *arena);

// Gives a token another secret.
extern const struct db_statement token_insert_secret_statement;
void token_params_init_secret(struct db_params *params, const struct app_call *call, struct uuid token_id,
                              const struct token_minted *minted);

// The first `count` rows of a statement that begins with TOKEN_COLUMNS, copied to the arena. NO_MEMORY.
MUST_CHECK enum status token_row_read_list(struct app_call *call, const struct db_result *rows, size_t count,
                                           struct token **ret_tokens);

// The answer of token_find_statement. NOT_FOUND (TOKEN_NOT_FOUND) if it is empty.
MUST_CHECK enum status token_row_read_found(struct app_call *call, const struct db_result *rows,
                                            struct uuid token_id, struct token **ret_token);

#endif
