// The nonces that were sent to a feeder, each with what its answer is counted from. The last few count: an
// answer to an older one is of no use any more. Pure but for the clock. One thread.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_NONCE_RING_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_NONCE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"

enum { NONCE_RING_SIZE = 16 };

struct sent_nonce {
    uint64_t nonce;
    uint64_t boottime_ns; // both from before it was sent
    int64_t realtime_ms;
};

// Zeroed memory has sent none.
struct nonce_ring {
    struct sent_nonce sent[NONCE_RING_SIZE];
    size_t count; // so far
};

// A new one, not 0, which is about to be sent.
uint64_t nonce_ring_draw(struct nonce_ring *ring, const struct clock *clock);

// NULL: never sent, or too long ago. Borrows until the next is drawn. `*ret_is_newest` goes with a nonce.
const struct sent_nonce *nonce_ring_find(const struct nonce_ring *ring, uint64_t nonce, bool *ret_is_newest);

#endif
