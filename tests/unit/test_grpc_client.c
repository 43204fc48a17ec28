// The client against a server in this process: unary calls and streams, and every allocation of a call
// failing in turn. What other people's servers do is tests/integration/transport/test_client_*.py's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/server.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_stream.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum {
    LONG_MS = 60000,
    SHORT_MS = 1000,       // long enough to connect
    LARGE_BYTES = 3 << 20, // three windows
    COUNT_LARGE = 200000,  // messages of a few bytes: more than a window of them
};

static struct {
    struct loop_group *loops;
    struct grpc_server *grpc;
    char target[64];
    struct grpc_client *client;
    struct arena arena;
    struct fault fault;
} scene;

// ---- the server ----

static void on_echo(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_reply(call, request);
}

static void on_talk(struct grpc_call *call, const ProtobufCMessage *message) {
    if (grpc_call_send(call, message) == STATUS_EXHAUSTED)
        grpc_call_finish(call, NULL);
}

static void on_talk_end(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static void on_refuse(struct grpc_call *call, const ProtobufCMessage *message) {
    (void)message;
    fault_set(grpc_call_get_fault(call), STATUS_ABORTED, "ENOUGH", "no more of this");
    grpc_call_finish(call, grpc_call_get_fault(call));
}

struct counter {
    uint32_t next, end;
};

static void count_on(struct grpc_call *call) {
    struct counter *counter = grpc_call_get_data(call);
    char text[16];
    Google__Protobuf__StringValue value = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    value.value = text;
    while (counter->next < counter->end) {
        snprintf(text, sizeof(text), "%u", counter->next);
        if (grpc_call_send(call, &value.base) != STATUS_OK)
            return;
        counter->next++;
    }
    grpc_call_finish(call, NULL);
}

static void on_count(struct grpc_call *call, const ProtobufCMessage *request) {
    struct counter *counter = ARENA_NEW(grpc_call_get_arena(call), struct counter);
    assert_non_null(counter);
    counter->end = (uint32_t)strtoul(((const Google__Protobuf__StringValue *)request)->value, NULL, 10);
    grpc_call_set_data(call, counter);
    grpc_call_send_headers(call);
    count_on(call);
}

static const struct grpc_handler echo = {.on_message = on_echo};
static const struct grpc_handler count = {
    .on_message = on_count, .on_writable = count_on, .on_cancel = on_talk_end};
static const struct grpc_handler talk = {
    .on_message = on_talk, .on_half_close = on_talk_end, .on_cancel = on_talk_end};
static const struct grpc_handler refuse = {.on_message = on_refuse, .on_cancel = on_talk_end};

#define TYPE (&google__protobuf__string_value__descriptor)
#define METHOD(path_, shape_, handler_)                                                         \
    {                                                                                           \
        .path = path_, .request = TYPE, .response = TYPE, .shape = shape_, .handler = handler_, \
        .max_request_bytes = 2 * LARGE_BYTES                                                    \
    }
static const struct grpc_method methods[] = {
    METHOD("/t.S/Echo", GRPC_UNARY, &echo),
    METHOD("/t.S/Count", GRPC_SERVER_STREAM, &count),
    METHOD("/t.S/Talk", GRPC_BIDI, &talk),
    METHOD("/t.S/Refuse", GRPC_BIDI, &refuse),
};

static int start(void **state) {
    (void)state;
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    const struct listener *listener;
    char error[256];
    grpc_server_settings_init(&options.settings);
    assert_int_equal(loop_group_new(1, clock_get_system(), &scene.loops), STATUS_OK);
    options.loops = scene.loops;
    assert_int_equal(grpc_server_new(&options, &scene.grpc), STATUS_OK);
    assert_int_equal(grpc_server_listen(scene.grpc, "127.0.0.1:0", error, sizeof(error), &listener),
                     STATUS_OK);
    snprintf(scene.target, sizeof(scene.target), "127.0.0.1:%u", listener_get_port(listener));
    assert_int_equal(loop_group_start(scene.loops), STATUS_OK);
    return 0;
}

static int stop(void **state) {
    (void)state;
    loop_group_stop(scene.loops);
    grpc_server_free(scene.grpc);
    loop_group_free(scene.loops);
    return 0;
}

// ---- the client ----

static int set_up(void **state) {
    (void)state;
    const struct grpc_client_options options = {.max_response_bytes = 2 * LARGE_BYTES};
    char error[256];
    arena_init(&scene.arena, 0);
    fault_init(&scene.fault, &scene.arena);
    assert_int_equal(grpc_client_new(scene.target, &options, &scene.client, error, sizeof(error)), STATUS_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    grpc_client_free(scene.client);
    arena_fini(&scene.arena);
    return 0;
}

static Google__Protobuf__StringValue value_of(const char *text) {
    Google__Protobuf__StringValue value = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    value.value = (char *)(uintptr_t)text; // only read
    return value;
}

static const char *text_of(const ProtobufCMessage *message) {
    return ((const Google__Protobuf__StringValue *)message)->value;
}

static char *make_large_text(void) {
    char *text = arena_allocate(&scene.arena, LARGE_BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', LARGE_BYTES);
    text[LARGE_BYTES] = '\0';
    return text;
}

static struct grpc_client_stream *open_stream(const char *path, const ProtobufCMessage *request) {
    const struct grpc_client_call call = {.path = path, .request = request, .response = TYPE};
    struct grpc_client_stream *stream = NULL;
    assert_int_equal(grpc_client_stream_open(scene.client, &call, &stream, &scene.fault), STATUS_OK);
    return stream;
}

static void send_text(struct grpc_client_stream *stream, const char *text) {
    const Google__Protobuf__StringValue value = value_of(text);
    assert_int_equal(grpc_client_stream_send(stream, &value.base, &scene.fault), STATUS_OK);
}

// NULL at the end.
static const char *read_text(struct grpc_client_stream *stream) {
    ProtobufCMessage *message;
    enum status status = grpc_client_stream_read(stream, LONG_MS, &scene.arena, &message, &scene.fault);
    if (status == STATUS_CLOSED)
        return NULL;
    assert_int_equal(status, STATUS_OK);
    return text_of(message);
}

static const char *call_echo(const char *text) {
    const Google__Protobuf__StringValue request = value_of(text);
    const struct grpc_client_call call = {
        .path = "/t.S/Echo", .request = &request.base, .response = TYPE, .timeout_ms = LONG_MS};
    ProtobufCMessage *response;
    assert_int_equal(grpc_client_call(scene.client, &call, &scene.arena, &response, &scene.fault), STATUS_OK);
    return text_of(response);
}

// ---- unary ----

static void messages_larger_than_a_window_pass_both_ways(void **state) {
    (void)state;
    const char *large = make_large_text();
    assert_string_equal(call_echo(large), large);
    assert_string_equal(call_echo("small"), "small");
}

static bool call_once(void *context) {
    (void)context;
    const struct grpc_client_options options = {0};
    const Google__Protobuf__StringValue request = value_of("again and again");
    const struct grpc_metadata metadata = {"authorization", "Bearer x"};
    const struct grpc_client_call call = {.path = "/t.S/Echo",
                                          .request = &request.base,
                                          .response = TYPE,
                                          .metadata = &metadata,
                                          .metadata_count = 1,
                                          .timeout_ms = LONG_MS};
    struct grpc_client *client;
    struct arena arena;
    struct fault fault;
    ProtobufCMessage *response;
    char error[256];
    if (grpc_client_new(scene.target, &options, &client, error, sizeof(error)) != STATUS_OK)
        return false;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    bool succeeded = grpc_client_call(client, &call, &arena, &response, &fault) == STATUS_OK &&
                     strcmp(text_of(response), "again and again") == 0;
    // A failure is never without a reason.
    bool is_told = succeeded || (fault.status != STATUS_OK && fault.reason);
    arena_fini(&arena);
    grpc_client_free(client);
    return succeeded || !is_told;
}

static void each_allocation_of_a_call_may_fail(void **state) {
    (void)state;
    allocation_failure_try_each(call_once, NULL);
}

// ---- streams ----

static void a_servers_messages_are_read_in_order_to_the_end(void **state) {
    (void)state;
    const Google__Protobuf__StringValue request = value_of("1000");
    struct grpc_client_stream *stream = open_stream("/t.S/Count", &request.base);
    char text[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        assert_string_equal(read_text(stream), text);
    }
    assert_null(read_text(stream));
    assert_null(read_text(stream));
    grpc_client_stream_free(stream);
}

static void a_slow_reader_is_waited_for_and_other_calls_go_on(void **state) {
    (void)state;
    char number[16], text[16];
    snprintf(number, sizeof(number), "%d", COUNT_LARGE);
    const Google__Protobuf__StringValue request = value_of(number);
    struct grpc_client_stream *stream = open_stream("/t.S/Count", &request.base);
    for (int i = 0; i < 100; i++)
        assert_string_equal(call_echo("meanwhile"), "meanwhile");
    for (int i = 0; i < COUNT_LARGE; i++) {
        snprintf(text, sizeof(text), "%d", i);
        assert_string_equal(read_text(stream), text);
        if (i % 1000 == 0)
            arena_reset(&scene.arena);
    }
    assert_null(read_text(stream));
    grpc_client_stream_free(stream);
}

static void two_sides_talk_in_turn(void **state) {
    (void)state;
    struct grpc_client_stream *stream = open_stream("/t.S/Talk", NULL);
    for (int i = 0; i < 10; i++) {
        send_text(stream, "ping");
        assert_string_equal(read_text(stream), "ping");
    }
    grpc_client_stream_half_close(stream);
    assert_null(read_text(stream));
    grpc_client_stream_free(stream);
}

static void a_message_larger_than_a_window_streams_both_ways(void **state) {
    (void)state;
    const char *large = make_large_text();
    struct grpc_client_stream *stream = open_stream("/t.S/Talk", NULL);
    for (int i = 0; i < 3; i++) {
        send_text(stream, large);
        assert_string_equal(read_text(stream), large);
    }
    grpc_client_stream_free(stream);
}

static void nothing_to_read_is_no_end(void **state) {
    (void)state;
    ProtobufCMessage *message;
    struct grpc_client_stream *stream = open_stream("/t.S/Talk", NULL);
    struct fault fault;
    fault_init(&fault, &scene.arena);
    assert_int_equal(grpc_client_stream_read(stream, SHORT_MS, &scene.arena, &message, &fault),
                     STATUS_DEADLINE_EXCEEDED);
    send_text(stream, "still here");
    assert_string_equal(read_text(stream), "still here");
    grpc_client_stream_free(stream);
}

static void a_stream_that_fails_says_how(void **state) {
    (void)state;
    ProtobufCMessage *message;
    struct grpc_client_stream *stream = open_stream("/t.S/Refuse", NULL);
    send_text(stream, "anything");
    assert_int_equal(grpc_client_stream_read(stream, LONG_MS, &scene.arena, &message, &scene.fault),
                     STATUS_ABORTED);
    assert_string_equal(scene.fault.reason, "ENOUGH");
    grpc_client_stream_free(stream);
}

static void a_stream_that_is_let_go_leaves_the_connection_to_others(void **state) {
    (void)state;
    const Google__Protobuf__StringValue request = value_of("1000000");
    for (int i = 0; i < 10; i++) {
        struct grpc_client_stream *stream = open_stream("/t.S/Count", &request.base);
        assert_string_equal(read_text(stream), "0");
        grpc_client_stream_free(stream);
        assert_string_equal(call_echo("after it"), "after it");
    }
}

static void a_stream_has_a_deadline_of_its_own(void **state) {
    (void)state;
    const struct grpc_client_call call = {.path = "/t.S/Talk", .response = TYPE, .timeout_ms = SHORT_MS};
    struct grpc_client_stream *stream;
    ProtobufCMessage *message;
    assert_int_equal(grpc_client_stream_open(scene.client, &call, &stream, &scene.fault), STATUS_OK);
    assert_int_equal(grpc_client_stream_read(stream, 0, &scene.arena, &message, &scene.fault),
                     STATUS_DEADLINE_EXCEEDED);
    grpc_client_stream_free(stream);
}

static bool talk_once(void *context) {
    (void)context;
    const struct grpc_client_call call = {.path = "/t.S/Talk", .response = TYPE, .timeout_ms = LONG_MS};
    const struct grpc_client_options options = {0};
    const Google__Protobuf__StringValue value = value_of("again and again");
    struct grpc_client *client = NULL;
    struct grpc_client_stream *stream = NULL;
    struct arena arena;
    struct fault fault;
    ProtobufCMessage *message;
    char error[256];
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    bool succeeded = grpc_client_new(scene.target, &options, &client, error, sizeof(error)) == STATUS_OK &&
                     grpc_client_stream_open(client, &call, &stream, &fault) == STATUS_OK &&
                     grpc_client_stream_send(stream, &value.base, &fault) == STATUS_OK &&
                     grpc_client_stream_read(stream, LONG_MS, &arena, &message, &fault) == STATUS_OK;
    grpc_client_stream_free(stream);
    grpc_client_free(client);
    arena_fini(&arena);
    return succeeded;
}

static void each_allocation_of_a_stream_may_fail(void **state) {
    (void)state;
    allocation_failure_try_each(talk_once, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(messages_larger_than_a_window_pass_both_ways),
        CASE(each_allocation_of_a_call_may_fail),
        CASE(a_servers_messages_are_read_in_order_to_the_end),
        CASE(a_slow_reader_is_waited_for_and_other_calls_go_on),
        CASE(two_sides_talk_in_turn),
        CASE(a_message_larger_than_a_window_streams_both_ways),
        CASE(nothing_to_read_is_no_end),
        CASE(a_stream_that_fails_says_how),
        CASE(a_stream_that_is_let_go_leaves_the_connection_to_others),
        CASE(a_stream_has_a_deadline_of_its_own),
        CASE(each_allocation_of_a_stream_may_fail),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
