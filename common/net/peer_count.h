// How many connections each peer has open, over all loops. A peer is an IPv4 address, or an IPv6 /64, which
// is what one host commands. Any thread.
#ifndef LATCHKEY_COMMON_NET_PEER_COUNT_H
#define LATCHKEY_COMMON_NET_PEER_COUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/ip/address.h"

struct peer_count;

// For up to `connections_max` connections in all; more are only slower. NO_MEMORY.
MUST_CHECK enum status peer_count_new(size_t connections_max, struct peer_count **ret_count);
void peer_count_free(struct peer_count *count); // takes NULL

// One more of `peer`. False, and nothing is counted, when it has `max` already, or without memory.
MUST_CHECK bool peer_count_add(struct peer_count *count, const struct ip_address *peer, size_t max);

// One that was added has gone.
void peer_count_remove(struct peer_count *count, const struct ip_address *peer);

// Peers that have any.
size_t peer_count_get_peers(struct peer_count *count);

#endif
