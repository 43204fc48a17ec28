#include "services/validator/gateway/http_verdict.h"

#define DEAD(text) \
    { 401, "unauthenticated", "Bearer error=\"invalid_token\"", (text) }
#define REFUSED(text) \
    { 403, "permission_denied", 0, (text) }

static const struct http_verdict verdicts[REASON_COUNT] = {
    [REASON_OK] = {200, "ok", 0, ""},
    [REASON_MALFORMED] = DEAD("there is no token, or not a whole one"),
    [REASON_UNKNOWN] = DEAD("no token has this secret"),
    [REASON_COMPANY_SUSPENDED] = REFUSED("the company is suspended"),
    [REASON_MEMBER_REMOVED] = DEAD("the owner of this token has been removed"),
    [REASON_DEACTIVATED] = DEAD("this token has been deactivated, for good"),
    [REASON_SUSPENDED] = DEAD("this token is suspended"),
    [REASON_NOT_YET_VALID] = DEAD("this token is not valid yet"),
    [REASON_EXPIRED] = DEAD("this token has expired"),
    [REASON_CHANNEL_NOT_ALLOWED] = REFUSED("this token is not for this channel"),
    [REASON_COMPANY_IP_NOT_LISTED] = REFUSED("the company's whitelist does not hold this address"),
    [REASON_MEMBER_IP_NOT_LISTED] = REFUSED("the member's IP list does not hold this address"),
    [REASON_TOKEN_IP_NOT_LISTED] = REFUSED("the token's IP list does not hold this address"),
    [REASON_DOMAIN_NOT_LISTED] = REFUSED("the token's domain list does not hold this domain"),
    [REASON_PERMISSION_MISSING] = {403, "permission_denied", "Bearer error=\"insufficient_scope\"",
                                   "the token, or its owner, lacks a permission that is needed here"},
};

static const struct http_verdict unknown = REFUSED("refused");

const struct http_verdict *http_verdict_of(int reason) {
    bool is_known = reason > 0 && reason < REASON_COUNT && verdicts[reason].status != 0;
    return is_known ? &verdicts[reason] : &unknown;
}

const struct http_verdict *http_verdict_of_failure(enum status status) {
    static const struct http_verdict may_not_ask = REFUSED("this proxy may not ask: "),
                                     invalid = {400, "invalid_argument", 0, ""},
                                     unavailable = {503, "unavailable", 0, ""};
    switch (status) {
    case STATUS_UNAUTHENTICATED:
    case STATUS_PERMISSION_DENIED: return &may_not_ask;
    case STATUS_INVALID: return &invalid;
    default: return &unavailable;
    }
}

unsigned http_verdict_get_retry_after_s(const struct fault *fault) {
    unsigned seconds = fault->retry_after_ms / 1000 + (fault->retry_after_ms % 1000 != 0);
    return seconds > 0 ? seconds : 1;
}

const char *http_verdict_get_challenge(const struct http_verdict *verdict, bool presents_token) {
    return verdict->status == 401 && !presents_token ? "Bearer realm=\"latchkey\"" : verdict->challenge;
}
