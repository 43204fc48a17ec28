// A stream's handler that takes some messages, pauses, and goes on: every message comes once, whole and in
// order, whatever was kept for it meanwhile.
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { MESSAGES = 3000, FILLER_MAX = 300 };

// The handler's.
static struct taker {
    struct grpc_call *call; // NULL: not begun, or finished
    size_t taken, at_once;
} taker;

static void on_start(struct grpc_call *call) {
    taker.call = call;
}

static void on_bytes(struct grpc_call *call, struct bytes message) {
    uint32_t number;
    assert_true(message.len >= sizeof(number));
    memcpy(&number, message.data, sizeof(number));
    assert_int_equal(number, taker.taken);
    for (size_t i = sizeof(number); i < message.len; i++)
        assert_int_equal(message.data[i], (uint8_t)(number + i));
    if (++taker.taken % taker.at_once == 0)
        grpc_call_pause(call);
}

static void on_half_close(struct grpc_call *call) {
    taker.call = NULL;
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler handler = {
    .on_start = on_start, .on_bytes = on_bytes, .on_half_close = on_half_close};
static const struct grpc_method methods[] = {{.path = "/t.S/Take",
                                              .request = &google__protobuf__bytes_value__descriptor,
                                              .response = &google__protobuf__bytes_value__descriptor,
                                              .shape = GRPC_BIDI,
                                              .max_request_bytes = 4096,
                                              .handler = &handler}};

static struct buffer make_messages(struct seed *seed) {
    struct buffer body = {0};
    for (uint32_t number = 0; number < MESSAGES; number++) {
        size_t len = sizeof(number) + seed_next_below(seed, FILLER_MAX);
        uint8_t *to = buffer_reserve(&body, FRAMING_PREFIX_BYTES + len);
        framing_write_prefix(to, (uint32_t)len);
        to += FRAMING_PREFIX_BYTES;
        for (size_t i = 0; i < len; i++)
            to[i] = (uint8_t)(number + i);
        memcpy(to, &number, sizeof(number));
        buffer_advance(&body, FRAMING_PREFIX_BYTES + len);
    }
    return body;
}

// A pause for each `at_once` messages, and more of them arrive in each.
static void take_all(struct memory_client *client, struct bytes body) {
    const nghttp2_nv fields[] = {HEADER_FIELD("te", "trailers"),
                                 HEADER_FIELD("content-type", "application/grpc")};
    memory_client_submit(client, "/t.S/Take", fields, ARRAY_LENGTH(fields), body);
    memory_client_talk(client);
    while (taker.call) {
        grpc_call_resume(taker.call);
        memory_client_talk(client);
    }
    assert_int_equal(taker.taken, MESSAGES);
    assert_true(client->answer.is_complete);
}

static void what_comes_while_a_handler_has_paused_is_taken_in_order(void **state) {
    (void)state;
    static const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    static const size_t portions[] = {1, 7, 64, 450};
    struct seed seed = seed_new();
    struct buffer body = make_messages(&seed);
    for (size_t i = 0; i < ARRAY_LENGTH(portions); i++) {
        struct loop_group *loops;
        struct grpc_server *server;
        struct memory_client client;
        struct grpc_server_options options = {.tables = &table, .table_count = 1};
        taker = (struct taker){.at_once = portions[i]};
        assert_int_equal(loop_group_new(1, clock_get_system(), &loops), STATUS_OK);
        options.loops = loops;
        grpc_server_settings_init(&options.settings);
        assert_int_equal(grpc_server_new(&options, &server), STATUS_OK);
        memory_client_init(&client, loop_group_get_loop(loops, 0), NULL);
        connection_open(&server->home[0], &client.stream.base);
        take_all(&client, buffer_get_bytes(&body));
        loop_group_stop(loops);
        grpc_server_free(server);
        loop_group_free(loops);
        memory_client_fini(&client);
    }
    buffer_fini(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_while_a_handler_has_paused_is_taken_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
