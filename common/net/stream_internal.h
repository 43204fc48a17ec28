// What a kind of stream embeds and implements.
#ifndef LATCHKEY_COMMON_NET_STREAM_INTERNAL_H
#define LATCHKEY_COMMON_NET_STREAM_INTERNAL_H

#include <uv.h>

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
    struct ip_address peer;
    bool is_peer_local;
    uint32_t stall_timeout_ms;
    size_t max_pending_bytes;
};

// Accepts the connection that waits on `server` (a uv_tcp_t or uv_pipe_t). *ret_stream is owned.
MUST_CHECK enum status stream_plain_accept(struct loop *loop, uv_stream_t *server,
                                           struct stream **ret_stream);

#endif
