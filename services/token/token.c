#include "services/token/token.h"

#include "common/base/clock.h"

enum token_state token_get_state(const struct token *token, int64_t now_ms) {
    if (token->deactivated_at_ms != CLOCK_NEVER_MS)
        return TOKEN_STATE_DEACTIVATED;
    if (token->is_suspended && token->suspended_until_ms > now_ms)
        return TOKEN_STATE_SUSPENDED;
    if (token->not_before_ms > now_ms)
        return TOKEN_STATE_NOT_YET_VALID;
    if (token->expires_at_ms <= now_ms)
        return TOKEN_STATE_EXPIRED;
    return TOKEN_STATE_ACTIVE;
}
