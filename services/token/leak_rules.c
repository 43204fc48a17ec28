#include "services/token/leak_rules.h"

#include <assert.h>

#include "common/base/compiler.h"

static enum leak_outcome tell(const struct leaked_token *token, int64_t now_ms) {
    return token->reported_at_ms > now_ms - LEAK_TOLD_AGAIN_MS ? LEAK_IGNORED : LEAK_TOLD;
}

enum leak_outcome leak_decide(const struct leaked_token *token, int64_t now_ms) {
    if (token->is_ended)
        return LEAK_IGNORED;
    // Whoever has the secret can do nothing with it: that is no reason to stop whoever has the new one.
    if (token->is_secret_spent)
        return tell(token, now_ms);
    switch (token->action) {
    case LEAK_ACTION_NOTIFY: return tell(token, now_ms);
    case LEAK_ACTION_SUSPEND:
        // A log-in is made anew in a moment, so it is not kept waiting.
        if (token->kind == TOKEN_KIND_LOGIN)
            return LEAK_DEACTIVATED;
        return token->is_suspended ? tell(token, now_ms) : LEAK_SUSPENDED;
    default: return LEAK_DEACTIVATED;
    }
}

const char *leak_outcome_get_word(enum leak_outcome outcome) {
    static const char *const words[] = {
        [LEAK_IGNORED] = "ignored",
        [LEAK_TOLD] = "told",
        [LEAK_SUSPENDED] = "suspended",
        [LEAK_DEACTIVATED] = "deactivated",
    };
    static_assert(ARRAY_LENGTH(words) == LEAK_OUTCOME_COUNT, "one for each");
    assert((unsigned)outcome < LEAK_OUTCOME_COUNT);
    return words[outcome];
}
