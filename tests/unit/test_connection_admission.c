// Whole connections on one loop that refuses too many calls: who hears GOAWAY, what becomes of
// the calls of those, and who may come.
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/grpc/connection_admission.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"

enum { CLIENTS = 8, PERIOD_MS = 100, HEAVY = 1000, LIGHT = 100, STREAMS_MAX = 4 * HEAVY + 8 };

#define TYPE (&google__protobuf__string_value__descriptor)

// ---- the server ----

static struct grpc_call *held;

static size_t echoed;

static void on_echo(struct grpc_call *call, struct bytes request) {
    echoed++;
    grpc_call_reply_bytes(call, request);
}

static void on_hold(struct grpc_call *call, struct bytes request) {
    (void)request;
    held = call;
}

static const struct grpc_handler echo = {.on_bytes = on_echo}, hold = {.on_bytes = on_hold};
static const struct grpc_method methods[] = {
    {.path = "/a/echo", .request = TYPE, .response = TYPE, .shape = GRPC_UNARY, .handler = &echo},
    {.path = "/a/hold", .request = TYPE, .response = TYPE, .shape = GRPC_UNARY, .handler = &hold}};

struct client {
    struct memory_stream stream;
    nghttp2_session *session;
    bool has_goaway;
    int32_t last_stream_id;
    bool is_served[STREAMS_MAX];
};

struct world {
    struct clock_manual clock;
    struct loop_group *loops;
    struct loop *loop;
    struct grpc_server *server;
    struct client clients[CLIENTS];
};

// ---- the clients ----

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data) {
    (void)session, (void)flags;
    if (bytes_is_text(bytes_of(name, name_len), "grpc-status"))
        ((struct client *)data)->is_served[frame->hd.stream_id] =
            bytes_is_text(bytes_of(value, value_len), "0");
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data) {
    (void)session;
    struct client *client = data;
    if (frame->hd.type != NGHTTP2_GOAWAY)
        return 0;
    assert_int_equal(frame->goaway.error_code, NGHTTP2_NO_ERROR);
    client->has_goaway = true;
    client->last_stream_id = frame->goaway.last_stream_id;
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *data) {
    (void)session, (void)stream, (void)source, (void)data;
    assert_true(room >= 5);
    memset(to, 0, 5);
    *flags = NGHTTP2_DATA_FLAG_EOF;
    return 5;
}

#define ROW(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE, }

static int32_t submit(struct client *client, const char *path) {
    const nghttp2_nv rows[] = {
        ROW(":method", "POST"),    ROW(":scheme", "http"), ROW(":path", path),
        ROW(":authority", "test"), ROW("te", "trailers"),  ROW("content-type", "application/grpc"),
        ROW("grpc-timeout", "1S"),
    };
    const nghttp2_data_provider provider = {.read_callback = read_body};
    return nghttp2_submit_request(client->session, NULL, rows, ARRAY_LENGTH(rows), &provider, NULL);
}

// ---- both ----

static struct grpc_loop *home_of(struct world *world) {
    return &world->server->home[0];
}

static void setup(struct world *world) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    memset(world, 0, sizeof(*world));
    clock_manual_init(&world->clock);
    grpc_server_settings_init(&options.settings);
    options.settings.overload_refusals = 10 * LIGHT;
    assert_int_equal(loop_group_new(1, &world->clock.clock, &world->loops), STATUS_OK);
    options.loops = world->loops;
    assert_int_equal(grpc_server_new(&options, &world->server), STATUS_OK);
    world->loop = loop_group_get_loop(world->loops, 0);
    for (struct client *client = world->clients; client < world->clients + CLIENTS; client++) {
        memory_stream_init(&client->stream, world->loop, &(struct ip_address){.family = IP_FAMILY_NONE});
        connection_open(home_of(world), &client->stream.base);
        client->session = memory_client_new_session(on_header, on_frame, NULL, client);
    }
}

static void teardown(struct world *world) {
    for (struct client *client = world->clients; client < world->clients + CLIENTS; client++) {
        if (!client->stream.is_closed)
            client->stream.base.callbacks->on_end(client->stream.base.context, STREAM_END_PEER_CLOSED);
        nghttp2_session_del(client->session);
        memory_stream_fini(&client->stream);
    }
    loop_group_stop(world->loops);
    grpc_server_free(world->server);
    loop_group_free(world->loops);
}

// All that the client has to say, to a loop that is behind or not.
static void send_all(struct world *world, struct client *client, unsigned quota) {
    struct load_shed *shed = &home_of(world)->shed;
    struct buffer sent = {0};
    const uint8_t *data;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(client->session, &data)) > 0)
        buffer_append(&sent, bytes_of(data, (size_t)len));
    assert_int_equal(len, 0);
    shed->turn = loop_get_turn(world->loop);
    shed->quota = quota;
    if (sent.len > 0 && !client->stream.is_closed)
        memory_stream_receive(&client->stream, buffer_get_bytes(&sent));
    buffer_fini(&sent);
}

static void take_all(struct world *world) {
    uv_run(loop_get_uv(world->loop), UV_RUN_NOWAIT);
    for (struct client *client = world->clients; client < world->clients + CLIENTS; client++) {
        struct bytes written = buffer_get_bytes(&client->stream.written);
        assert_int_equal(nghttp2_session_mem_recv(client->session, written.data, written.len), written.len);
        buffer_reset(&client->stream.written);
    }
}

static void talk(struct world *world, struct client *client) {
    for (int i = 0; i < 3; i++) {
        send_all(world, client, 0);
        take_all(world);
    }
}

static int32_t ask(struct world *world, struct client *client) {
    int32_t stream = submit(client, "/a/echo");
    talk(world, client);
    return stream;
}

// The first client asks for ten times as much as the others, which is too much.
static void overload_once(struct world *world) {
    for (struct client *client = world->clients; client < world->clients + CLIENTS; client++) {
        assert_true(client->is_served[ask(world, client)]);
        for (int i = 0; i < (client == world->clients ? HEAVY - 2 : LIGHT); i++)
            submit(client, "/a/echo");
        send_all(world, client, 1);
    }
    take_all(world);
    clock_manual_advance_ms(&world->clock, PERIOD_MS);
    loop_forget_time(world->loop);
}

static void overload(struct world *world) {
    overload_once(world);
    overload_once(world);
}

static void who_brings_most_is_sent_away_and_what_was_read_of_it_is_answered(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    struct client *heavy = world.clients;
    int32_t waiting = submit(heavy, "/a/hold");
    overload(&world);
    assert_true(world.clients[1].is_served[ask(&world, &world.clients[1])]);
    assert_true(heavy->has_goaway);
    assert_int_equal(heavy->last_stream_id, 2 * (1 + 2 * (HEAVY - 1)) - 1);
    assert_false(heavy->stream.is_closed);
    grpc_call_reply_bytes(held, BYTES_EMPTY);
    take_all(&world);
    assert_true(heavy->is_served[waiting]);
    assert_true(heavy->stream.is_closed);
    assert_int_equal(home_of(&world)->stats.connections_closed[GRPC_CLOSE_OVERLOAD], 1);
    for (int i = 1; i < CLIENTS; i++) {
        assert_true(world.clients[i].is_served[ask(&world, &world.clients[i])]);
        assert_false(world.clients[i].has_goaway);
    }
    teardown(&world);
}

static void nobody_is_sent_away_where_that_is_turned_off(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    home_of(&world)->admission.refused_per_s = 0;
    overload(&world);
    assert_true(world.clients[1].is_served[ask(&world, &world.clients[1])]);
    assert_false(world.clients[0].has_goaway);
    assert_true(connection_admission_permits(home_of(&world)));
    teardown(&world);
}

static void who_comes_then_may_not_and_later_may(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    assert_true(connection_admission_permits(home_of(&world)));
    overload(&world);
    assert_false(connection_admission_permits(home_of(&world)));
    assert_true(home_of(&world)->admission.wary_until_ns > 0);
    clock_manual_advance_ms(&world.clock, 10000);
    loop_forget_time(world.loop);
    assert_true(connection_admission_permits(home_of(&world)));
    assert_int_equal(home_of(&world)->admission.wary_until_ns, 0);
    teardown(&world);
}

// The balance has a second loop, of which nothing else is seen here.
static void no_other_loop_hands_over_to_one_that_sends_away(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    struct connection_balance *own = world.server->balance;
    assert_int_equal(connection_balance_new(2, &world.server->balance), STATUS_OK);
    struct connection_balance *balance = world.server->balance;
    assert_int_equal(connection_balance_add(balance, 1), 1);
    overload(&world);
    assert_false(connection_admission_permits(home_of(&world)));
    assert_int_equal(connection_balance_add(balance, 1), 1);
    clock_manual_advance_ms(&world.clock, 10000);
    loop_forget_time(world.loop);
    assert_true(connection_admission_permits(home_of(&world)));
    assert_int_equal(connection_balance_add(balance, 1), 0);
    world.server->balance = own;
    teardown(&world);
    connection_balance_free(balance);
}

// It may have been on its way when GOAWAY was made, and is the client's to send elsewhere.
static void a_call_behind_goaway_is_not_begun(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    struct client *client = &world.clients[CLIENTS - 1];
    assert_true(client->is_served[ask(&world, client)]);
    connection_leave(home_of(&world)->connections, GRPC_CLOSE_OVERLOAD); // the last that was opened
    size_t echoed_before = echoed;
    int32_t late = ask(&world, client);
    assert_true(client->has_goaway);
    assert_int_equal(client->last_stream_id, late - 2);
    assert_int_equal(echoed, echoed_before);
    assert_true(client->stream.is_closed);
    teardown(&world);
}

// Nor does a call that never ends keep the connection for it.
static void who_goes_on_behind_goaway_is_closed(void **state) {
    (void)state;
    struct world world;
    setup(&world);
    struct client *client = &world.clients[CLIENTS - 1];
    submit(client, "/a/hold");
    talk(&world, client);
    connection_leave(home_of(&world)->connections, GRPC_CLOSE_OVERLOAD);
    submit(client, "/a/echo");
    send_all(&world, client, 0);
    assert_false(client->stream.is_closed);
    clock_manual_advance_ms(&world.clock, 10000);
    loop_forget_time(world.loop);
    submit(client, "/a/echo");
    send_all(&world, client, 0);
    assert_true(client->stream.is_closed);
    assert_int_equal(home_of(&world)->stats.connections_closed[GRPC_CLOSE_OVERLOAD], 1);
    grpc_call_reply_bytes(held, BYTES_EMPTY);
    take_all(&world);
    teardown(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_brings_most_is_sent_away_and_what_was_read_of_it_is_answered),
        cmocka_unit_test(nobody_is_sent_away_where_that_is_turned_off),
        cmocka_unit_test(who_comes_then_may_not_and_later_may),
        cmocka_unit_test(no_other_loop_hands_over_to_one_that_sends_away),
        cmocka_unit_test(a_call_behind_goaway_is_not_begun),
        cmocka_unit_test(who_goes_on_behind_goaway_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
