// Calls from inside of the process, on a server with two loops and no listener.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/condition.h"
#include "common/grpc/call.h"
#include "common/grpc/framing.h"
#include "common/grpc/local_call.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/unit.h"

enum { LOOPS = 2, THREADS = 4, CALLS_PER_THREAD = 500 };

// ---- the server ----

static void on_echo(struct grpc_call *call, struct bytes request) {
    grpc_call_add_header(call, "x-peer-local",
                         grpc_call_is_peer_local(call) ? BYTES_LITERAL("yes") : BYTES_LITERAL("no"));
    grpc_call_add_trailer(call, "x-word", grpc_call_find_metadata(call, "x-word"));
    grpc_call_reply_bytes(call, request);
}

static void on_wait(struct grpc_call *call, struct bytes request) {
    (void)call, (void)request;
}

static void on_cancel(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler echo = {.on_bytes = on_echo},
                                 wait = {.on_bytes = on_wait, .on_cancel = on_cancel};

#define METHOD(name, its_handler)                                                          \
    {                                                                                      \
        .path = "/test.Local/" name, .shape = GRPC_UNARY,                                  \
        .request = &google__protobuf__string_value__descriptor,                            \
        .response = &google__protobuf__string_value__descriptor, .handler = &(its_handler) \
    }
static const struct grpc_method methods[] = {METHOD("Echo", echo), METHOD("Wait", wait)};

static struct loop_group *loops;
static struct grpc_server *server;

static int start(void **state) {
    (void)state;
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    if (loop_group_new(LOOPS, clock_get_system(), &loops) != STATUS_OK)
        return -1;
    options.loops = loops;
    options.settings.max_request_bytes = 1024 * 1024;
    options.settings.request_memory_bytes = 16 * 1024 * 1024;
    if (grpc_server_new(&options, &server) != STATUS_OK)
        return -1;
    for (size_t i = 0; i < LOOPS; i++)
        loop_hold(loop_group_get_loop(loops, i));
    return loop_group_start(loops) == STATUS_OK ? 0 : -1;
}

static void release(struct loop_task *task);
static struct loop_task release_tasks[LOOPS];

static void release(struct loop_task *task) {
    loop_release(loop_group_get_loop(loops, (size_t)(task - release_tasks)));
}

static int stop(void **state) {
    (void)state;
    for (size_t i = 0; i < LOOPS; i++) {
        release_tasks[i].run = release;
        loop_post(loop_group_get_loop(loops, i), &release_tasks[i]);
    }
    loop_group_stop(loops);
    grpc_server_free(server);
    loop_group_free(loops);
    return 0;
}

// ---- a caller ----

// What on_done has seen, and a bell to wait for it.
struct seen {
    pthread_mutex_t mutex;
    pthread_cond_t told;
    bool is_done;
    unsigned http_status;
    char status[8], word[64], peer[8], body[64];
    size_t body_len;
};

static void copy_field(const struct metadata *fields, const char *name, char *to, size_t size) {
    const struct metadata_field *field = metadata_find(fields->first, bytes_of_text(name));
    if (field && field->value.len < size)
        memcpy(to, field->value.data, field->value.len);
}

static void on_done(void *context, const struct local_response *response) {
    struct seen *seen = context;
    pthread_mutex_lock(&seen->mutex);
    seen->http_status = response->http_status;
    if (response->http_status != 0) {
        copy_field(&response->fields, "grpc-status", seen->status, sizeof(seen->status));
        copy_field(&response->trailers, "grpc-status", seen->status, sizeof(seen->status));
        copy_field(&response->fields, "x-peer-local", seen->peer, sizeof(seen->peer));
        copy_field(&response->trailers, "x-word", seen->word, sizeof(seen->word));
        seen->body_len = response->body.len;
        if (response->body.len > 0 && response->body.len <= sizeof(seen->body))
            memcpy(seen->body, response->body.data, response->body.len);
    }
    seen->is_done = true;
    pthread_cond_signal(&seen->told);
    pthread_mutex_unlock(&seen->mutex);
}

static void seen_init(struct seen *seen) {
    memset(seen, 0, sizeof(*seen));
    pthread_mutex_init(&seen->mutex, NULL);
    condition_init(&seen->told);
}

static void wait_done(struct seen *seen) {
    pthread_mutex_lock(&seen->mutex);
    while (!seen->is_done)
        pthread_cond_wait(&seen->told, &seen->mutex);
    pthread_mutex_unlock(&seen->mutex);
    pthread_cond_destroy(&seen->told);
    pthread_mutex_destroy(&seen->mutex);
}

struct caller {
    struct arena arena;
    struct local_request request;
};

static void caller_init(struct caller *caller, const char *path, const char *word, struct bytes message) {
    arena_init(&caller->arena, 0);
    uint8_t *body = arena_allocate(&caller->arena, FRAMING_PREFIX_BYTES + message.len);
    framing_write_prefix(body, (uint32_t)message.len);
    memcpy(body + FRAMING_PREFIX_BYTES, message.data, message.len);
    caller->request = (struct local_request){.path = bytes_of_text(path), .is_local = true};
    caller->request.body = bytes_of(body, FRAMING_PREFIX_BYTES + message.len);
    metadata_init(&caller->request.fields);
    (void)!metadata_add(&caller->request.fields, &caller->arena, BYTES_LITERAL("content-type"),
                        BYTES_LITERAL("application/grpc"));
    (void)!metadata_add(&caller->request.fields, &caller->arena, BYTES_LITERAL("x-word"),
                        bytes_of_text(word));
}

static struct local_call *begin(struct caller *caller, size_t loop, struct seen *seen) {
    struct local_call *call = NULL;
    seen_init(seen);
    if (local_call_new(server, loop, &caller->request, on_done, seen, &call) == STATUS_OK)
        local_call_begin(call);
    return call;
}

#define MESSAGE BYTES_LITERAL("\x0a\x03yes") // a StringValue

// ---- the cases ----

static void a_handlers_header_fields_message_and_trailers_come_back(void **state) {
    (void)state;
    struct caller caller;
    struct seen seen;
    caller_init(&caller, "/test.Local/Echo", "hello", MESSAGE);
    struct local_call *call = begin(&caller, 1, &seen);
    wait_done(&seen);
    local_call_free(call);
    assert_int_equal(seen.http_status, 200);
    assert_string_equal(seen.status, "0");
    assert_string_equal(seen.word, "hello");
    assert_string_equal(seen.peer, "yes");
    assert_int_equal(seen.body_len, FRAMING_PREFIX_BYTES + MESSAGE.len);
    assert_memory_equal(seen.body + FRAMING_PREFIX_BYTES, MESSAGE.data, MESSAGE.len);
    arena_fini(&caller.arena);
}

static void what_the_transport_refuses_is_told_too(void **state) {
    (void)state;
    struct caller caller;
    struct seen seen;
    caller_init(&caller, "/test.Local/NoSuch", "", MESSAGE);
    struct local_call *call = begin(&caller, 0, &seen);
    wait_done(&seen);
    local_call_free(call);
    assert_int_equal(seen.http_status, 200);
    assert_string_equal(seen.status, "12");
    arena_fini(&caller.arena);
}

static void a_call_that_is_cancelled_is_lost_and_its_handler_told(void **state) {
    (void)state;
    struct caller caller;
    struct seen seen;
    caller_init(&caller, "/test.Local/Wait", "", MESSAGE);
    struct local_call *call = begin(&caller, 0, &seen);
    local_call_cancel(call);
    local_call_free(call);
    wait_done(&seen);
    assert_int_equal(seen.http_status, 0);
    arena_fini(&caller.arena);
}

// Whoever cancels all that is under way can't know what has begun.
static void a_call_that_is_cancelled_before_it_begins_is_lost_too(void **state) {
    (void)state;
    struct caller caller;
    struct seen seen;
    struct local_call *call = NULL;
    caller_init(&caller, "/test.Local/Echo", "", MESSAGE);
    seen_init(&seen);
    assert_int_equal(local_call_new(server, 0, &caller.request, on_done, &seen, &call), STATUS_OK);
    local_call_cancel(call);
    local_call_begin(call);
    local_call_free(call);
    wait_done(&seen);
    assert_int_equal(seen.http_status, 0);
    arena_fini(&caller.arena);
}

static void a_call_that_never_began_leaves_nothing(void **state) {
    (void)state;
    struct caller caller;
    struct seen seen = {0};
    struct local_call *call = NULL;
    caller_init(&caller, "/test.Local/Echo", "", MESSAGE);
    assert_int_equal(local_call_new(server, 0, &caller.request, on_done, &seen, &call), STATUS_OK);
    local_call_free(call);
    assert_false(seen.is_done);
    arena_fini(&caller.arena);
}

// Half of them are cancelled at some moment, also when they are answered already.
static void *call_often(void *context) {
    atomic_uint *failures = context;
    for (size_t i = 0; i < CALLS_PER_THREAD; i++) {
        struct caller caller;
        struct seen seen;
        caller_init(&caller, "/test.Local/Echo", "again", MESSAGE);
        struct local_call *call = begin(&caller, i % LOOPS, &seen);
        if (i % 2 == 0)
            local_call_cancel(call);
        wait_done(&seen);
        if (i % 4 == 1)
            local_call_cancel(call);
        local_call_free(call);
        bool is_right = seen.http_status == 200 ? strcmp(seen.word, "again") == 0 : i % 2 == 0;
        if (!is_right)
            atomic_fetch_add(failures, 1);
        arena_fini(&caller.arena);
    }
    return NULL;
}

static void many_threads_may_call_and_cancel_at_once(void **state) {
    (void)state;
    atomic_uint failures = 0;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &failures), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handlers_header_fields_message_and_trailers_come_back),
        cmocka_unit_test(what_the_transport_refuses_is_told_too),
        cmocka_unit_test(a_call_that_is_cancelled_is_lost_and_its_handler_told),
        cmocka_unit_test(a_call_that_is_cancelled_before_it_begins_is_lost_too),
        cmocka_unit_test(a_call_that_never_began_leaves_nothing),
        cmocka_unit_test(many_threads_may_call_and_cancel_at_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
