// Any bytes from a client, in pieces of any size, to a whole connection with methods of every shape, which
// may be called by every protocol: no crash, no leak, nothing left behind. The stream is one of memory that
// takes what it is given; the loop is turned by hand. All is done twice, with plain answers written past
// nghttp2 (call_http2_answer.h) and by it: each stream must be answered the same.
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
#include "tests/unit/answer_transcript.h"
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

struct run {
    struct clock_manual clock;
    struct loop_group *loops;
    struct grpc_server *server;
    struct memory_stream stream;
    bool is_behind;
    bool leaves_answers; // to nghttp2
    struct buffer said;
};

static void make_server(struct run *run) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    grpc_server_settings_init(&options.settings);
    options.settings.max_connections = 1; // what is laid out for many takes longer than most inputs
    clock_manual_init(&run->clock);
    enum status status = loop_group_new(1, &run->clock.clock, &run->loops);
    assert(status == STATUS_OK);
    options.loops = run->loops;
    status = grpc_server_new(&options, &run->server);
    assert(status == STATUS_OK);
}

static void turn(struct run *run) {
    uv_run(loop_get_uv(run->stream.base.loop), UV_RUN_NOWAIT);
}

static void hear(struct run *run) {
    buffer_append(&run->said, buffer_get_bytes(&run->stream.written));
    buffer_reset(&run->stream.written);
}

static void feed(struct run *run, struct bytes bytes) {
    struct grpc_loop *home = &run->server->home[0];
    if (run->stream.is_closed)
        return;
    if (run->leaves_answers)
        home->connections->owes_table_size = true;
    if (run->is_behind)
        home->shed.quota = 1; // which the new turn raises by one
    memory_stream_receive(&run->stream, bytes);
    turn(run);
    if (!run->stream.is_stuck)
        hear(run);
}

static void feed_pieces(struct run *run, struct bytes input) {
    while (input.len > 0) {
        size_t len = input.data[0];
        input = bytes_of(input.data + 1, input.len - 1);
        len = len < input.len ? len : input.len;
        feed(run, bytes_of(input.data, len));
        input = bytes_of(input.data + len, input.len - len);
    }
}

static void open_run(struct run *run, uint8_t options) {
    make_server(run);
    run->is_behind = options & OPTION_BEHIND;
    memory_stream_init(&run->stream, loop_group_get_loop(run->loops, 0),
                       &(struct ip_address){.family = IP_FAMILY_NONE});
    run->stream.is_stuck = options & OPTION_STUCK;
    connection_open(&run->server->home[0], &run->stream.base);
    turn(run);
}

static void close_run(struct run *run) {
    struct memory_stream *stream = &run->stream;
    if (!stream->is_closed)
        stream->base.callbacks->on_end(stream->base.context, STREAM_END_PEER_CLOSED);
    assert(stream->is_closed);
    hear(run);
    memory_stream_fini(stream);
    loop_group_stop(run->loops);
    assert(run->server->home[0].connection_count == 0);
    grpc_server_free(run->server);
    loop_group_free(run->loops);
}

static void write_transcript(struct run *run, struct bytes input, struct buffer *to) {
    uint8_t options = input.data[0];
    open_run(run, options);
    if (!(options & OPTION_NO_PREFACE))
        feed(run, BYTES_LITERAL(PREFACE));
    feed_pieces(run, bytes_of(input.data + 1, input.len - 1));
    close_run(run);
    answer_transcript_write(buffer_get_bytes(&run->said), to);
    buffer_fini(&run->said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct run here = {.leaves_answers = false}, there = {.leaves_answers = true};
    struct buffer from_here = {0}, from_there = {0};
    if (size == 0)
        return 0;
    write_transcript(&here, bytes_of(data, size), &from_here);
    write_transcript(&there, bytes_of(data, size), &from_there);
    assert(bytes_is_equal(buffer_get_bytes(&from_here), buffer_get_bytes(&from_there)));
    buffer_fini(&from_here);
    buffer_fini(&from_there);
    return 0;
}
