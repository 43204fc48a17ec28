#include "tests/unit/memory_stream.h"

static void do_nothing(struct stream *stream) {
    (void)stream;
}

static enum status keep(struct stream *stream, struct bytes bytes) {
    struct memory_stream *memory = (struct memory_stream *)stream;
    memory->writes++;
    buffer_append(&memory->written, bytes);
    return memory->written.failed ? STATUS_EXHAUSTED : STATUS_OK;
}

static size_t get_pending_bytes(const struct stream *stream) {
    const struct memory_stream *memory = (const struct memory_stream *)stream;
    return memory->is_stuck ? memory->written.len : 0;
}

static void close_memory(struct stream *stream, enum stream_close how) {
    (void)how;
    ((struct memory_stream *)stream)->is_closed = true;
}

static const struct stream_operations operations = {
    .start = do_nothing,
    .write = keep,
    .get_pending_bytes = get_pending_bytes,
    .pause_reading = do_nothing,
    .resume_reading = do_nothing,
    .close = close_memory,
};

void memory_stream_init(struct memory_stream *stream, struct loop *loop, const struct ip_address *peer) {
    *stream = (struct memory_stream){.base = {.operations = &operations, .loop = loop, .peer = *peer}};
    stream->base.is_peer_local = peer->family == IP_FAMILY_V4 && peer->bytes[0] == 127;
}

void memory_stream_fini(struct memory_stream *stream) {
    buffer_fini(&stream->written);
}

void memory_stream_receive(struct memory_stream *stream, struct bytes bytes) {
    loop_forget_time(stream->base.loop);
    stream->base.callbacks->on_read(stream->base.context, bytes);
}
