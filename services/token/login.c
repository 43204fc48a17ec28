#include "services/token/login.h"

#include "common/base/clock.h"

enum token_state login_get_state(const struct login *login, int64_t now_ms) {
    if (login->deactivated_at_ms != CLOCK_NEVER_MS)
        return TOKEN_STATE_DEACTIVATED;
    return login->expires_at_ms <= now_ms ? TOKEN_STATE_EXPIRED : TOKEN_STATE_ACTIVE;
}
