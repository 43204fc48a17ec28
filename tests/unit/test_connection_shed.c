// Calls that are refused unseen, on a whole connection: their answers, and that everybody else's calls,
// HPACK's state and the connection's window are as if they had been looked at.
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"

enum { QUOTA = 3, CALLS = 200, BODY_BYTES = 900, STREAMS_MAX = 2 * CALLS + 2 };

#define TYPE (&google__protobuf__string_value__descriptor)

// ---- the server ----

static void on_bytes(struct grpc_call *call, struct bytes request) {
    grpc_call_reply_bytes(call, request);
}

static const struct grpc_handler echo = {.on_bytes = on_bytes};
static const struct grpc_method methods[] = {
    {.path = "/a/echo", .request = TYPE, .response = TYPE, .shape = GRPC_UNARY, .handler = &echo}};

// What came of a stream.
struct outcome {
    char status[8], pushback[8];
    bool has_details, is_reset;
    uint32_t error_code;
};

struct world {
    struct loop_group *loops;
    struct loop *loop;
    struct grpc_server *server;
    struct memory_stream stream;
    nghttp2_session *client;
    size_t portion; // bytes that arrive at once
    struct outcome outcomes[STREAMS_MAX];
};

// ---- the client ----

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data) {
    (void)session, (void)flags;
    struct outcome *outcome = &((struct world *)data)->outcomes[frame->hd.stream_id];
    struct bytes field = bytes_of(name, name_len);
    if (bytes_is_text(field, "grpc-status"))
        snprintf(outcome->status, sizeof(outcome->status), "%.*s", (int)value_len, value);
    if (bytes_is_text(field, "grpc-retry-pushback-ms"))
        snprintf(outcome->pushback, sizeof(outcome->pushback), "%.*s", (int)value_len, value);
    outcome->has_details |= bytes_is_text(field, "grpc-status-details-bin");
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data) {
    (void)session;
    struct outcome *outcome = &((struct world *)data)->outcomes[frame->hd.stream_id];
    assert_int_not_equal(frame->hd.type, NGHTTP2_GOAWAY);
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        outcome->is_reset = true;
        outcome->error_code = frame->rst_stream.error_code;
    }
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *data) {
    (void)session, (void)stream, (void)source, (void)data;
    const uint8_t prefix[] = {0, 0, 0, (BODY_BYTES - 5) >> 8, (BODY_BYTES - 5) & 0xff, 0x0a, 0xfc, 0x06};
    assert_true(room >= BODY_BYTES);
    memset(to, 'x', BODY_BYTES);
    memcpy(to, prefix, sizeof(prefix));
    *flags = NGHTTP2_DATA_FLAG_EOF;
    return BODY_BYTES;
}

static ssize_t read_nothing(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *data) {
    (void)session, (void)stream, (void)to, (void)room, (void)flags, (void)source, (void)data;
    return NGHTTP2_ERR_DEFERRED;
}

#define ROW(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE, }

// Every fourth brings a field that is new to HPACK's table.
static int32_t submit(struct world *world, const char *type, nghttp2_data_source_read_callback body) {
    char word[16];
    int32_t next = nghttp2_session_get_next_stream_id(world->client) > 0
                       ? (int32_t)nghttp2_session_get_next_stream_id(world->client)
                       : 0;
    snprintf(word, sizeof(word), "word %d", next / 8);
    const nghttp2_nv rows[] = {ROW(":method", "POST"),    ROW(":scheme", "http"),    ROW(":path", "/a/echo"),
                               ROW(":authority", "test"), ROW("content-type", type), ROW("te", "trailers"),
                               ROW("x-word", word)};
    const nghttp2_data_provider provider = {.read_callback = body};
    int32_t stream = nghttp2_submit_request(world->client, NULL, rows, ARRAY_LENGTH(rows), &provider, NULL);
    assert_int_equal(stream, next);
    return stream;
}

// ---- both ----

static void setup(struct world *world, size_t portion) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    *world = (struct world){.portion = portion};
    grpc_server_settings_init(&options.settings);
    options.settings.connection_window_bytes = 65536; // filled up many times
    assert_int_equal(loop_group_new(1, clock_get_system(), &world->loops), STATUS_OK);
    options.loops = world->loops;
    assert_int_equal(grpc_server_new(&options, &world->server), STATUS_OK);
    world->loop = loop_group_get_loop(world->loops, 0);
    memory_stream_init(&world->stream, world->loop, &(struct ip_address){.family = IP_FAMILY_NONE});
    connection_open(&world->server->home[0], &world->stream.base);
    world->client = memory_client_new_session(on_header, on_frame, NULL, world);
}

static void teardown(struct world *world) {
    if (!world->stream.is_closed)
        world->stream.base.callbacks->on_end(world->stream.base.context, STREAM_END_PEER_CLOSED);
    nghttp2_session_del(world->client);
    memory_stream_fini(&world->stream);
    loop_group_stop(world->loops);
    grpc_server_free(world->server);
    loop_group_free(world->loops);
}

static void collect(struct world *world, struct buffer *sent) {
    const uint8_t *data;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(world->client, &data)) > 0)
        buffer_append(sent, bytes_of(data, (size_t)len));
    assert_int_equal(len, 0);
}

// All that the client has to say, in one turn of a loop that is behind or not.
static bool send_all(struct world *world, bool is_behind) {
    struct load_shed *shed = &world->server->home[0].shed;
    struct buffer sent = {0};
    collect(world, &sent);
    size_t len = sent.len;
    for (size_t at = 0; at < len && !world->stream.is_closed; at += world->portion) {
        size_t left = len - at;
        shed->turn = loop_get_turn(world->loop);
        shed->quota = is_behind ? QUOTA : 0;
        memory_stream_receive(&world->stream, bytes_of(buffer_get_bytes(&sent).data + at,
                                                       left < world->portion ? left : world->portion));
    }
    buffer_fini(&sent);
    return len > 0;
}

static void talk(struct world *world, bool is_behind) {
    bool is_active = true;
    while (is_active) {
        is_active = send_all(world, is_behind);
        uv_run(loop_get_uv(world->loop), UV_RUN_NOWAIT);
        struct bytes written = buffer_get_bytes(&world->stream.written);
        is_active |= written.len > 0;
        assert_int_equal(nghttp2_session_mem_recv(world->client, written.data, written.len), written.len);
        buffer_reset(&world->stream.written);
    }
}

// Where it is answered before its request has come to an end, a reset without an error follows.
static bool is_refused(const struct outcome *outcome) {
    return strcmp(outcome->status, "14") == 0 && strcmp(outcome->pushback, "1000") == 0 &&
           outcome->has_details && outcome->error_code == NGHTTP2_NO_ERROR;
}

static bool is_served(const struct outcome *outcome) {
    return strcmp(outcome->status, "0") == 0 && !outcome->is_reset;
}

static int32_t begin(struct world *world) {
    int32_t stream = submit(world, "application/grpc", read_body);
    talk(world, false);
    assert_true(is_served(&world->outcomes[stream]));
    return stream;
}

static void serve_and_refuse(size_t portion) {
    struct world world;
    size_t served = 0, refused = 0;
    setup(&world, portion);
    begin(&world);
    for (int turn = 0; turn < CALLS / 10 - 1; turn++) {
        int32_t first = submit(&world, "application/grpc", read_body), last = first;
        for (int i = 1; i < 10; i++)
            last = submit(&world, "application/grpc", read_body);
        talk(&world, true);
        for (int32_t stream = first; stream <= last; stream += 2) {
            served += is_served(&world.outcomes[stream]);
            refused += is_refused(&world.outcomes[stream]);
        }
    }
    assert_int_equal(served + refused, CALLS - 10);
    assert_in_range(refused, 1, served * 7 / QUOTA);
    assert_int_equal(world.server->home[0].stats.calls_shed, refused);
    begin(&world); // as if nothing had been
    teardown(&world);
}

static void what_is_beyond_the_quota_is_refused_with_the_time_to_come_back(void **state) {
    (void)state;
    serve_and_refuse(SIZE_MAX);
}

static void it_is_the_same_when_bytes_come_one_by_one(void **state) {
    (void)state;
    serve_and_refuse(1);
}

static void a_refused_call_of_another_protocol_is_reset_as_not_begun(void **state) {
    (void)state;
    struct world world;
    setup(&world, SIZE_MAX);
    begin(&world);
    for (int i = 0; i < QUOTA; i++)
        submit(&world, "application/grpc", read_body);
    int32_t stream = submit(&world, "application/proto", read_body);
    talk(&world, true);
    assert_true(world.outcomes[stream].is_reset);
    assert_int_equal(world.outcomes[stream].error_code, NGHTTP2_REFUSED_STREAM);
    teardown(&world);
}

static void a_refused_call_that_does_not_end_is_ended(void **state) {
    (void)state;
    struct world world;
    setup(&world, SIZE_MAX);
    begin(&world);
    for (int i = 0; i < QUOTA; i++)
        submit(&world, "application/grpc", read_body);
    int32_t stream = submit(&world, "application/grpc", read_nothing);
    talk(&world, true);
    assert_string_equal(world.outcomes[stream].status, "14");
    assert_true(world.outcomes[stream].is_reset);
    assert_int_equal(world.outcomes[stream].error_code, NGHTTP2_NO_ERROR);
    begin(&world);
    teardown(&world);
}

static void resets_of_refused_calls_are_not_held_against_their_client(void **state) {
    (void)state;
    struct world world;
    setup(&world, SIZE_MAX);
    world.server->flood_limits.rates[FLOOD_RESETS] = (struct rate){.per_work = 1};
    begin(&world);
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < QUOTA; i++)
            submit(&world, "application/grpc", read_body);
        int32_t stream = submit(&world, "application/grpc", read_nothing);
        send_all(&world, true);
        assert_int_equal(nghttp2_submit_rst_stream(world.client, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL),
                         0);
        talk(&world, false);
    }
    begin(&world);
    teardown(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beyond_the_quota_is_refused_with_the_time_to_come_back),
        cmocka_unit_test(it_is_the_same_when_bytes_come_one_by_one),
        cmocka_unit_test(a_refused_call_of_another_protocol_is_reset_as_not_begun),
        cmocka_unit_test(a_refused_call_that_does_not_end_is_ended),
        cmocka_unit_test(resets_of_refused_calls_are_not_held_against_their_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
