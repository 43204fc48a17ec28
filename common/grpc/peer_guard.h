// What the connections of one address (IPv6: /64) share, so that it is of no use to come again with a new
// one: what gzip may make of their requests, and that one of them was closed for flooding. It slows down and
// never shuts out, because others may come from there as well: behind a proxy, or from this machine.
#ifndef LATCHKEY_COMMON_GRPC_PEER_GUARD_H
#define LATCHKEY_COMMON_GRPC_PEER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/server_settings.h"
#include "common/ip/address.h"
#include "common/ip/throttle.h"

// Zeroed memory guards nothing. Any thread.
struct peer_guard {
    struct throttle *inflation; // by COMPRESSION_STEP_BYTES; NULL = any number
    struct throttle *floods;    // spent where there was one lately; NULL = nobody is slowed down
};

// NO_MEMORY, with what there is to be released by peer_guard_fini().
MUST_CHECK enum status peer_guard_init(struct peer_guard *guard, const struct grpc_server_settings *settings);
void peer_guard_fini(struct peer_guard *guard);

// One more step of COMPRESSION_STEP_BYTES, beyond what texts take.
MUST_CHECK bool peer_guard_may_inflate(struct peer_guard *guard, const struct ip_address *peer,
                                       uint64_t now_ns);

void peer_guard_note_flood(struct peer_guard *guard, const struct ip_address *peer, uint64_t now_ns);

// Whether there was a flood in the last ten seconds.
bool peer_guard_has_flooded(struct peer_guard *guard, const struct ip_address *peer, uint64_t now_ns);

#endif
