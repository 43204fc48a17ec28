#include "services/validator/image/lease.h"

#include <assert.h>

void lease_init(struct lease *lease, uint64_t term_ns) {
    lease->term_ns = term_ns;
    atomic_init(&lease->until_ns, 0);
    atomic_init(&lease->without, LEASE_LOADING);
}

static enum lease_state get_without(const struct lease *lease) {
    return (enum lease_state)atomic_load_explicit(&lease->without, memory_order_relaxed);
}

static void stop_serving(struct lease *lease, enum lease_state without) {
    atomic_store_explicit(&lease->without, without, memory_order_relaxed);
    atomic_store_explicit(&lease->until_ns, 0, memory_order_relaxed);
}

void lease_grant(struct lease *lease, uint64_t sent_ns, uint64_t valid_ns) {
    assert(get_without(lease) != LEASE_HISTORY_LOST);
    uint64_t until_ns = sent_ns + (valid_ns < lease->term_ns ? valid_ns : lease->term_ns);
    atomic_store_explicit(&lease->without, LEASE_STALE, memory_order_relaxed);
    if (until_ns > atomic_load_explicit(&lease->until_ns, memory_order_relaxed))
        atomic_store_explicit(&lease->until_ns, until_ns, memory_order_relaxed);
}

void lease_withdraw(struct lease *lease) {
    stop_serving(lease, get_without(lease));
}

void lease_lose_history(struct lease *lease) {
    stop_serving(lease, LEASE_HISTORY_LOST);
}

void lease_recover_history(struct lease *lease) {
    stop_serving(lease, LEASE_STALE);
}

uint64_t lease_get_left_ns(const struct lease *lease, uint64_t now_ns) {
    uint64_t until_ns = atomic_load_explicit(&lease->until_ns, memory_order_relaxed);
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

const char *lease_state_get_name(enum lease_state state) {
    static const char *const names[] = {
        [LEASE_LOADING] = "loading",
        [LEASE_SERVING] = "serving",
        [LEASE_STALE] = "stale",
        [LEASE_HISTORY_LOST] = "history lost",
    };
    return names[state];
}
