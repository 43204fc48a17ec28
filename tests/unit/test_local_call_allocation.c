// Every allocation of a call from inside of the process failing, alone and with all that follow it: the
// answer is whole, a failure, or lost, and the next call is answered as if nothing had been.
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/local_call.h"
#include "common/grpc/server_internal.h"
#include "common/net/loop_internal.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { TEXT_BYTES = 3000, HTTP_OK = 200, TURNS = 3 };

static char text_json[TEXT_BYTES + 1]; // a StringValue

// ---- the server, a new one for each run: it keeps what it has allocated ----

static void on_echo(struct grpc_call *call, const ProtobufCMessage *request) {
    if (grpc_call_add_header(call, "x-header", BYTES_LITERAL("there"))) {
        grpc_call_reply(call, request);
        return;
    }
    fault_set_no_memory(grpc_call_get_fault(call));
    grpc_call_finish(call, grpc_call_get_fault(call));
}

static const struct grpc_handler echo = {.on_message = on_echo};
static const struct grpc_method methods[] = {
    {.path = "/t.S/Echo",
     .request = &google__protobuf__string_value__descriptor,
     .response = &google__protobuf__string_value__descriptor,
     .shape = GRPC_UNARY,
     .handler = &echo},
};

struct server {
    struct loop_group *loops;
    struct grpc_server *grpc;
};

static void open_server(struct server *server) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    grpc_server_settings_init(&options.settings);
    assert_int_equal(loop_group_new(1, clock_get_system(), &server->loops), STATUS_OK);
    options.loops = server->loops;
    assert_int_equal(grpc_server_new(&options, &server->grpc), STATUS_OK);
}

static void close_server(struct server *server) {
    loop_group_stop(server->loops);
    assert_int_equal(server->grpc->request_memory.used_bytes, 0);
    grpc_server_free(server->grpc);
    loop_group_free(server->loops);
}

// ---- the calls ----

struct local_end {
    bool is_done, has_header, is_whole;
    unsigned http_status;
};

static void on_done(void *context, const struct local_response *response) {
    struct local_end *end = context;
    end->is_done = true;
    end->http_status = response->http_status;
    if (response->http_status == 0)
        return;
    end->has_header = metadata_find(response->fields.first, BYTES_LITERAL("x-header"));
    end->is_whole = bytes_is_text(response->body, text_json);
}

static void call(const struct server *server, const struct local_request *request, struct local_end *end) {
    struct local_call *local;
    if (local_call_new(server->grpc, 0, request, on_done, end, &local) != STATUS_OK)
        return;
    local_call_begin(local);
    for (int i = 0; i < TURNS; i++)
        uv_run(loop_get_uv(loop_group_get_loop(server->loops, 0)), UV_RUN_NOWAIT);
    local_call_free(local);
    assert_true(end->is_done);
}

static void check_whole(const struct local_end *end) {
    assert_int_equal(end->http_status, HTTP_OK);
    assert_true(end->has_header && end->is_whole);
}

// What it may fail with: too large to be kept, RESOURCE_EXHAUSTED, INTERNAL; or it is lost.
static bool is_want_of_memory(unsigned http_status) {
    return http_status == 0 || http_status == 431 || http_status == 429 || http_status == 500;
}

// False when there was no k-th allocation.
static bool disturb(const struct local_request *request, void (*begin)(size_t k), size_t k) {
    struct server server;
    struct local_end end = {0}, next = {0};
    open_server(&server);
    begin(k);
    call(&server, request, &end);
    size_t count = allocation_failure_end();
    if (!is_want_of_memory(end.http_status))
        check_whole(&end);
    call(&server, request, &next);
    check_whole(&next);
    close_server(&server);
    return count >= k;
}

static void each_allocation_of_a_call_from_inside_may_fail(void **state) {
    (void)state;
    struct arena arena;
    struct local_request request = {.path = BYTES_LITERAL("/t.S/Echo"), .body = bytes_of_text(text_json)};
    arena_init(&arena, 0);
    metadata_init(&request.fields);
    assert_int_equal(metadata_add(&request.fields, &arena, BYTES_LITERAL("content-type"),
                                  BYTES_LITERAL("application/json")),
                     STATUS_OK);
    for (size_t k = 1; disturb(&request, allocation_failure_begin, k); k++)
        continue;
    for (size_t k = 1; disturb(&request, allocation_failure_begin_from, k); k++)
        continue;
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_of_a_call_from_inside_may_fail)};
    memset(text_json, 'x', TEXT_BYTES);
    text_json[0] = text_json[TEXT_BYTES - 1] = '"';
    return cmocka_run_group_tests(tests, NULL, NULL);
}
