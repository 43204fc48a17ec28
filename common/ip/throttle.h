// How often one address may try: a bucket of tokens for each (IPv6: for each /64), in memory and bounded. For
// what anybody may ask for. It slows down, it never shuts out: a bucket fills again with time.
#ifndef LATCHKEY_COMMON_IP_THROTTLE_H
#define LATCHKEY_COMMON_IP_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/address.h"

struct throttle;

struct throttle_options {
    int64_t burst;         // tries at once, at least 1
    int64_t refill_ms;     // one more try every so often
    int64_t addresses_max; // held at once; the one that waited longest makes room
};

MUST_CHECK enum status throttle_new(const struct throttle_options *options, struct throttle **ret_throttle);
void throttle_free(struct throttle *throttle); // takes NULL

// Takes one try. False: none is left, and *ret_retry_in_ms tells when there will be. Any thread.
bool throttle_take(struct throttle *throttle, const struct ip_address *address, uint64_t now_ns,
                   int64_t *ret_retry_in_ms);

// Whether there is no try left; takes none. Any thread.
bool throttle_is_spent(struct throttle *throttle, const struct ip_address *address, uint64_t now_ns);

// The same as throttle_take() for a call. `what` is what there were too many of: "too many reports".
// EXHAUSTED with that reason, the sentence and the time after which to try again.
struct throttle_words {
    const char *reason, *what;
};
MUST_CHECK enum status throttle_check(struct throttle *throttle, const struct ip_address *address,
                                      uint64_t now_ns, const struct throttle_words *words,
                                      struct fault *fault);

#endif
