// What comes for a stream that is over, on a whole connection, also where the client reads nothing and the
// reset of the stream can't leave: nobody is told of it, and it has a budget all the same.
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/grpc/http2_library.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"

enum { STREAM = 1, FRAME_HEAD_BYTES = 9, PAYLOAD_MAX = 4, FRAMES_MAX = 20000 };

#define TYPE (&google__protobuf__string_value__descriptor)

static const struct grpc_handler handler = {.on_bytes = grpc_call_reply_bytes};
static const struct grpc_method methods[] = {
    {.path = "/a/echo", .request = TYPE, .response = TYPE, .shape = GRPC_UNARY, .handler = &handler}};

struct world {
    struct clock_manual clock; // budgets do not fill up
    struct loop_group *loops;
    struct grpc_server *server;
    struct memory_stream stream;
    nghttp2_session *client;
};

static void receive(struct world *world, uint8_t type, uint8_t flags, struct bytes payload) {
    uint8_t frame[FRAME_HEAD_BYTES + PAYLOAD_MAX] = {0, 0,     (uint8_t)payload.len, type, flags, 0, 0,
                                                     0, STREAM};
    assert_true(payload.len <= PAYLOAD_MAX);
    if (payload.len > 0)
        memcpy(frame + FRAME_HEAD_BYTES, payload.data, payload.len);
    memory_stream_receive(&world->stream, bytes_of(frame, FRAME_HEAD_BYTES + payload.len));
}

static ssize_t read_nothing(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *data) {
    (void)session, (void)stream, (void)to, (void)room, (void)flags, (void)source, (void)data;
    return NGHTTP2_ERR_DEFERRED;
}

// Of a request of which no more than the header block comes.
static void open_stream(struct world *world) {
    const nghttp2_nv rows[] = {HEADER_FIELD(":method", "POST"), HEADER_FIELD(":scheme", "http"),
                               HEADER_FIELD(":path", "/a/echo"), HEADER_FIELD(":authority", "test"),
                               HEADER_FIELD("content-type", "application/grpc")};
    const nghttp2_data_provider provider = {.read_callback = read_nothing};
    assert_int_equal(nghttp2_submit_request(world->client, NULL, rows, ARRAY_LENGTH(rows), &provider, NULL),
                     STREAM);
    const uint8_t *sent;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(world->client, &sent)) > 0)
        memory_stream_receive(&world->stream, bytes_of(sent, (size_t)len));
}

// By a window that is too large.
static void provoke_reset(struct world *world) {
    static const uint8_t increment[] = {0x7f, 0xff, 0xff, 0xff};
    receive(world, NGHTTP2_WINDOW_UPDATE, NGHTTP2_FLAG_NONE, bytes_of(increment, sizeof(increment)));
}

static void setup(struct world *world, bool is_stuck) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    *world = (struct world){0};
    clock_manual_init(&world->clock);
    grpc_server_settings_init(&options.settings);
    assert_int_equal(loop_group_new(1, &world->clock.clock, &world->loops), STATUS_OK);
    options.loops = world->loops;
    assert_int_equal(grpc_server_new(&options, &world->server), STATUS_OK);
    struct loop *loop = loop_group_get_loop(world->loops, 0);
    memory_stream_init(&world->stream, loop, &(struct ip_address){.family = IP_FAMILY_NONE});
    connection_open(&world->server->home[0], &world->stream.base);
    world->client = memory_client_new_session(NULL, NULL, NULL, world);
    open_stream(world);
    world->stream.is_stuck = is_stuck;
    assert_true(world->stream.written.len > 0);
    provoke_reset(world);
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

// How many of them until the connection is closed for `why`; FRAMES_MAX: it is not.
static size_t flood(bool is_stuck, uint8_t type, struct bytes payload, enum grpc_close why) {
    struct world world;
    size_t count = 0;
    setup(&world, is_stuck);
    for (; count < FRAMES_MAX && !world.stream.is_closed; count++)
        receive(&world, type, type == NGHTTP2_HEADERS ? NGHTTP2_FLAG_END_HEADERS : NGHTTP2_FLAG_NONE,
                payload);
    assert_int_equal(world.server->home[0].stats.connections_closed[why], count < FRAMES_MAX);
    teardown(&world);
    return count;
}

static void header_blocks_end_the_connection(void **state) {
    (void)state;
    const struct bytes block = BYTES_LITERAL("\x82");
    assert_int_equal(flood(false, NGHTTP2_HEADERS, block, GRPC_CLOSE_TOO_MANY_OTHER_FRAMES), 1001);
    assert_int_equal(flood(true, NGHTTP2_HEADERS, block, GRPC_CLOSE_TOO_MANY_OTHER_FRAMES), 1001);
}

// One is spent before, for the reset.
static void window_updates_end_the_connection(void **state) {
    (void)state;
    const struct bytes increment = bytes_of("\0\0\0\1", 4);
    assert_int_equal(flood(false, NGHTTP2_WINDOW_UPDATE, increment, GRPC_CLOSE_TOO_MANY_WINDOW_UPDATES),
                     10000);
    assert_int_equal(flood(true, NGHTTP2_WINDOW_UPDATE, increment, GRPC_CLOSE_TOO_MANY_WINDOW_UPDATES),
                     10000);
}

static void data_ends_the_connection(void **state) {
    (void)state;
    if (!strstr(http2_library_get_text(), "patched"))
        skip();
    assert_int_equal(flood(false, NGHTTP2_DATA, BYTES_EMPTY, GRPC_CLOSE_TOO_MUCH_LATE_DATA), 10001);
    assert_int_equal(flood(true, NGHTTP2_DATA, BYTES_EMPTY, GRPC_CLOSE_TOO_MUCH_LATE_DATA), 10001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_blocks_end_the_connection),
        cmocka_unit_test(window_updates_end_the_connection),
        cmocka_unit_test(data_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
