// Whether a call that failed is made once more, and after which wait. Pure: the rules of gRPC's retry
// (gRFC A6) and one of this project's: what may have been done already is repeated only where that does no
// harm.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_RETRY_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/grpc/status_code.h"
#include "common/grpc_client/service_config.h"

// Stops retries while more calls fail than succeed; one for all calls of a client. Zeroed memory stops none.
struct client_throttle {
    uint32_t milli_tokens, max_milli_tokens;
    uint32_t milli_tokens_per_success;
};

void client_throttle_init(struct client_throttle *throttle, struct service_config_throttle config);

// What the server asked for in grpc-retry-pushback-ms.
enum client_pushback { CLIENT_PUSHBACK_NONE = 0, CLIENT_PUSHBACK_WAIT, CLIENT_PUSHBACK_STOP };

// A digits-only number of milliseconds says how long to wait; anything else, also a negative one, says stop.
enum client_pushback client_pushback_parse(struct bytes text, uint32_t *ret_ms);

struct client_outcome {
    enum grpc_code code;
    bool is_unknown;   // the server may have done what was asked for
    bool is_committed; // the answer had begun: its headers are the caller's
    enum client_pushback pushback;
    uint32_t pushback_ms; // of CLIENT_PUSHBACK_WAIT
};

// What the caller said about the call.
enum client_repeatability {
    CLIENT_REPEAT_IF_UNDONE = 0, // a change: only where the server says that it is not made
    CLIENT_REPEAT_ALWAYS         // a reading, or a change with a request id
};

// The retries of one call. Zeroed memory has made no attempt.
struct client_retry {
    const struct service_config_retry *policy; // borrows
    struct client_throttle *throttle;          // borrows
    enum client_repeatability repeatability;
    unsigned attempts; // made so far, counted by client_retry_decide()
    unsigned backoffs; // waits by the policy since the server last said how long to wait
};

// After an attempt that failed; also keeps the throttle's account of it. True: wait *ret_wait_ns, then try
// again.
MUST_CHECK bool client_retry_decide(struct client_retry *retry, const struct client_outcome *outcome,
                                    uint64_t random, uint64_t *ret_wait_ns);

// After an attempt that succeeded.
void client_retry_on_success(struct client_retry *retry);

#endif
