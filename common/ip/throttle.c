// One number for each address: when its bucket will be full again (the generic cell rate algorithm). A try
// moves that on by the time of one token; it is refused where the bucket would be more than empty. An address
// whose time has passed is as good as unknown. Slots are found by hash, and stand in the order of use for
// making room.
#include "common/ip/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define NS_PER_MS UINT64_C(1000000)
#define NONE UINT32_MAX

enum { KEY_BYTES_V4 = 4, KEY_BYTES_V6 = 8 };

struct slot {
    uint64_t key;
    uint64_t full_at_ns;
    uint32_t next;         // in the chain of its hash
    uint32_t newer, older; // in the order of use
    uint8_t family;
};

struct throttle {
    pthread_mutex_t lock; // over all below
    uint64_t refill_ns, depth_ns;
    uint64_t seed; // so that nobody can choose addresses that meet in one chain
    uint32_t *chains, mask;
    struct slot *slots;
    uint32_t count, capacity;
    uint32_t newest, oldest;
};

static uint64_t get_key(const struct ip_address *address) {
    uint64_t key = 0;
    memcpy(&key, address->bytes, address->family == IP_FAMILY_V6 ? KEY_BYTES_V6 : KEY_BYTES_V4);
    return key;
}

static uint32_t *get_chain(struct throttle *throttle, uint64_t key, uint8_t family) {
    uint64_t hash = (key ^ throttle->seed ^ family) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ (hash >> 29) ^ throttle->seed) * UINT64_C(0xBF58476D1CE4E5B9);
    return &throttle->chains[(hash >> 32) & throttle->mask];
}

// ---- order of use ----

static void unlink_use(struct throttle *throttle, uint32_t index) {
    struct slot *slot = &throttle->slots[index];
    *(slot->newer == NONE ? &throttle->newest : &throttle->slots[slot->newer].older) = slot->older;
    *(slot->older == NONE ? &throttle->oldest : &throttle->slots[slot->older].newer) = slot->newer;
}

static void link_newest(struct throttle *throttle, uint32_t index) {
    struct slot *slot = &throttle->slots[index];
    slot->newer = NONE;
    slot->older = throttle->newest;
    *(slot->older == NONE ? &throttle->oldest : &throttle->slots[slot->older].newer) = index;
    throttle->newest = index;
}

// ---- slots ----

static uint32_t find_slot(struct throttle *throttle, uint64_t key, uint8_t family) {
    uint32_t index = *get_chain(throttle, key, family);
    while (index != NONE && (throttle->slots[index].key != key || throttle->slots[index].family != family))
        index = throttle->slots[index].next;
    return index;
}

static void unlink_chain(struct throttle *throttle, uint32_t index) {
    uint32_t *link = get_chain(throttle, throttle->slots[index].key, throttle->slots[index].family);
    while (*link != index)
        link = &throttle->slots[*link].next;
    *link = throttle->slots[index].next;
}

static uint32_t make_room(struct throttle *throttle) {
    if (throttle->count < throttle->capacity)
        return throttle->count++;
    uint32_t index = throttle->oldest;
    unlink_use(throttle, index);
    unlink_chain(throttle, index);
    return index;
}

static uint32_t add_slot(struct throttle *throttle, uint64_t key, uint8_t family) {
    uint32_t index = make_room(throttle);
    uint32_t *chain = get_chain(throttle, key, family);
    throttle->slots[index] = (struct slot){.key = key, .family = family, .next = *chain};
    *chain = index;
    link_newest(throttle, index);
    return index;
}

// ---- public ----

enum status throttle_new(const struct throttle_options *options, struct throttle **ret_throttle) {
    struct throttle *throttle = calloc(1, sizeof(*throttle));
    if (!throttle)
        return STATUS_NO_MEMORY;
    uint32_t chains = 1;
    while (chains < options->addresses_max)
        chains *= 2;
    throttle->chains = malloc(chains * sizeof(*throttle->chains));
    throttle->slots = calloc((size_t)options->addresses_max, sizeof(*throttle->slots));
    if (!throttle->chains || !throttle->slots) {
        free(throttle->chains);
        free(throttle->slots);
        free(throttle);
        return STATUS_NO_MEMORY;
    }
    memset(throttle->chains, 0xff, chains * sizeof(*throttle->chains)); // NONE
    throttle->mask = chains - 1;
    throttle->capacity = (uint32_t)options->addresses_max;
    throttle->newest = throttle->oldest = NONE;
    throttle->refill_ns = (uint64_t)options->refill_ms * NS_PER_MS;
    throttle->depth_ns = throttle->refill_ns * (uint64_t)options->burst;
    throttle->seed = random_get_u64();
    pthread_mutex_init(&throttle->lock, NULL);
    *ret_throttle = throttle;
    return STATUS_OK;
}

void throttle_free(struct throttle *throttle) {
    if (!throttle)
        return;
    pthread_mutex_destroy(&throttle->lock);
    free(throttle->chains);
    free(throttle->slots);
    free(throttle);
}

// How long until the bucket that is full at that time holds one token; 0 = it does.
static uint64_t get_wait_ns(const struct throttle *throttle, uint64_t full_at_ns, uint64_t now_ns) {
    uint64_t after_ns = (full_at_ns > now_ns ? full_at_ns : now_ns) + throttle->refill_ns;
    uint64_t latest_ns = now_ns + throttle->depth_ns;
    return after_ns > latest_ns ? after_ns - latest_ns : 0;
}

bool throttle_take(struct throttle *throttle, const struct ip_address *address, uint64_t now_ns,
                   int64_t *ret_retry_in_ms) {
    uint64_t key = get_key(address);
    pthread_mutex_lock(&throttle->lock);
    uint32_t index = find_slot(throttle, key, address->family);
    uint64_t full_at_ns = index == NONE ? 0 : throttle->slots[index].full_at_ns;
    uint64_t wait_ns = get_wait_ns(throttle, full_at_ns, now_ns);
    if (wait_ns == 0) {
        if (index == NONE) {
            index = add_slot(throttle, key, address->family);
        } else {
            unlink_use(throttle, index);
            link_newest(throttle, index);
        }
        throttle->slots[index].full_at_ns = (full_at_ns > now_ns ? full_at_ns : now_ns) + throttle->refill_ns;
    }
    pthread_mutex_unlock(&throttle->lock);
    if (wait_ns > 0)
        *ret_retry_in_ms = (int64_t)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
    return wait_ns == 0;
}

bool throttle_is_spent(struct throttle *throttle, const struct ip_address *address, uint64_t now_ns) {
    pthread_mutex_lock(&throttle->lock);
    uint32_t index = find_slot(throttle, get_key(address), address->family);
    bool is_spent = index != NONE && get_wait_ns(throttle, throttle->slots[index].full_at_ns, now_ns) > 0;
    pthread_mutex_unlock(&throttle->lock);
    return is_spent;
}

enum status throttle_check(struct throttle *throttle, const struct ip_address *address, uint64_t now_ns,
                           const struct throttle_words *words, struct fault *fault) {
    int64_t retry_in_ms;
    if (throttle_take(throttle, address, now_ns, &retry_in_ms))
        return STATUS_OK;
    fault_set_retry_after_ms(fault, (uint32_t)retry_in_ms);
    return fault_set(fault, STATUS_EXHAUSTED, words->reason, "%s from this address; try again in %lld s",
                     words->what, (long long)(retry_in_ms / 1000 + 1));
}
