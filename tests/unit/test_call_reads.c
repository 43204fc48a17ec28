// Many calls in one read: all that was asked leaves in one write. However the same bytes are cut, the answers
// are the same.
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/unit.h"

enum { CALLS = 150, TEXT_BYTES = 200, BODY_BYTES = FRAMING_PREFIX_BYTES + 3 + TEXT_BYTES };

static void on_echo(struct grpc_call *call, struct bytes request) {
    grpc_call_reply_bytes(call, request);
}

static size_t times_together, calls_together;

static void on_echo_together(struct grpc_call *const *calls, size_t count) {
    assert_in_range(count, 1, GRPC_CALLS_TOGETHER_MAX);
    times_together++;
    calls_together += count;
    for (size_t i = 0; i < count; i++)
        grpc_call_reply_bytes(calls[i], grpc_call_get_request(calls[i]));
}

static const struct grpc_handler echo = {.on_bytes = on_echo};
static const struct grpc_handler echo_together = {.on_requests = on_echo_together};

#define METHOD(its_path, its_handler)                                                 \
    {                                                                                 \
        .path = its_path, .request = &google__protobuf__string_value__descriptor,     \
        .response = &google__protobuf__string_value__descriptor, .shape = GRPC_UNARY, \
        .handler = &its_handler                                                       \
    }

enum { ALONE, TOGETHER, METHODS };
static const struct grpc_method methods[METHODS] = {
    [ALONE] = METHOD("/t.S/Echo", echo),
    [TOGETHER] = METHOD("/t.S/EchoTogether", echo_together),
};

struct scene {
    struct loop_group *loops;
    struct grpc_server *server;
    struct memory_client client;
    struct bytes bodies[CALLS]; // what is left of each
    uint8_t body[BODY_BYTES];
};

static void scene_init_with(struct scene *scene, int64_t max_executing) {
    static const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    memset(scene, 0, sizeof(*scene));
    assert_int_equal(loop_group_new(1, clock_get_system(), &scene->loops), STATUS_OK);
    options.loops = scene->loops;
    grpc_server_settings_init(&options.settings);
    options.settings.max_executing = max_executing;
    times_together = calls_together = 0;
    assert_int_equal(grpc_server_new(&options, &scene->server), STATUS_OK);
    memory_client_init(&scene->client, loop_group_get_loop(scene->loops, 0), NULL);
    connection_open(&scene->server->home[0], &scene->client.stream.base);
    memory_client_talk(&scene->client); // SETTINGS
    framing_write_prefix(scene->body, BODY_BYTES - FRAMING_PREFIX_BYTES);
    memset(scene->body + FRAMING_PREFIX_BYTES, 'x', BODY_BYTES - FRAMING_PREFIX_BYTES);
    memcpy(scene->body + FRAMING_PREFIX_BYTES, "\x0a\xc8\x01", 3);
}

static void scene_init(struct scene *scene) {
    scene_init_with(scene, CALLS);
}

static void scene_fini(struct scene *scene) {
    loop_group_stop(scene->loops);
    grpc_server_free(scene->server);
    loop_group_free(scene->loops);
    memory_client_fini(&scene->client);
}

static void submit(struct scene *scene, size_t number, size_t method) {
    const char *path = methods[method].path;
    const nghttp2_nv fields[] = {
        HEADER_FIELD(":method", "POST"),
        HEADER_FIELD(":scheme", "http"),
        HEADER_FIELD(":authority", "test"),
        {(uint8_t *)":path", (uint8_t *)path, 5, strlen(path), NGHTTP2_NV_FLAG_NONE},
        HEADER_FIELD("te", "trailers"),
        HEADER_FIELD("content-type", "application/grpc"),
    };
    scene->bodies[number] = bytes_of(scene->body, BODY_BYTES);
    nghttp2_data_provider provider = {.source.ptr = &scene->bodies[number],
                                      .read_callback = memory_client_read_body};
    assert_true(nghttp2_submit_request(scene->client.session, NULL, fields, ARRAY_LENGTH(fields), &provider,
                                       NULL) > 0);
}

// What the client has to say.
static void collect(struct scene *scene, struct buffer *asked) {
    const uint8_t *data;
    for (ssize_t len; (len = nghttp2_session_mem_send(scene->client.session, &data)) > 0;)
        buffer_append(asked, bytes_of(data, (size_t)len));
}

// All calls, as the bytes that they are; each by the next of `count` methods.
static struct buffer ask(struct scene *scene, const size_t *of_methods, size_t count) {
    struct buffer asked = {0};
    for (size_t i = 0; i < CALLS; i++)
        submit(scene, i, of_methods[i % count]);
    collect(scene, &asked);
    return asked;
}

static struct buffer ask_alone(struct scene *scene) {
    return ask(scene, (const size_t[]){ALONE}, 1);
}

static struct buffer ask_together(struct scene *scene) {
    return ask(scene, (const size_t[]){TOGETHER}, 1);
}

static size_t count_text(struct bytes in, const char *text) {
    size_t count = 0, len = strlen(text);
    for (const uint8_t *at = in.data; (at = memmem(at, in.len - (size_t)(at - in.data), text, len));
         at += len)
        count++;
    return count;
}

static void check_answers(struct scene *scene) {
    memory_client_talk(&scene->client);
    struct bytes fields = buffer_get_bytes(&scene->client.answer.fields);
    struct bytes bodies = buffer_get_bytes(&scene->client.answer.body);
    assert_int_equal(count_text(fields, ":status: 200\n"), CALLS);
    assert_int_equal(count_text(fields, "grpc-status: 0\n"), CALLS);
    assert_int_equal(bodies.len, (size_t)CALLS * BODY_BYTES);
    for (size_t i = 0; i < CALLS; i++)
        assert_memory_equal(bodies.data + i * BODY_BYTES, scene->body, BODY_BYTES);
    assert_null(scene->server->home[0].connections->calls);
    uint64_t finished = 0;
    for (size_t i = 0; i < METHODS; i++)
        finished += scene->server->home[0].methods[i].finished[GRPC_CODE_OK];
    assert_int_equal(finished, CALLS);
}

static void what_one_read_asks_for_leaves_in_one_write(void **state) {
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct buffer asked = ask_alone(&scene);
    size_t before = scene.client.stream.writes;
    memory_stream_receive(&scene.client.stream, buffer_get_bytes(&asked));
    assert_int_equal(scene.client.stream.writes, before + 1);
    check_answers(&scene);
    buffer_fini(&asked);
    scene_fini(&scene);
}

static void check_cuts(struct buffer (*ask_all)(struct scene *scene)) {
    static const size_t steps[] = {1, 9, 4095, 4096, 4097, 8192, 8193};
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        struct scene scene;
        scene_init(&scene);
        struct buffer asked = ask_all(&scene);
        for (size_t from = 0; from < asked.len; from += steps[i]) {
            size_t left = asked.len - from, len = left < steps[i] ? left : steps[i];
            memory_stream_receive(&scene.client.stream, bytes_of(asked.data + from, len));
        }
        check_answers(&scene);
        buffer_fini(&asked);
        scene_fini(&scene);
    }
}

static void the_answers_are_the_same_however_the_bytes_are_cut(void **state) {
    (void)state;
    check_cuts(ask_alone);
    check_cuts(ask_together);
}

static void receive(struct scene *scene, struct buffer *asked) {
    memory_stream_receive(&scene->client.stream, buffer_get_bytes(asked));
    buffer_fini(asked);
}

static void calls_that_come_together_are_handed_over_together(void **state) {
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct buffer asked = ask_together(&scene);
    receive(&scene, &asked);
    assert_int_equal(calls_together, CALLS);
    assert_int_equal(times_together, (CALLS + GRPC_CALLS_TOGETHER_MAX - 1) / GRPC_CALLS_TOGETHER_MAX);
    check_answers(&scene);
    scene_fini(&scene);
}

static void calls_of_several_methods_are_all_answered(void **state) {
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct buffer asked = ask(&scene, (const size_t[]){TOGETHER, TOGETHER, ALONE}, 3);
    receive(&scene, &asked);
    assert_int_equal(calls_together, CALLS / 3 * 2);
    check_answers(&scene);
    scene_fini(&scene);
}

static void none_is_refused_because_others_came_with_it(void **state) {
    (void)state;
    struct scene scene;
    scene_init_with(&scene, 1);
    struct buffer asked = ask_together(&scene);
    receive(&scene, &asked);
    assert_int_equal(times_together, CALLS);
    check_answers(&scene);
    scene_fini(&scene);
}

static void one_that_is_reset_in_the_same_read_is_left_out(void **state) {
    (void)state;
    struct scene scene;
    struct buffer asked = {0};
    scene_init(&scene);
    submit(&scene, 0, TOGETHER);
    submit(&scene, 1, TOGETHER);
    collect(&scene, &asked);
    assert_int_equal(nghttp2_submit_rst_stream(scene.client.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_CANCEL),
                     0);
    collect(&scene, &asked);
    receive(&scene, &asked);
    assert_int_equal(calls_together, 1);
    assert_int_equal(scene.server->home[0].methods[TOGETHER].finished[GRPC_CODE_OK], 1);
    assert_int_equal(scene.server->home[0].methods[TOGETHER].finished[GRPC_CODE_CANCELLED], 1);
    scene_fini(&scene);
}

static void nothing_behind_a_failure_is_read(void **state) {
    (void)state;
    struct scene scene;
    scene_init(&scene);
    static const uint8_t wrong[] = {0, 0, 0, 4, 0, 0, 0, 0, 1}; // SETTINGS on a stream
    struct buffer sent = {0};
    buffer_append(&sent, bytes_of(wrong, sizeof(wrong)));
    struct buffer asked = ask_alone(&scene);
    buffer_append(&sent, buffer_get_bytes(&asked));
    memory_stream_receive(&scene.client.stream, buffer_get_bytes(&sent));
    assert_true(scene.client.stream.is_closed);
    assert_null(scene.server->home[0].connections);
    assert_int_equal(scene.server->home[0].stats.calls_started, 0);
    buffer_fini(&sent);
    buffer_fini(&asked);
    scene_fini(&scene);
}

static void set(struct scene *scene, int32_t setting, uint32_t value) {
    const nghttp2_settings_entry entry = {setting, value};
    assert_int_equal(nghttp2_submit_settings(scene->client.session, NGHTTP2_FLAG_NONE, &entry, 1), 0);
    memory_client_talk(&scene->client);
}

// Between the headers of the answers and their trailers. The client takes the trailers for an error of
// compression unless they begin with the size.
static void a_client_that_makes_its_table_smaller_understands_what_ends_its_calls(void **state) {
    (void)state;
    struct scene scene;
    scene_init(&scene);
    set(&scene, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
    struct buffer asked = ask_alone(&scene);
    receive(&scene, &asked);
    set(&scene, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0);
    set(&scene, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535);
    check_answers(&scene);
    scene_fini(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_read_asks_for_leaves_in_one_write),
        cmocka_unit_test(the_answers_are_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(calls_that_come_together_are_handed_over_together),
        cmocka_unit_test(calls_of_several_methods_are_all_answered),
        cmocka_unit_test(none_is_refused_because_others_came_with_it),
        cmocka_unit_test(one_that_is_reset_in_the_same_read_is_left_out),
        cmocka_unit_test(nothing_behind_a_failure_is_read),
        cmocka_unit_test(a_client_that_makes_its_table_smaller_understands_what_ends_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
