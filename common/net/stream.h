// One byte stream with a peer: reading by callback from a buffer that the loop's streams share, writing at
// once what the socket takes and keeping the rest. Plain TCP and Unix sockets are in stream_plain.c, TLS over
// one of them is in stream_tls.c. Everything here runs on the stream's loop thread.
#ifndef LATCHKEY_COMMON_NET_STREAM_H
#define LATCHKEY_COMMON_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_identity.h"
#include "common/ip/address.h"
#include "common/net/loop.h"

#define STREAM_READ_BYTES (64 * 1024)

enum stream_end {
    STREAM_END_PEER_CLOSED,   // end of file; under TLS, said so by the peer
    STREAM_END_RESET,         // connection reset, cut off, or any other error of the socket
    STREAM_END_WRITE_STALLED, // the peer has taken nothing for the stall timeout while bytes waited
    STREAM_END_TLS_FAILED,    // what came is no TLS, or was changed on its way
};

// `context` is what stream_start() was given.
struct stream_callbacks {
    // `bytes` is borrowed for the duration of the call.
    void (*on_read)(void *context, struct bytes bytes);
    // All bytes kept by earlier writes have left.
    void (*on_drained)(void *context);
    // At most once, no callback follows. The stream still belongs to its owner, who calls stream_close().
    void (*on_end)(void *context, enum stream_end why);
};

struct stream; // opaque; a kind of stream embeds it (stream_internal.h)

// Begins to read. Once.
void stream_start(struct stream *stream, const struct stream_callbacks *callbacks, void *context);

// Writes what the socket takes now and keeps a copy of the rest. EXHAUSTED: the rest would exceed the cap,
// nothing more can be written. CLOSED: the peer is gone. In both cases the owner closes the stream; on_end
// need not follow.
MUST_CHECK enum status stream_write(struct stream *stream, struct bytes bytes);

// Bytes kept that the socket has not taken.
size_t stream_get_pending_bytes(const struct stream *stream);

// Back-pressure. Starts unpaused.
void stream_pause_reading(struct stream *stream);
void stream_resume_reading(struct stream *stream);

// How long kept bytes may wait without any progress, and how many there may be. Defaults 20 s and 4 MiB.
void stream_set_write_limits(struct stream *stream, uint32_t stall_timeout_ms, size_t max_pending_bytes);

// The owner gives the stream up: no callback follows, the memory goes after the turn. STREAM_CLOSE_FLUSH
// first sends what is kept, ends the sending side, and reads on for up to a second, and a megabyte, so that
// the peer sees the last bytes and no reset. Once the loop stops, what is kept has a few seconds left.
enum stream_close { STREAM_CLOSE_NOW, STREAM_CLOSE_FLUSH };
void stream_close(struct stream *stream, enum stream_close how);

// Family 0 for a Unix socket.
const struct ip_address *stream_get_peer(const struct stream *stream);

// Loopback address or Unix socket.
bool stream_is_peer_local(const struct stream *stream);

// Who the peer is by a certificate that was verified; NULL if it has shown none, or that names nobody. Lives
// as long as the stream; tls_identity_hold() keeps it.
struct tls_identity *stream_get_identity(const struct stream *stream);

#endif
