// A byte stream without a socket: what the owner writes is kept, and what the peer would send is handed to
// the owner by hand. For driving a whole connection in one thread.
#ifndef LATCHKEY_TESTS_UNIT_MEMORY_STREAM_H
#define LATCHKEY_TESTS_UNIT_MEMORY_STREAM_H

#include "common/base/buffer.h"
#include "common/net/stream_internal.h"

struct memory_stream {
    struct stream base;
    struct buffer written;
    size_t writes;  // so far
    bool is_stuck;  // set by the test: the peer takes nothing, so that all of `written` waits
    bool is_closed; // by its owner
};

// `peer` may be loopback: what comes from there is local.
void memory_stream_init(struct memory_stream *stream, struct loop *loop, const struct ip_address *peer);
void memory_stream_fini(struct memory_stream *stream);

// As if it had just arrived. Not after the owner has closed.
void memory_stream_receive(struct memory_stream *stream, struct bytes bytes);

#endif
