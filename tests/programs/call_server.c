// Methods of every shape on the product's transport, for the tests of the transport and its benchmark.
// Messages are google.protobuf.StringValue, but for Info's. All are of /latchkey.test.CallService.
//
//     Echo     unary: the same value back, at once; may be asked for by GET
//     Secret   the same, but its answers are never compressed
//     Info     the same with a google.rpc.ErrorInfo, whose fields have names
//     Command  unary: does what it is told, see below
//     Count    server stream: "N" that many values, as fast as they are taken; "N fail": and then a fault;
//              "N xM": of M bytes each
//     Join     client stream: all values joined
//     Talk     bidirectional: each value back, in order
//     Raw      unary: the bytes as they came
//     Pause    client stream: takes one value, and nothing more
//
// Command obeys these words, and sends back anything else:
//
//     wait          ends when it is cancelled
//     promise       the same, after it has set metadata
//     sleep N       answers after N ms from another thread, cancelled or not
//     block N       sends it back after N us, in which its loop does nothing else
//     fail          a fault with every detail
//     violations N  a fault with N long ones
//     status        a google.rpc.Status of its own
//     metadata      OK, with headers and trailers
//     read NAME     all values of that metadata; those of "-bin" names with their lengths, or INTERNAL
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buffer.h"
#include "common/grpc/call.h"
#include "common/grpc/status_code.h"
#include "common/protobuf/base64.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/programs/test_server.h"

static const char *value_of(const ProtobufCMessage *message) {
    return ((const Google__Protobuf__StringValue *)message)->value;
}

static Google__Protobuf__StringValue string_value(const char *text) {
    Google__Protobuf__StringValue value = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    value.value = (char *)text;
    return value;
}

static void on_echo(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_reply(call, request);
}

// What is called where nothing waits: the call is then finished by its cancellation.
static void on_cancel_finish(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

struct sleeper {
    struct loop_task task;
    struct grpc_call *call;
    unsigned ms;
};

static void on_slept(struct loop_task *task) {
    struct sleeper *sleeper = CONTAINER_OF(task, struct sleeper, task);
    Google__Protobuf__StringValue reply = string_value("slept");
    grpc_call_reply(sleeper->call, &reply.base);
}

static void *sleep_and_post(void *data) {
    struct sleeper *sleeper = data;
    struct timespec span = {sleeper->ms / 1000, (long)(sleeper->ms % 1000) * 1000000};
    nanosleep(&span, NULL);
    loop_post(grpc_call_get_loop(sleeper->call), &sleeper->task);
    return NULL;
}

static void start_sleep(struct grpc_call *call, const char *ms_text) {
    struct sleeper *sleeper = ARENA_NEW(grpc_call_get_arena(call), struct sleeper);
    pthread_t thread;
    sleeper->task.run = on_slept;
    sleeper->call = call;
    sleeper->ms = (unsigned)strtoul(ms_text, NULL, 10);
    grpc_call_set_data(call, sleeper);
    if (pthread_create(&thread, NULL, sleep_and_post, sleeper) != 0)
        abort();
    pthread_detach(thread);
}

static void block_loop(const char *us_text) {
    unsigned long us = strtoul(us_text, NULL, 10);
    struct timespec span = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    nanosleep(&span, NULL);
}

static void fail(struct grpc_call *call) {
    struct fault *fault = grpc_call_get_fault(call);
    fault_set(fault, STATUS_INVALID, "TEST_FAILURE",
              "\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\n");
    fault_add_field(fault, "value", "type something else than %s", "fail");
    fault_add_detail(fault, "given", "fail");
    fault_set_retry_after_ms(fault, 1500);
    grpc_call_add_header(call, "test-header", BYTES_LITERAL("first"));
    grpc_call_add_trailer(call, "test-trailer-bin", BYTES_LITERAL("\x00\x01\xff"));
    grpc_call_finish(call, fault);
}

static void reply_with_metadata(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_add_header(call, "test-header", BYTES_LITERAL("first"));
    grpc_call_add_header(call, "test-header", BYTES_LITERAL("second"));
    grpc_call_add_trailer(call, "test-trailer", BYTES_LITERAL("one"));
    grpc_call_add_trailer(call, "test-trailer", BYTES_LITERAL("two"));
    grpc_call_add_trailer(call, "test-trailer-bin", BYTES_LITERAL("\x00\x01\xff"));
    grpc_call_reply(call, request);
}

static bool append_value(struct grpc_call *call, struct buffer *to, const struct metadata_field *field) {
    struct bytes value = field->value;
    if (metadata_name_is_binary(field->name)) {
        if (base64_decode(grpc_call_get_arena(call), value, &value) != STATUS_OK)
            return false;
        buffer_append_format(to, "%zu:", value.len);
    }
    buffer_append(to, value);
    buffer_append_text(to, "|");
    return true;
}

static void reply_with_values(struct grpc_call *call, const char *name) {
    const struct metadata *metadata = grpc_call_get_metadata(call);
    struct buffer text = {0};
    bool is_valid = true;
    for (const struct metadata_field *field = metadata_find(metadata->first, bytes_of_text(name)); field;
         field = metadata_find(field->next, bytes_of_text(name)))
        is_valid = append_value(call, &text, field) && is_valid;
    buffer_append_byte(&text, 0);
    Google__Protobuf__StringValue reply = string_value((const char *)text.data);
    if (is_valid) {
        grpc_call_reply(call, &reply.base);
    } else {
        fault_set(grpc_call_get_fault(call), STATUS_INTERNAL, "METADATA_MALFORMED", "%s is no base64", name);
        grpc_call_finish(call, grpc_call_get_fault(call));
    }
    buffer_fini(&text);
}

static void fail_with_violations(struct grpc_call *call, const char *count_text) {
    struct fault *fault = grpc_call_get_fault(call);
    for (unsigned long i = 0, count = strtoul(count_text, NULL, 10); i < count; i++)
        fault_add_field(fault, fault_path(fault, "values[%lu]", i), "☺%0200lu", i);
    grpc_call_finish(call, fault);
}

// The detail is of a type that this server does not know.
static void finish_with_status(struct grpc_call *call) {
    Google__Protobuf__Any detail = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[] = {&detail};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    detail.type_url = (char *)"type.googleapis.com/no.such.Type";
    detail.value = (ProtobufCBinaryData){3, (uint8_t *)"\x00\x01\xff"};
    status.code = GRPC_CODE_DATA_LOSS;
    status.message = (char *)"of its own making";
    status.details = details;
    status.n_details = ARRAY_LENGTH(details);
    grpc_call_finish_status(call, &status.base);
}

static void on_command(struct grpc_call *call, const ProtobufCMessage *request) {
    const char *command = value_of(request);
    if (strncmp(command, "sleep ", 6) == 0) {
        start_sleep(call, command + 6);
        return;
    }
    if (strcmp(command, "promise") == 0) {
        grpc_call_add_header(call, "test-header", BYTES_LITERAL("first"));
        grpc_call_add_trailer(call, "test-trailer", BYTES_LITERAL("one"));
        return;
    }
    if (strcmp(command, "wait") == 0)
        return;
    if (strncmp(command, "block ", 6) == 0)
        block_loop(command + 6);
    if (strncmp(command, "read ", 5) == 0)
        reply_with_values(call, command + 5);
    else if (strncmp(command, "violations ", 11) == 0)
        fail_with_violations(call, command + 11);
    else if (strcmp(command, "fail") == 0)
        fail(call);
    else if (strcmp(command, "metadata") == 0)
        reply_with_metadata(call, request);
    else if (strcmp(command, "status") == 0)
        finish_with_status(call);
    else
        grpc_call_reply(call, request);
}

// A sleeper comes back by itself; whoever waits is released by this.
static void on_command_cancel(struct grpc_call *call) {
    if (!grpc_call_get_data(call))
        grpc_call_finish(call, NULL);
}

struct counter {
    uint32_t next, end;
    uint32_t size; // of each; 0 = as long as the number is
    bool fails;
};

static enum status send_next(struct grpc_call *call, const struct counter *counter) {
    char text[4096];
    int len = snprintf(text, sizeof(text), "%0*u", (int)counter->size, counter->next);
    if (len < 0 || (size_t)len >= sizeof(text))
        abort();
    Google__Protobuf__StringValue value = string_value(text);
    return grpc_call_send(call, &value.base);
}

static void count_on(struct grpc_call *call) {
    struct counter *counter = grpc_call_get_data(call);
    while (counter->next < counter->end) {
        if (send_next(call, counter) != STATUS_OK)
            return;
        counter->next++;
    }
    if (counter->fails)
        fail(call);
    else
        grpc_call_finish(call, NULL);
}

static void on_count(struct grpc_call *call, const ProtobufCMessage *request) {
    struct counter *counter = ARENA_NEW(grpc_call_get_arena(call), struct counter);
    char *rest;
    counter->end = (uint32_t)strtoul(value_of(request), &rest, 10);
    counter->fails = strcmp(rest, " fail") == 0;
    counter->size = strncmp(rest, " x", 2) == 0 ? (uint32_t)strtoul(rest + 2, NULL, 10) : 0;
    grpc_call_set_data(call, counter);
    grpc_call_send_headers(call);
    count_on(call);
}

static void on_join(struct grpc_call *call, const ProtobufCMessage *part) {
    struct arena *arena = grpc_call_get_arena(call);
    const char *before = grpc_call_get_data(call);
    grpc_call_set_data(call, arena_format(arena, "%s%s", before ? before : "", value_of(part)));
}

static void on_join_end(struct grpc_call *call) {
    const char *joined = grpc_call_get_data(call);
    Google__Protobuf__StringValue reply = string_value(joined ? joined : "");
    grpc_call_reply(call, &reply.base);
}

static void on_talk(struct grpc_call *call, const ProtobufCMessage *message) {
    if (grpc_call_send(call, message) == STATUS_EXHAUSTED)
        grpc_call_finish(call, NULL);
}

static void on_pause(struct grpc_call *call, const ProtobufCMessage *message) {
    (void)message;
    grpc_call_pause(call);
}

static void on_raw(struct grpc_call *call, struct bytes request) {
    grpc_call_reply_bytes(call, request);
}

static const struct grpc_handler echo = {.on_message = on_echo};
static const struct grpc_handler command = {.on_message = on_command, .on_cancel = on_command_cancel};
static const struct grpc_handler count = {
    .on_message = on_count, .on_writable = count_on, .on_cancel = on_cancel_finish};
static const struct grpc_handler join = {
    .on_message = on_join, .on_half_close = on_join_end, .on_cancel = on_cancel_finish};
static const struct grpc_handler talk = {
    .on_message = on_talk, .on_half_close = on_cancel_finish, .on_cancel = on_cancel_finish};
static const struct grpc_handler pause = {
    .on_message = on_pause, .on_half_close = on_cancel_finish, .on_cancel = on_cancel_finish};
static const struct grpc_handler raw = {.on_bytes = on_raw};

#define STRING_VALUE &google__protobuf__string_value__descriptor
#define INFO &google__rpc__error_info__descriptor
#define METHOD(name, shape_, handler_, ...)                                                            \
    {                                                                                                  \
        .path = "/latchkey.test.CallService/" name, .request = STRING_VALUE, .response = STRING_VALUE, \
        .shape = shape_, .handler = handler_, __VA_ARGS__                                              \
    }

static const struct grpc_method methods[] = {
    METHOD("Echo", GRPC_UNARY, &echo, .is_read_only = true),
    METHOD("Secret", GRPC_UNARY, &echo, .never_compress = true),
    {.path = "/latchkey.test.CallService/Info",
     .request = INFO,
     .response = INFO,
     .shape = GRPC_UNARY,
     .handler = &echo},
    METHOD("Command", GRPC_UNARY, &command),
    METHOD("Count", GRPC_SERVER_STREAM, &count),
    METHOD("Join", GRPC_CLIENT_STREAM, &join),
    METHOD("Talk", GRPC_BIDI, &talk),
    METHOD("Raw", GRPC_UNARY, &raw),
    METHOD("Pause", GRPC_CLIENT_STREAM, &pause),
};

int main(int argc, char **argv) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct test_server server = {.options = {.tables = &table, .table_count = 1}};
    return test_server_run(&server, argc, argv);
}
