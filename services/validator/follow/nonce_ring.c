#include "services/validator/follow/nonce_ring.h"

#include "common/base/random.h"

uint64_t nonce_ring_draw(struct nonce_ring *ring, const struct clock *clock) {
    struct sent_nonce *sent = &ring->sent[ring->count++ % NONCE_RING_SIZE];
    *sent = (struct sent_nonce){.nonce = random_get_u64() | 1,
                                .boottime_ns = clock_get_boottime_ns(clock),
                                .realtime_ms = clock_get_realtime_ms(clock)};
    return sent->nonce;
}

const struct sent_nonce *nonce_ring_find(const struct nonce_ring *ring, uint64_t nonce, bool *ret_is_newest) {
    size_t known = ring->count < NONCE_RING_SIZE ? ring->count : NONCE_RING_SIZE;
    for (size_t back = 1; back <= known; back++) {
        const struct sent_nonce *sent = &ring->sent[(ring->count - back) % NONCE_RING_SIZE];
        *ret_is_newest = back == 1;
        if (sent->nonce == nonce)
            return sent;
    }
    return NULL;
}
