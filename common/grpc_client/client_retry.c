#include "common/grpc_client/client_retry.h"

#define MILLI 1000
#define NS_PER_MS 1000000

void client_throttle_init(struct client_throttle *throttle, struct service_config_throttle config) {
    *throttle = (struct client_throttle){.milli_tokens = config.max_milli_tokens,
                                         .max_milli_tokens = config.max_milli_tokens,
                                         .milli_tokens_per_success = config.milli_tokens_per_success};
}

static void add_tokens(struct client_throttle *throttle) {
    uint32_t room = throttle->max_milli_tokens - throttle->milli_tokens;
    uint32_t added = throttle->milli_tokens_per_success;
    throttle->milli_tokens += added < room ? added : room;
}

static void take_token(struct client_throttle *throttle) {
    throttle->milli_tokens -= throttle->milli_tokens < MILLI ? throttle->milli_tokens : MILLI;
}

// With half of the tokens gone nothing is tried again.
static bool is_throttled(const struct client_throttle *throttle) {
    return throttle->max_milli_tokens > 0 && throttle->milli_tokens <= throttle->max_milli_tokens / 2;
}

enum client_pushback client_pushback_parse(struct bytes text, uint32_t *ret_ms) {
    uint64_t ms;
    if (!bytes_parse_unsigned(text, UINT32_MAX, &ms))
        return CLIENT_PUSHBACK_STOP;
    *ret_ms = (uint32_t)ms;
    return CLIENT_PUSHBACK_WAIT;
}

static bool may_try_again(const struct client_retry *retry, const struct client_outcome *outcome) {
    bool is_retryable = retry->policy->retryable_codes & UINT32_C(1) << outcome->code;
    return is_retryable && retry->attempts < retry->policy->max_attempts && !outcome->is_committed &&
           outcome->pushback != CLIENT_PUSHBACK_STOP && !is_throttled(retry->throttle) &&
           (!outcome->is_unknown || retry->repeatability == CLIENT_REPEAT_ALWAYS);
}

bool client_retry_decide(struct client_retry *retry, const struct client_outcome *outcome, uint64_t random,
                         uint64_t *ret_wait_ns) {
    retry->attempts++;
    bool is_retryable = retry->policy->retryable_codes & UINT32_C(1) << outcome->code;
    if (is_retryable || outcome->pushback == CLIENT_PUSHBACK_STOP)
        take_token(retry->throttle);
    if (!may_try_again(retry, outcome))
        return false;
    if (outcome->pushback == CLIENT_PUSHBACK_WAIT) {
        retry->backoffs = 0;
        *ret_wait_ns = (uint64_t)outcome->pushback_ms * NS_PER_MS;
        return true;
    }
    retry->backoffs++;
    *ret_wait_ns = client_backoff_get_ns(&retry->policy->backoff, retry->backoffs, random);
    return true;
}

void client_retry_on_success(struct client_retry *retry) {
    add_tokens(retry->throttle);
}
