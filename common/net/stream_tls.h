// A TLS stream over another one, from its handshake on.
#ifndef LATCHKEY_COMMON_NET_STREAM_TLS_H
#define LATCHKEY_COMMON_NET_STREAM_TLS_H

#include "common/crypto/tls_server.h"
#include "common/net/stream_internal.h"

// Each called once at most, and none after the stream was closed.
struct stream_tls_handshake {
    // The peer has said who it is and what it wants, and was answered.
    void (*on_answered)(void *context);
    // OK: it may be started now, which has to happen at once; else it is only good to be closed:
    // UNAUTHENTICATED, MALFORMED or NO_MEMORY as of tls_session_receive(), CLOSED when the peer has gone.
    void (*on_end)(void *context, struct stream *stream, enum status status);
    void *context;
};

// Takes `below`, which has not been started, and begins the handshake; borrows `server`. NO_MEMORY: `below`
// is still the caller's. *ret_stream is owned.
MUST_CHECK enum status stream_tls_open(struct stream *below, struct tls_server *server,
                                       const struct stream_tls_handshake *handshake,
                                       struct stream **ret_stream);

// Why the handshake has failed, as a clause; "" if TLS was not why.
const char *stream_tls_get_failure(const struct stream *stream);

#endif
