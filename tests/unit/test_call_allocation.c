// Every allocation of a whole call failing, alone and with all that follow it: by every protocol and in every
// shape the client has a whole answer, a failure that is told, a reset stream or a closed connection, never
// anything in between and never success without what belongs to it. The next call, on a connection of its
// own, is answered as if nothing had been.
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/grpc/compression.h"
#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "common/grpc/health.h"
#include "common/grpc/reflection.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/unit.h"

enum { TEXT_BYTES = 3000, PARTS = 3 };

static char text[TEXT_BYTES + 1];
static struct buffer text_wire, text_gzip, text_json;

// ---- the handlers ----

// A handler that can't say all says so.
static bool add_metadata(struct grpc_call *call) {
    bool is_added = grpc_call_add_header(call, "x-header", BYTES_LITERAL("there")) &&
                    grpc_call_add_trailer(call, "x-trailer", BYTES_LITERAL("there"));
    if (!is_added)
        fault_set_no_memory(grpc_call_get_fault(call));
    return is_added;
}

static void finish(struct grpc_call *call) {
    grpc_call_finish(call, grpc_call_get_fault(call));
}

static void send_or_finish(struct grpc_call *call, const ProtobufCMessage *message) {
    if (grpc_call_send(call, message) == STATUS_OK)
        return;
    fault_set_no_memory(grpc_call_get_fault(call));
    finish(call);
}

static void on_echo(struct grpc_call *call, const ProtobufCMessage *request) {
    if (add_metadata(call))
        grpc_call_reply(call, request);
    else
        finish(call);
}

static void on_echo_bytes(struct grpc_call *call, struct bytes request) {
    if (add_metadata(call))
        grpc_call_reply_bytes(call, request);
    else
        finish(call);
}

static void on_refuse(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    struct fault *fault = grpc_call_get_fault(call);
    (void)add_metadata(call);
    fault_set(fault, STATUS_ABORTED, "ENOUGH", "%s", "no more of this");
    fault_add_detail(fault, "howMuch", "%d", 1);
    fault_set_retry_after_ms(fault, 1000);
    finish(call);
}

static void on_refuse_fields(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    struct fault *fault = grpc_call_get_fault(call);
    for (int i = 0; i < PARTS; i++)
        fault_add_field(fault, fault_path(fault, "parts[%d]", i), "is too long: %s", text);
    finish(call);
}

static void on_pass_on(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = GRPC_CODE_ABORTED;
    status.message = (char *)"no more of this";
    grpc_call_finish_status(call, &status.base);
}

static void on_repeat(struct grpc_call *call, const ProtobufCMessage *request) {
    if (!add_metadata(call)) {
        finish(call);
        return;
    }
    for (int i = 0; i < PARTS; i++)
        if (grpc_call_send(call, request) != STATUS_OK) {
            fault_set_no_memory(grpc_call_get_fault(call));
            break;
        }
    finish(call);
}

// Holds what has come until the end of the turn.
struct collector {
    struct loop_task task;
    struct grpc_call *call; // NULL once it is finished
    size_t bytes;
    bool is_waiting;
};

static void go_on(struct loop_task *task) {
    struct collector *collector = CONTAINER_OF(task, struct collector, task);
    collector->is_waiting = false;
    if (collector->call)
        grpc_call_resume(collector->call);
    else
        free(collector);
}

static void end_collecting(struct grpc_call *call) {
    struct collector *collector = grpc_call_get_data(call);
    if (collector && collector->is_waiting)
        collector->call = NULL;
    else
        free(collector);
}

static void on_collect_start(struct grpc_call *call) {
    struct collector *collector = calloc(1, sizeof(*collector));
    if (!collector || !add_metadata(call)) {
        free(collector);
        fault_set_no_memory(grpc_call_get_fault(call));
        finish(call);
        return;
    }
    collector->call = call;
    collector->task.run = go_on;
    grpc_call_set_data(call, collector);
}

static void on_collect(struct grpc_call *call, const ProtobufCMessage *message) {
    struct collector *collector = grpc_call_get_data(call);
    collector->bytes += strlen(((const Google__Protobuf__StringValue *)message)->value);
    collector->is_waiting = true;
    grpc_call_pause(call);
    loop_defer(grpc_call_get_loop(call), &collector->task);
}

static void on_collected(struct grpc_call *call) {
    size_t bytes = ((struct collector *)grpc_call_get_data(call))->bytes;
    Google__Protobuf__StringValue answer = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    answer.value = bytes == (size_t)PARTS * TEXT_BYTES ? text : (char *)"a part is missing";
    end_collecting(call);
    if (grpc_call_send(call, &answer.base) != STATUS_OK)
        fault_set_no_memory(grpc_call_get_fault(call));
    finish(call);
}

static void on_collect_cancel(struct grpc_call *call) {
    end_collecting(call);
    finish(call);
}

static const struct grpc_handler echo = {.on_message = on_echo}, echo_bytes = {.on_bytes = on_echo_bytes},
                                 refuse = {.on_message = on_refuse},
                                 refuse_fields = {.on_message = on_refuse_fields},
                                 pass_on = {.on_message = on_pass_on}, repeat = {.on_message = on_repeat};
static const struct grpc_handler collect = {.on_start = on_collect_start,
                                            .on_message = on_collect,
                                            .on_half_close = on_collected,
                                            .on_cancel = on_collect_cancel};
static const struct grpc_handler talk = {
    .on_message = send_or_finish, .on_half_close = finish, .on_cancel = finish};

#define TYPE (&google__protobuf__string_value__descriptor)
#define METHOD(name, shape_, handler_) \
    { .path = "/t.S/" name, .request = TYPE, .response = TYPE, .shape = shape_, .handler = &(handler_) }
static const struct grpc_method methods[] = {
    METHOD("Echo", GRPC_UNARY, echo),
    METHOD("EchoBytes", GRPC_UNARY, echo_bytes),
    METHOD("Refuse", GRPC_UNARY, refuse),
    METHOD("RefuseFields", GRPC_UNARY, refuse_fields),
    METHOD("PassOn", GRPC_UNARY, pass_on),
    METHOD("Repeat", GRPC_SERVER_STREAM, repeat),
    METHOD("Collect", GRPC_CLIENT_STREAM, collect),
    METHOD("Talk", GRPC_BIDI, talk),
};

// ---- the server ----

struct server {
    struct loop_group *loops;
    struct grpc_health *health;
    struct grpc_reflection *reflection;
    struct grpc_server *grpc;
};

static void open_server(struct server *server) {
    static const char *const services[] = {"t.S"};
    assert_int_equal(loop_group_new(1, clock_get_system(), &server->loops), STATUS_OK);
    assert_int_equal(grpc_health_new(server->loops, services, 1, &server->health), STATUS_OK);
    assert_int_equal(grpc_reflection_new(&server->reflection), STATUS_OK);
    const struct router_table tables[] = {{methods, ARRAY_LENGTH(methods)},
                                          grpc_health_get_table(server->health),
                                          grpc_reflection_get_table(server->reflection)};
    struct grpc_server_options options = {
        .loops = server->loops, .tables = tables, .table_count = ARRAY_LENGTH(tables)};
    grpc_server_settings_init(&options.settings);
    assert_int_equal(grpc_server_new(&options, &server->grpc), STATUS_OK);
    assert_int_equal(grpc_reflection_set_router(server->reflection, grpc_server_get_router(server->grpc)),
                     STATUS_OK);
}

static void close_server(struct server *server) {
    loop_group_stop(server->loops);
    assert_int_equal(server->grpc->home[0].connection_count, 0);
    assert_int_equal(server->grpc->arriving_memory.used_bytes, 0);
    assert_int_equal(server->grpc->request_memory.used_bytes, 0);
    assert_int_equal(server->grpc->answer_memory.used_bytes, 0);
    grpc_server_free(server->grpc);
    grpc_reflection_free(server->reflection);
    grpc_health_free(server->health);
    loop_group_free(server->loops);
}

// ---- the calls ----

enum content { CONTENT_TEXT, CONTENT_GZIP, CONTENT_JSON, CONTENT_OTHER };

struct scenario {
    const char *title, *path, *type;
    enum content content;
    struct bytes other; // the message, of CONTENT_OTHER
    size_t parts;
    const char *expected; // code
    bool takes_gzip;
};

#define GRPC "application/grpc"
#define WEB "application/grpc-web"
#define UNARY "application/json"
#define STREAM "application/connect+json"
#define REFLECTION "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

static const struct scenario scenarios[] = {
    {"a_unary_call", "/t.S/Echo", GRPC, CONTENT_TEXT, {0}, 1, "0", false},
    {"a_unary_call_of_bytes", "/t.S/EchoBytes", GRPC, CONTENT_TEXT, {0}, 1, "0", false},
    {"a_unary_call_compressed_in_and_out", "/t.S/Echo", GRPC, CONTENT_GZIP, {0}, 1, "0", true},
    {"a_fault_with_details", "/t.S/Refuse", GRPC, CONTENT_TEXT, {0}, 1, "10", false},
    {"a_fault_with_bad_fields", "/t.S/RefuseFields", GRPC, CONTENT_TEXT, {0}, 1, "3", false},
    {"a_status_of_somebody_else", "/t.S/PassOn", GRPC, CONTENT_TEXT, {0}, 1, "10", false},
    {"a_method_that_is_not_there", "/t.S/None", GRPC, CONTENT_TEXT, {0}, 1, "12", false},
    {"a_server_stream", "/t.S/Repeat", GRPC, CONTENT_TEXT, {0}, 1, "0", false},
    {"a_server_stream_compressed", "/t.S/Repeat", GRPC, CONTENT_GZIP, {0}, 1, "0", true},
    {"a_client_stream", "/t.S/Collect", GRPC, CONTENT_TEXT, {0}, PARTS, "0", false},
    {"a_stream_both_ways", "/t.S/Talk", GRPC, CONTENT_TEXT, {0}, PARTS, "0", false},
    {"a_stream_both_ways_compressed", "/t.S/Talk", GRPC, CONTENT_GZIP, {0}, PARTS, "0", true},
    {"a_call_by_grpc_web", "/t.S/Echo", WEB, CONTENT_TEXT, {0}, 1, "0", false},
    {"a_fault_by_grpc_web", "/t.S/Refuse", WEB, CONTENT_TEXT, {0}, 1, "10", false},
    {"a_call_by_connect_in_json", "/t.S/Echo", UNARY, CONTENT_JSON, {0}, 1, "200", true},
    {"a_call_by_connect_of_bytes", "/t.S/EchoBytes", UNARY, CONTENT_JSON, {0}, 1, "200", false},
    {"a_fault_by_connect", "/t.S/Refuse", UNARY, CONTENT_JSON, {0}, 1, "409", false},
    {"a_connect_stream_in_json", "/t.S/Talk", STREAM, CONTENT_JSON, {0}, PARTS, "ok", true},
    {"a_fault_of_a_connect_stream", "/t.S/None", STREAM, CONTENT_JSON, {0}, 1, "unimplemented", false},
    {"a_health_check", "/grpc.health.v1.Health/Check", GRPC, CONTENT_OTHER, {0}, 1, "0", false},
    {"a_list_of_health", "/grpc.health.v1.Health/List", GRPC, CONTENT_OTHER, {0}, 1, "0", false},
    {"a_watch_of_health", "/grpc.health.v1.Health/Watch", GRPC, CONTENT_OTHER, {0}, 1, "14", false},
    {"reflection_of_the_services", REFLECTION, GRPC, CONTENT_OTHER, BYTES_LITERAL("\x3a\x01*"), 1, "0", true},
    {"reflection_of_a_symbol", REFLECTION, GRPC, CONTENT_OTHER,
     BYTES_LITERAL("\x22\x15grpc.health.v1.Health"), 1, "0", false},
};

static bool is_bare(const struct scenario *scenario) {
    return strcmp(scenario->type, UNARY) == 0;
}

static struct bytes get_message(const struct scenario *scenario) {
    switch (scenario->content) {
    case CONTENT_TEXT: return buffer_get_bytes(&text_wire);
    case CONTENT_GZIP: return buffer_get_bytes(&text_gzip);
    case CONTENT_JSON: return buffer_get_bytes(&text_json);
    default: return scenario->other;
    }
}

static void append_message(struct buffer *to, uint8_t flag, struct bytes message) {
    uint8_t prefix[FRAMING_PREFIX_BYTES];
    framing_write_prefix(prefix, (uint32_t)message.len);
    prefix[0] = flag;
    buffer_append(to, bytes_of(prefix, sizeof(prefix)));
    buffer_append(to, message);
}

static struct buffer make_body(const struct scenario *scenario) {
    struct buffer body = {0};
    for (size_t i = 0; i < scenario->parts; i++)
        if (is_bare(scenario))
            buffer_append(&body, get_message(scenario));
        else
            append_message(&body, scenario->content == CONTENT_GZIP, get_message(scenario));
    return body;
}

static void submit(struct memory_client *client, const struct scenario *scenario, struct bytes body) {
    nghttp2_nv type = HEADER_FIELD("content-type", "");
    type.value = (uint8_t *)scenario->type;
    type.valuelen = strlen(scenario->type);
    const nghttp2_nv fields[] = {
        type,
        HEADER_FIELD("x-word", "kept for the handler"),
        HEADER_FIELD("grpc-timeout", "1H"),
        HEADER_FIELD("grpc-encoding", "gzip"),
        HEADER_FIELD("grpc-accept-encoding", "gzip"),
        HEADER_FIELD("accept-encoding", "gzip"),
        HEADER_FIELD("connect-accept-encoding", "gzip"),
    };
    memory_client_submit(client, scenario->path, fields,
                         scenario->takes_gzip ? ARRAY_LENGTH(fields) : ARRAY_LENGTH(fields) - 3, body);
}

// ---- what the client understands ----

struct story {
    struct buffer messages; // each with its prefix, nothing compressed
    struct buffer end;      // of gRPC-Web and of Connect's streams: their last message
    char code[24];
    bool has_metadata;
};

static void story_fini(struct story *story) {
    buffer_fini(&story->messages);
    buffer_fini(&story->end);
}

static bool has(const struct buffer *buffer, const char *what) {
    return memmem(buffer->data, buffer->len, what, strlen(what)) != NULL;
}

// What stands behind `name`, up to `stop`.
static void copy_value(struct story *story, const struct buffer *from, const char *name, char stop) {
    const char *begin = memmem(from->data, from->len, name, strlen(name));
    if (!begin)
        return;
    begin += strlen(name);
    const char *end = memchr(begin, stop, (size_t)((const char *)from->data + from->len - begin));
    assert_true(end && (size_t)(end - begin) < sizeof(story->code));
    memcpy(story->code, begin, (size_t)(end - begin));
}

static void read_message(struct story *story, uint8_t flag, struct bytes message) {
    static struct compression compression;
    struct buffer plain = {0};
    if (flag == 0) {
        append_message(&story->messages, 0, message);
    } else if (flag == FRAMING_FLAG_COMPRESSED) {
        assert_int_equal(
            compression_inflate(&compression, message, &(struct inflate_limit){.max_bytes = 1 << 20}, &plain),
            STATUS_OK);
        append_message(&story->messages, 0, buffer_get_bytes(&plain));
    } else {
        assert_int_equal(story->end.len, 0);
        buffer_append(&story->end, message);
    }
    buffer_fini(&plain);
    compression_fini(&compression);
}

static void read_frames(struct story *story, struct bytes body) {
    while (body.len > 0) {
        assert_true(body.len >= FRAMING_PREFIX_BYTES);
        size_t len = (size_t)body.data[1] << 24 | body.data[2] << 16 | body.data[3] << 8 | body.data[4];
        assert_true(len <= body.len - FRAMING_PREFIX_BYTES);
        assert_int_equal(story->end.len, 0); // nothing follows it
        read_message(story, body.data[0], bytes_of(body.data + FRAMING_PREFIX_BYTES, len));
        body = bytes_of(body.data + FRAMING_PREFIX_BYTES + len, body.len - FRAMING_PREFIX_BYTES - len);
    }
}

static void read_bare(struct story *story, const struct memory_answer *answer) {
    copy_value(story, &answer->fields, ":status: ", '\n');
    bool is_ok = strcmp(story->code, "200") == 0;
    bool is_compressed = has(&answer->fields, "content-encoding: gzip");
    if (is_ok)
        read_message(story, is_compressed, buffer_get_bytes(&answer->body));
    else
        assert_true(has(&answer->body, "\"code\":"));
}

// Of an answer that is complete.
static void story_read(struct story *story, const struct scenario *scenario,
                       const struct memory_answer *answer) {
    assert_true(has(&answer->fields, "content-type: application/"));
    if (is_bare(scenario)) {
        read_bare(story, answer);
    } else {
        assert_true(has(&answer->fields, ":status: 200"));
        read_frames(story, buffer_get_bytes(&answer->body));
    }
    if (strcmp(scenario->type, GRPC) == 0)
        copy_value(story, &answer->fields, "grpc-status: ", '\n');
    else if (strcmp(scenario->type, WEB) == 0)
        copy_value(story, &story->end, "grpc-status: ", '\r');
    else if (strcmp(scenario->type, STREAM) == 0 && has(&story->end, "\"code\":"))
        copy_value(story, &story->end, "\"code\":\"", '"');
    else if (strcmp(scenario->type, STREAM) == 0 && story->end.len >= 2)
        memcpy(story->code, "ok", 3);
    assert_true(*story->code);
    bool has_compressed = answer->body.len > 0 && answer->body.data[0] == FRAMING_FLAG_COMPRESSED;
    if (!is_bare(scenario) && has_compressed)
        assert_true(has(&answer->fields, "-encoding: gzip"));
    story->has_metadata = has(&answer->fields, "x-header") &&
                          (has(&answer->fields, "x-trailer") || has(&story->end, "x-trailer"));
}

static bool is_success(const char *code) {
    return strcmp(code, "0") == 0 || strcmp(code, "200") == 0 || strcmp(code, "ok") == 0;
}

// RESOURCE_EXHAUSTED, INTERNAL or UNAVAILABLE, in the words of each protocol.
static bool is_want_of_memory(const char *code) {
    static const char *const codes[] = {
        "8", "13", "14", "resource_exhausted", "internal", "unavailable", "429", "500", "503", "431"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static void check_story(const struct story *story, const struct story *reference) {
    struct bytes seen = buffer_get_bytes(&story->messages), whole = buffer_get_bytes(&reference->messages);
    if (strcmp(story->code, reference->code) != 0 && !is_want_of_memory(story->code))
        fail_msg("a failure with the code %s", story->code);
    assert_true(bytes_has_prefix(whole, seen));
    if (!is_success(story->code))
        return;
    assert_int_equal(seen.len, whole.len);
    assert_int_equal(story->has_metadata, reference->has_metadata);
}

// ---- one run ----

// Calls begin(k) before the first byte; returns how many allocations there were.
static size_t call(const struct server *server, const struct scenario *scenario, void (*begin)(size_t k),
                   size_t k, struct memory_client *client) {
    struct buffer body = make_body(scenario);
    memory_client_init(client, loop_group_get_loop(server->loops, 0), NULL);
    submit(client, scenario, buffer_get_bytes(&body));
    begin(k);
    connection_open(&server->grpc->home[0], &client->stream.base);
    memory_client_talk(client);
    grpc_health_end_watches(server->health);
    memory_client_talk(client);
    size_t count = allocation_failure_end();
    buffer_fini(&body);
    return count;
}

static void hang_up(struct memory_client *client) {
    if (!client->stream.is_closed)
        client->stream.base.callbacks->on_end(client->stream.base.context, STREAM_END_PEER_CLOSED);
    assert_true(client->stream.is_closed);
    memory_client_fini(client);
}

static void judge(const struct scenario *scenario, const struct memory_client *client,
                  const struct story *reference) {
    struct story story = {0};
    if (client->answer.is_complete) {
        story_read(&story, scenario, &client->answer);
        check_story(&story, reference);
    } else if (!client->answer.is_reset && !client->stream.is_closed) {
        fail_msg("the call never ends");
    }
    story_fini(&story);
}

static void call_undisturbed(const struct server *server, const struct scenario *scenario,
                             struct story *ret_story) {
    struct memory_client client;
    (void)call(server, scenario, allocation_failure_begin, 0, &client);
    assert_true(client.answer.is_complete);
    story_read(ret_story, scenario, &client.answer);
    assert_string_equal(ret_story->code, scenario->expected);
    hang_up(&client);
}

static void call_again(const struct server *server, const struct scenario *scenario,
                       const struct story *reference) {
    struct story story = {0};
    call_undisturbed(server, scenario, &story);
    check_story(&story, reference);
    story_fini(&story);
}

// False when there was no k-th allocation.
static bool disturb(const struct scenario *scenario, void (*begin)(size_t k), size_t k,
                    const struct story *reference) {
    struct server server;
    struct memory_client client;
    open_server(&server);
    size_t count = call(&server, scenario, begin, k, &client);
    judge(scenario, &client, reference);
    hang_up(&client);
    call_again(&server, scenario, reference);
    close_server(&server);
    return count >= k;
}

static void disturb_each(const struct scenario *scenario, void (*begin)(size_t k),
                         const struct story *reference) {
    size_t k = 1;
    while (disturb(scenario, begin, k, reference))
        k++;
    assert_true(k > 1);
}

static void each_allocation_may_fail(void **state) {
    const struct scenario *scenario = *state;
    struct server server;
    struct story reference = {0};
    open_server(&server);
    call_undisturbed(&server, scenario, &reference);
    close_server(&server);
    disturb_each(scenario, allocation_failure_begin, &reference);
    disturb_each(scenario, allocation_failure_begin_from, &reference);
    story_fini(&reference);
}

// ---- all of them ----

// A StringValue of TEXT_BYTES, as it is, compressed, and in JSON.
static int set_up(void **state) {
    (void)state;
    struct compression compression = {0};
    memset(text, 'x', TEXT_BYTES);
    const uint8_t head[] = {1 << 3 | 2, (TEXT_BYTES & 0x7f) | 0x80, TEXT_BYTES >> 7};
    buffer_append(&text_wire, bytes_of(head, sizeof(head)));
    buffer_append_text(&text_wire, text);
    buffer_append_json(&text_json, bytes_of_text(text));
    enum status status = compression_deflate(&compression, buffer_get_bytes(&text_wire), &text_gzip);
    compression_fini(&compression);
    return status == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    buffer_fini(&text_wire);
    buffer_fini(&text_gzip);
    buffer_fini(&text_json);
    return 0;
}

int main(void) {
    struct CMUnitTest tests[ARRAY_LENGTH(scenarios)];
    for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
        tests[i] = (struct CMUnitTest){.name = scenarios[i].title,
                                       .test_func = each_allocation_may_fail,
                                       .initial_state = (void *)(uintptr_t)&scenarios[i]};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
