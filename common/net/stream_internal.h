// What a kind of stream embeds and implements.
#ifndef LATCHKEY_COMMON_NET_STREAM_INTERNAL_H
#define LATCHKEY_COMMON_NET_STREAM_INTERNAL_H

#include <uv.h>

#include "common/net/connection_balance.h"
#include "common/net/stream.h"

struct stream_operations {
    void (*start)(struct stream *stream);
    enum status (*write)(struct stream *stream, struct bytes bytes);
    size_t (*get_pending_bytes)(const struct stream *stream);
    void (*pause_reading)(struct stream *stream);
    void (*resume_reading)(struct stream *stream);
    void (*close)(struct stream *stream, enum stream_close how);
};

struct stream {
    const struct stream_operations *operations;
    const struct stream_callbacks *callbacks; // NULL before the start and after the end
    void *context;
    struct loop *loop;
    struct stream *below; // what it is a layer over; NULL = a socket
    struct ip_address peer;
    bool is_peer_local;
    struct tls_identity *identity;
    uint32_t stall_timeout_ms;
    size_t max_pending_bytes;
};

// A stream on `fd`, a connected socket of TCP or a Unix path that does not block. Owns it in any case, and
// its count for `loop` in `balance`, which it borrows (NULL = it has none): its owner's stream_close() ends
// both. *ret_stream is owned.
MUST_CHECK enum status stream_plain_open(struct loop *loop, uv_handle_type type, int fd,
                                         struct connection_balance *balance, struct stream **ret_stream);

#endif
