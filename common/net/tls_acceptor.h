// From accepted connections of a loop to TLS streams: runs the handshakes, and bounds what they may cost:
// time for each, how many are under way, and how many one address may begin a second.
//
// Where too many are under way the first of those makes room who have not yet said what they want; if there
// are none, the first of all, if it has had a second; else whoever comes is refused.
#ifndef LATCHKEY_COMMON_NET_TLS_ACCEPTOR_H
#define LATCHKEY_COMMON_NET_TLS_ACCEPTOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_server.h"
#include "common/ip/throttle.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

struct tls_acceptor;

enum tls_refusal {
    TLS_REFUSAL_FAILED,      // no TLS as we speak it, or a certificate that is refused
    TLS_REFUSAL_TIMEOUT,     // not done in time
    TLS_REFUSAL_BUDGET,      // too many under way, or too often from there
    TLS_REFUSAL_PEER_CLOSED, // gone before it was done
    TLS_REFUSAL_NO_MEMORY,
};

struct tls_acceptor_options {
    struct loop *loop;
    struct tls_server
        *server; // borrows; so the throttle, by address of a peer that is not local; NULL = any number
    struct throttle *throttle;
    int64_t timeout_ms;     // of one handshake
    int64_t max_handshakes; // under way
    // Both on the loop's thread. The callee of on_accept owns the stream, whose handshake is complete, and
    // starts or closes it before it returns.
    void (*on_accept)(void *context, struct stream *stream);
    void (*on_refused)(void *context, enum tls_refusal why);
    void *context;
};

// NO_MEMORY. *ret_acceptor is owned.
MUST_CHECK enum status tls_acceptor_new(const struct tls_acceptor_options *options,
                                        struct tls_acceptor **ret_acceptor);
// When the loop has ended, and nothing is under way. Takes NULL.
void tls_acceptor_free(struct tls_acceptor *acceptor);

// Takes a stream that has not been started. Ends in one call of on_accept or on_refused, which may come at
// once; unless it is dropped. Loop thread.
void tls_acceptor_take(struct tls_acceptor *acceptor, struct stream *plain);

// Handshakes under way. Loop thread.
size_t tls_acceptor_get_count(const struct tls_acceptor *acceptor);

// Drops them, nobody is told. Loop thread.
void tls_acceptor_drop(struct tls_acceptor *acceptor);

#endif
