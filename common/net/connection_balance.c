// why no lock is needed for "not two more than another": while none ends, counts only grow. So whichever loop
// had the fewest when it was looked at still has if its own count is the same, and the exchange proves that.
//
// All is relaxed: nothing is published by a count, a connection is handed over by loop_post().
#include "common/net/connection_balance.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct share {
    alignas(64) atomic_size_t count; // a line of its own: written for each connection of its loop
    atomic_bool is_wary;
};

struct connection_balance {
    size_t loop_count;
    struct share loops[];
};

enum status connection_balance_new(size_t loop_count, struct connection_balance **ret_balance) {
    size_t size = sizeof(struct connection_balance) + loop_count * sizeof(struct share);
    struct connection_balance *balance = aligned_alloc(alignof(struct connection_balance), size);
    if (!balance)
        return STATUS_NO_MEMORY;
    memset(balance, 0, size);
    balance->loop_count = loop_count;
    *ret_balance = balance;
    return STATUS_OK;
}

void connection_balance_free(struct connection_balance *balance) {
    free(balance);
}

static size_t get_count(const struct share *share) {
    return atomic_load_explicit(&share->count, memory_order_relaxed);
}

static bool is_avoided(const struct share *share) {
    return atomic_load_explicit(&share->is_wary, memory_order_relaxed);
}

// `loop` itself where none has fewer.
static size_t find_least(const struct connection_balance *balance, size_t loop, size_t *ret_count) {
    size_t least = loop, least_count = get_count(&balance->loops[loop]);
    for (size_t i = 0; i < balance->loop_count; i++) {
        size_t count = get_count(&balance->loops[i]);
        if (count >= least_count || is_avoided(&balance->loops[i]))
            continue;
        least = i;
        least_count = count;
    }
    *ret_count = least_count;
    return least;
}

size_t connection_balance_add(struct connection_balance *balance, size_t loop) {
    size_t least, count;
    assert(loop < balance->loop_count);
    do
        least = find_least(balance, loop, &count);
    while (!atomic_compare_exchange_weak_explicit(&balance->loops[least].count, &count, count + 1,
                                                  memory_order_relaxed, memory_order_relaxed));
    return least;
}

void connection_balance_remove(struct connection_balance *balance, size_t loop) {
    size_t before = atomic_fetch_sub_explicit(&balance->loops[loop].count, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

void connection_balance_set_wary(struct connection_balance *balance, size_t loop, bool is_wary) {
    atomic_store_explicit(&balance->loops[loop].is_wary, is_wary, memory_order_relaxed);
}

size_t connection_balance_get_count(const struct connection_balance *balance, size_t loop) {
    return get_count(&balance->loops[loop]);
}
