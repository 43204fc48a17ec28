// A hash table with chains, of as many as there are peers with connections: asked when a connection opens and
// when it closes, so one lock does for all loops.
#include "common/net/peer_count.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/random.h"

enum { CHAINS_MIN = 64, CHAINS_MAX = 65536, HOST_BYTES_V6 = 8 };

struct peer {
    struct peer *next;
    struct ip_address address; // of IPv6 the first half
    size_t connections;
};

struct peer_count {
    pthread_mutex_t lock; // over all below
    uint64_t seed[2];     // so that nobody can choose addresses that meet in one chain
    size_t peers;
    size_t chain_count; // a power of two
    struct peer *chains[];
};

static struct ip_address get_key(const struct ip_address *address) {
    struct ip_address key = *address;
    if (key.family == IP_FAMILY_V6)
        memset(key.bytes + sizeof(key.bytes) - HOST_BYTES_V6, 0, HOST_BYTES_V6);
    return key;
}

// The link that leads to the peer, or the end of its chain.
static struct peer **find_link(struct peer_count *count, const struct ip_address *key) {
    uint64_t half;
    memcpy(&half, key->bytes, sizeof(half));
    uint64_t hash = multiply_fold(half ^ count->seed[0], key->family ^ count->seed[1]);
    struct peer **link = &count->chains[hash & (count->chain_count - 1)];
    while (*link && !ip_address_is_equal(&(*link)->address, key))
        link = &(*link)->next;
    return link;
}

static struct peer *add_peer(struct peer_count *count, struct peer **link, const struct ip_address *key) {
    struct peer *peer = calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->address = *key;
    *link = peer;
    count->peers++;
    return peer;
}

static bool add(struct peer_count *count, const struct ip_address *key, size_t max) {
    struct peer **link = find_link(count, key);
    struct peer *peer = *link ? *link : add_peer(count, link, key);
    if (!peer || peer->connections >= max)
        return false;
    peer->connections++;
    return true;
}

bool peer_count_add(struct peer_count *count, const struct ip_address *peer, size_t max) {
    assert(max > 0);
    struct ip_address key = get_key(peer);
    pthread_mutex_lock(&count->lock);
    bool is_added = add(count, &key, max);
    pthread_mutex_unlock(&count->lock);
    return is_added;
}

void peer_count_remove(struct peer_count *count, const struct ip_address *address) {
    struct ip_address key = get_key(address);
    pthread_mutex_lock(&count->lock);
    struct peer **link = find_link(count, &key), *peer = *link;
    assert(peer);
    if (--peer->connections == 0) {
        *link = peer->next;
        free(peer);
        count->peers--;
    }
    pthread_mutex_unlock(&count->lock);
}

size_t peer_count_get_peers(struct peer_count *count) {
    pthread_mutex_lock(&count->lock);
    size_t peers = count->peers;
    pthread_mutex_unlock(&count->lock);
    return peers;
}

enum status peer_count_new(size_t connections_max, struct peer_count **ret_count) {
    size_t chain_count = CHAINS_MIN;
    while (chain_count < connections_max && chain_count < CHAINS_MAX)
        chain_count *= 2;
    struct peer_count *count = calloc(1, sizeof(*count) + chain_count * sizeof(count->chains[0]));
    if (!count)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&count->lock, NULL);
    random_fill(count->seed, sizeof(count->seed));
    count->chain_count = chain_count;
    *ret_count = count;
    return STATUS_OK;
}

static void free_chain(struct peer *peer) {
    while (peer) {
        struct peer *next = peer->next;
        free(peer);
        peer = next;
    }
}

void peer_count_free(struct peer_count *count) {
    if (!count)
        return;
    for (size_t i = 0; i < count->chain_count; i++)
        free_chain(count->chains[i]);
    pthread_mutex_destroy(&count->lock);
    free(count);
}
