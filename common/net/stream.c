// What all kinds of streams have in common.
#include "common/net/stream.h"

#include <assert.h>

#include "common/net/stream_internal.h"

void stream_start(struct stream *stream, const struct stream_callbacks *callbacks, void *context) {
    assert(!stream->callbacks);
    stream->callbacks = callbacks;
    stream->context = context;
    stream->operations->start(stream);
}

enum status stream_write(struct stream *stream, struct bytes bytes) {
    return stream->operations->write(stream, bytes);
}

size_t stream_get_pending_bytes(const struct stream *stream) {
    return stream->operations->get_pending_bytes(stream);
}

void stream_pause_reading(struct stream *stream) {
    stream->operations->pause_reading(stream);
}

void stream_resume_reading(struct stream *stream) {
    stream->operations->resume_reading(stream);
}

void stream_set_write_limits(struct stream *stream, uint32_t stall_timeout_ms, size_t max_pending_bytes) {
    stream->stall_timeout_ms = stall_timeout_ms;
    stream->max_pending_bytes = max_pending_bytes;
    if (stream->below)
        stream_set_write_limits(stream->below, stall_timeout_ms, max_pending_bytes);
}

void stream_close(struct stream *stream, enum stream_close how) {
    stream->callbacks = NULL;
    stream->operations->close(stream, how);
}

const struct ip_address *stream_get_peer(const struct stream *stream) {
    return &stream->peer;
}

bool stream_is_peer_local(const struct stream *stream) {
    return stream->is_peer_local;
}

struct tls_identity *stream_get_identity(const struct stream *stream) {
    return stream->identity;
}
