// One call by each protocol, in process and whole; then again with its first allocation failing, its second,
// and so on: it is answered or lost, never something else, and nothing of it is left.
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/compression.h"
#include "common/grpc/framing.h"
#include "common/grpc/local_call.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { TURNS_MAX = 100 };

// ---- the server ----

static void on_message(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_reply(call, request);
}

static void on_bytes(struct grpc_call *call, struct bytes request) {
    grpc_call_add_trailer(call, "x-trailer", BYTES_LITERAL("value"));
    grpc_call_reply_bytes(call, request);
}

static void on_refused(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    struct fault *fault = grpc_call_get_fault(call);
    grpc_call_add_header(call, "x-header", BYTES_LITERAL("value"));
    fault_add_field(fault, "value", "type something else");
    fault_set_retry_after_ms(fault, 100);
    grpc_call_finish(call, fault);
}

static const struct grpc_handler by_message = {.on_message = on_message}, by_bytes = {.on_bytes = on_bytes},
                                 refused = {.on_message = on_refused};

#define METHOD(name, handler_)                                                          \
    {                                                                                   \
        .path = "/a.A/" name, .shape = GRPC_UNARY, .is_read_only = true,                \
        .request = &google__protobuf__string_value__descriptor,                         \
        .response = &google__protobuf__string_value__descriptor, .handler = &(handler_) \
    }
static const struct grpc_method methods[] = {METHOD("Message", by_message), METHOD("Bytes", by_bytes),
                                             METHOD("Refused", refused)};

static struct loop_group *loops;
static struct grpc_server *server;

static int start(void **state) {
    (void)state;
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    grpc_server_settings_init(&options.settings);
    if (loop_group_new(1, clock_get_system(), &loops) != STATUS_OK)
        return -1;
    options.loops = loops;
    return grpc_server_new(&options, &server) == STATUS_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    loop_group_stop(loops);
    grpc_server_free(server);
    loop_group_free(loops);
    return 0;
}

// ---- a call ----

// The texts are of StringValue: JSON's in quotes, protobuf's with tag and length, some with a prefix around.
static const struct example {
    const char *path, *content_type, *header, *header_value;
    struct bytes body;
    bool is_packed; // the body is gzip of that
    unsigned http_status;
    const char *answer; // a part of its body; NULL = nothing to look for
} examples[] = {
    {"/a.A/Message",
     "application/grpc",
     NULL,
     NULL,
     {(const uint8_t *)"\0\0\0\0\3\12\1x", 8},
     false,
     200,
     "\12\1x"},
    {"/a.A/Message",
     "application/grpc+json",
     NULL,
     NULL,
     {(const uint8_t *)"\0\0\0\0\3\"x\"", 8},
     false,
     200,
     "\"x\""},
    {"/a.A/Bytes",
     "application/grpc+json",
     NULL,
     NULL,
     {(const uint8_t *)"\0\0\0\0\3\"x\"", 8},
     false,
     200,
     "\"x\""},
    {"/a.A/Refused", "application/grpc", NULL, NULL, {(const uint8_t *)"\0\0\0\0\0", 5}, false, 200, NULL},
    {"/a.A/Bytes",
     "application/grpc-web",
     NULL,
     NULL,
     {(const uint8_t *)"\0\0\0\0\3\12\1x", 8},
     false,
     200,
     "grpc-status: 0\r\nx-trailer: value\r\n"},
    {"/a.A/Refused",
     "application/grpc-web+json",
     NULL,
     NULL,
     {(const uint8_t *)"\0\0\0\0\2\"\"", 7},
     false,
     200,
     "grpc-status: 3\r\n"},
    {"/a.A/Message", "application/json", NULL, NULL, {(const uint8_t *)"\"x\"", 3}, false, 200, "\"x\""},
    {"/a.A/Bytes",
     "application/json",
     "accept-encoding",
     "gzip",
     {(const uint8_t *)"\"x\"", 3},
     false,
     200,
     "\"x\""},
    {"/a.A/Message",
     "application/proto",
     "content-encoding",
     "gzip",
     {(const uint8_t *)"\12\1x", 3},
     true,
     200,
     "\12\1x"},
    {"/a.A/Refused",
     "application/json",
     NULL,
     NULL,
     {(const uint8_t *)"\"x\"", 3},
     false,
     400,
     "\"fieldViolations\""},
    {"/a.A/Message",
     "application/json",
     NULL,
     NULL,
     {(const uint8_t *)"{", 1},
     false,
     400,
     "\"invalid_argument\""},
    {"/a.A/None", "application/json", NULL, NULL, {(const uint8_t *)"{", 1}, false, 404, "\"unimplemented\""},
};

struct outcome {
    bool is_done;
    unsigned http_status;
    struct buffer body;
};

static void on_done(void *context, const struct local_response *response) {
    struct outcome *outcome = context;
    outcome->is_done = true;
    outcome->http_status = response->http_status;
    buffer_append(&outcome->body, response->body);
}

static void turn_until_done(const struct outcome *outcome) {
    for (unsigned i = 0; i < TURNS_MAX && !outcome->is_done; i++)
        uv_run(loop_get_uv(loop_group_get_loop(loops, 0)), UV_RUN_NOWAIT);
}

static void run(const struct local_request *request, struct outcome *outcome) {
    struct local_call *call;
    if (local_call_new(server, 0, request, on_done, outcome, &call) != STATUS_OK) {
        outcome->is_done = true;
        return;
    }
    local_call_begin(call);
    turn_until_done(outcome);
    local_call_free(call);
    // What was put off to the end of the turn.
    uv_run(loop_get_uv(loop_group_get_loop(loops, 0)), UV_RUN_NOWAIT);
}

static void add(struct local_request *request, struct arena *arena, const char *name, const char *value) {
    assert_int_equal(metadata_add(&request->fields, arena, bytes_of_text(name), bytes_of_text(value)),
                     STATUS_OK);
}

static struct local_request make_request(const struct example *example, struct arena *arena,
                                         struct buffer *packed) {
    struct local_request request = {.path = bytes_of_text(example->path), .body = example->body};
    metadata_init(&request.fields);
    add(&request, arena, "content-type", example->content_type);
    if (example->header)
        add(&request, arena, example->header, example->header_value);
    if (example->is_packed) {
        struct compression compression = {0};
        assert_int_equal(compression_deflate(&compression, example->body, packed), STATUS_OK);
        request.body = buffer_get_bytes(packed);
        compression_fini(&compression);
    }
    return request;
}

static bool contains(struct bytes all, const char *part) {
    return memmem(all.data, all.len, part, strlen(part)) != NULL;
}

static void assert_answered(const struct example *example, const struct outcome *outcome) {
    assert_true(outcome->is_done);
    assert_int_equal(outcome->http_status, example->http_status);
    if (example->answer)
        assert_true(contains(buffer_get_bytes(&outcome->body), example->answer));
}

// ---- the cases ----

static void every_protocol_is_answered_in_its_own_way(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++) {
        struct arena arena;
        struct buffer packed = {0};
        struct outcome outcome = {0};
        arena_init(&arena, 0);
        struct local_request request = make_request(&examples[i], &arena, &packed);
        run(&request, &outcome);
        assert_answered(&examples[i], &outcome);
        buffer_fini(&outcome.body);
        buffer_fini(&packed);
        arena_fini(&arena);
    }
}

// A failure that there is memory to tell is an answer, too: RESOURCE_EXHAUSTED, or one without its details.
static void assert_answered_or_lost(const struct outcome *outcome) {
    static const unsigned possible[] = {0, 200, 400, 404, 429, 500, 503};
    bool is_possible = false;
    for (size_t i = 0; i < ARRAY_LENGTH(possible); i++)
        is_possible = is_possible || outcome->http_status == possible[i];
    assert_true(outcome->is_done && is_possible);
}

static void fail_each_allocation(const struct example *example) {
    struct arena arena;
    struct buffer packed = {0};
    arena_init(&arena, 0);
    struct local_request request = make_request(example, &arena, &packed);
    for (size_t k = 1, tried = 1; tried >= k; k++) {
        // Calls and their arenas are kept for the next one: a server of its own has none yet.
        struct outcome outcome = {0};
        assert_int_equal(start(NULL), 0);
        allocation_failure_begin(k);
        run(&request, &outcome);
        tried = allocation_failure_end();
        assert_answered_or_lost(&outcome);
        if (tried < k)
            assert_answered(example, &outcome);
        buffer_fini(&outcome.body);
        stop(NULL);
    }
    buffer_fini(&packed);
    arena_fini(&arena);
}

static void out_of_memory_a_call_is_answered_or_lost(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        fail_each_allocation(&examples[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_protocol_is_answered_in_its_own_way, start, stop),
        cmocka_unit_test(out_of_memory_a_call_is_answered_or_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
