// Any bytes from a client, in pieces of any size, to a whole connection with methods of every shape, which
// may be called by every protocol: no crash, no leak, nothing left behind. The stream is one of memory that
// takes what it is given; the loop is turned by hand.
//
// Input: a byte of options (1: no preface of ours in front; 2: the client takes nothing; 4: the
// loop is behind, and takes two calls of each piece), then pieces, each a
// byte of length and so many bytes.
#include <assert.h>
#include <stdlib.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_NO_PREFACE = 1, OPTION_STUCK = 2, OPTION_BEHIND = 4 };

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

static void reply(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_reply(call, request);
}

static void reply_bytes(struct grpc_call *call, struct bytes request) {
    grpc_call_reply_bytes(call, request);
}

static void send_twice(struct grpc_call *call, const ProtobufCMessage *message) {
    bool is_full = grpc_call_send(call, message) != STATUS_OK || grpc_call_send(call, message) != STATUS_OK;
    if (is_full)
        grpc_call_finish(call, NULL);
}

// Pauses at every message; what waits is taken at the end of the turn.
static void pause_and_resume(struct grpc_call *call, const ProtobufCMessage *message) {
    (void)message;
    grpc_call_pause(call);
    grpc_call_resume(call);
}

static void hold(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    grpc_call_pause(call);
}

static void finish(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler unary = {.on_message = reply};
static const struct grpc_handler raw = {.on_bytes = reply_bytes};
static const struct grpc_handler waiting = {.on_message = hold, .on_cancel = finish};
static const struct grpc_handler talking = {
    .on_message = send_twice, .on_half_close = finish, .on_cancel = finish};
static const struct grpc_handler taking = {
    .on_message = pause_and_resume, .on_half_close = finish, .on_cancel = finish};

#define TYPE (&google__protobuf__string_value__descriptor)
#define METHOD(path_, shape_, handler_)                                                         \
    {                                                                                           \
        .path = path_, .request = TYPE, .response = TYPE, .shape = shape_, .handler = handler_, \
        .max_request_bytes = 1000, .is_read_only = true                                         \
    }

static const struct grpc_method methods[] = {
    METHOD("/a/u", GRPC_UNARY, &unary),  METHOD("/a/w", GRPC_UNARY, &waiting),
    METHOD("/a/b", GRPC_UNARY, &raw),    METHOD("/a/s", GRPC_SERVER_STREAM, &unary),
    METHOD("/a/t", GRPC_BIDI, &talking), METHOD("/a/c", GRPC_CLIENT_STREAM, &taking),
    METHOD("/a/h", GRPC_BIDI, &waiting),
};

static struct grpc_server *make_server(struct loop_group **ret_loops) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    struct grpc_server *server;
    grpc_server_settings_init(&options.settings);
    options.settings.max_connections = 1; // what is laid out for many takes longer than most inputs
    enum status status = loop_group_new(1, clock_get_system(), ret_loops);
    assert(status == STATUS_OK);
    options.loops = *ret_loops;
    status = grpc_server_new(&options, &server);
    assert(status == STATUS_OK);
    return server;
}

static void turn(struct loop *loop) {
    uv_run(loop_get_uv(loop), UV_RUN_NOWAIT);
}

static void feed(struct memory_stream *stream, struct loop *loop, struct bytes bytes) {
    if (stream->is_closed)
        return;
    memory_stream_receive(stream, bytes);
    turn(loop);
    if (!stream->is_stuck)
        buffer_reset(&stream->written);
}

static void feed_pieces(struct memory_stream *stream, struct grpc_loop *home, struct bytes input,
                        bool is_behind) {
    while (input.len > 0) {
        if (is_behind)
            home->shed.quota = 1; // which the new turn raises by one
        size_t len = input.data[0];
        input = bytes_of(input.data + 1, input.len - 1);
        len = len < input.len ? len : input.len;
        feed(stream, home->loop, bytes_of(input.data, len));
        input = bytes_of(input.data + len, input.len - len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct loop_group *loops;
    struct grpc_server *server = make_server(&loops);
    struct loop *loop = loop_group_get_loop(loops, 0);
    struct memory_stream stream;
    memory_stream_init(&stream, loop, &(struct ip_address){.family = IP_FAMILY_NONE});
    stream.is_stuck = data[0] & OPTION_STUCK;
    connection_open(&server->home[0], &stream.base);
    turn(loop);
    if (!(data[0] & OPTION_NO_PREFACE))
        feed(&stream, loop, BYTES_LITERAL(PREFACE));
    feed_pieces(&stream, &server->home[0], bytes_of(data + 1, size - 1), data[0] & OPTION_BEHIND);
    if (!stream.is_closed)
        stream.base.callbacks->on_end(stream.base.context, STREAM_END_PEER_CLOSED);
    assert(stream.is_closed);
    memory_stream_fini(&stream);
    loop_group_stop(loops);
    assert(server->home[0].connection_count == 0);
    grpc_server_free(server);
    loop_group_free(loops);
    return 0;
}
