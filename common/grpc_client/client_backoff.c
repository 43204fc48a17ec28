#include "common/grpc_client/client_backoff.h"

#include <assert.h>

#define NS_PER_MS 1e6
#define PAUSE_MAX_MS 1e12 // thirty years: what follows stays within 64 bits

const struct client_backoff client_backoff_of_connections = {
    .initial_ms = 1000, .max_ms = 120000, .multiplier = 1.6};

uint64_t client_backoff_get_ns(const struct client_backoff *backoff, unsigned failures, uint64_t random) {
    assert(failures > 0);
    double ms = backoff->initial_ms;
    // A multiplier below 1 shrinks the wait, which ends by itself; above it the limit ends the loop.
    for (unsigned i = 1; i < failures && ms < backoff->max_ms && ms > 1; i++)
        ms *= backoff->multiplier;
    double max_ms = backoff->max_ms < PAUSE_MAX_MS ? backoff->max_ms : PAUSE_MAX_MS;
    if (ms > max_ms)
        ms = max_ms;
    double part = (double)random / (double)UINT64_MAX; // 0 to 1
    return (uint64_t)(ms * (1 - CLIENT_BACKOFF_JITTER + 2 * CLIENT_BACKOFF_JITTER * part) * NS_PER_MS);
}
