// grpc.testing.TestService on the product's own transport, for gRPC's interoperability tests.
#include <stdlib.h>
#include <string.h>

#include "common/grpc/call.h"
#include "common/protobuf/base64.h"
#include "google/rpc/status.pb-c.h"
#include "grpc/testing/test.pb-c.h"
#include "tests/programs/test_server.h"

#define TYPE(name) Grpc__Testing__##name
#define DESCRIPTOR(name) &grpc__testing__##name##__descriptor

enum { NS_PER_US = 1000, PAYLOAD_BYTES_MAX = 1 << 20 };

static uint8_t zeros[PAYLOAD_BYTES_MAX];

// The answers of a request that have not been sent.
struct output {
    struct grpc_call *call;
    TYPE(ResponseParameters) * rows;
    size_t count, next;
    struct timer interval;
    bool is_interval_over;
    bool is_input_over;
};

// The client's own metadata comes back to it: one field ahead of the answers, one after.
static void echo_metadata(struct grpc_call *call) {
    static const char header[] = "x-grpc-test-echo-initial", trailer[] = "x-grpc-test-echo-trailing-bin";
    struct bytes ahead = grpc_call_find_metadata(call, header);
    struct bytes after = grpc_call_find_metadata(call, trailer);
    struct bytes decoded;
    if (ahead.data && !grpc_call_add_header(call, header, ahead))
        abort();
    if (!after.data || base64_decode(grpc_call_get_arena(call), after, &decoded) != STATUS_OK)
        return;
    if (!grpc_call_add_trailer(call, trailer, decoded))
        abort();
}

// True when `asked` is a status, which then has ended the call.
static bool end_as_asked(struct grpc_call *call, const TYPE(EchoStatus) * asked) {
    if (!asked || asked->code == 0)
        return false;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = asked->code;
    status.message = asked->message;
    grpc_call_finish_status(call, &status.base);
    return true;
}

// True when there is no payload of that size, which then has ended the call.
static bool refuse_size(struct grpc_call *call, int32_t size) {
    if (size >= 0 && size <= PAYLOAD_BYTES_MAX)
        return false;
    struct fault *fault = grpc_call_get_fault(call);
    fault_add_field(fault, "response_size", "%d is not within 0 and %d", size, PAYLOAD_BYTES_MAX);
    grpc_call_finish(call, fault);
    return true;
}

static TYPE(Payload) payload_of(int32_t size) {
    TYPE(Payload) payload = GRPC__TESTING__PAYLOAD__INIT;
    payload.body = (ProtobufCBinaryData){(size_t)size, zeros};
    return payload;
}

static void on_empty_call(struct grpc_call *call, const ProtobufCMessage *request) {
    grpc_call_reply(call, request);
}

static void on_unary_call(struct grpc_call *call, const ProtobufCMessage *message) {
    const TYPE(SimpleRequest) *request = (const void *)message;
    echo_metadata(call);
    if (refuse_size(call, request->response_size) || end_as_asked(call, request->response_status))
        return;
    TYPE(Payload) payload = payload_of(request->response_size);
    TYPE(SimpleResponse) response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    response.payload = &payload;
    grpc_call_reply(call, &response.base);
}

static void on_input(struct grpc_call *call, const ProtobufCMessage *message) {
    const TYPE(StreamingInputCallRequest) *request = (const void *)message;
    int32_t *sum = grpc_call_get_data(call);
    *sum += request->payload ? (int32_t)request->payload->body.len : 0;
}

static void on_input_start(struct grpc_call *call) {
    int32_t *sum = ARENA_NEW(grpc_call_get_arena(call), int32_t);
    if (!sum)
        abort();
    grpc_call_set_data(call, sum);
}

static void on_input_end(struct grpc_call *call) {
    const int32_t *sum = grpc_call_get_data(call);
    TYPE(StreamingInputCallResponse) response = GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
    response.aggregated_payload_size = *sum;
    grpc_call_reply(call, &response.base);
}

static struct output *new_output(struct grpc_call *call) {
    struct output *output = ARENA_NEW(grpc_call_get_arena(call), struct output);
    if (!output)
        abort();
    output->call = call;
    grpc_call_set_data(call, output);
    return output;
}

static void send_on(struct output *output);

static void on_interval_over(struct timer *timer) {
    struct output *output = CONTAINER_OF(timer, struct output, interval);
    output->is_interval_over = true;
    send_on(output);
}

// True when the next answer has yet to wait.
static bool wait_interval(struct output *output) {
    int32_t interval_us = output->rows[output->next].interval_us;
    if (interval_us <= 0 || output->is_interval_over)
        return false;
    struct loop *loop = grpc_call_get_loop(output->call);
    output->interval.on_due = on_interval_over;
    loop_arm_timer(loop, &output->interval, loop_get_monotonic_ns(loop) + (uint64_t)interval_us * NS_PER_US);
    return true;
}

static enum status send_next(struct output *output) {
    TYPE(Payload) payload = payload_of(output->rows[output->next].size);
    TYPE(StreamingOutputCallResponse) response = GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    response.payload = &payload;
    return grpc_call_send(output->call, &response.base);
}

// Until an answer has to wait, or all are sent: then the client may go on, or the call is over.
static void send_on(struct output *output) {
    for (; output->next < output->count; output->next++) {
        if (wait_interval(output) || send_next(output) != STATUS_OK)
            return;
        output->is_interval_over = false;
    }
    if (output->is_input_over)
        grpc_call_finish(output->call, NULL);
    else
        grpc_call_resume(output->call);
}

// False when the request has ended the call.
static bool take_output(struct output *output, const TYPE(StreamingOutputCallRequest) * request) {
    struct grpc_call *call = output->call;
    size_t count = request->n_response_parameters;
    output->rows = ARENA_NEW_ARRAY(grpc_call_get_arena(call), TYPE(ResponseParameters), count);
    if (!output->rows)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (refuse_size(call, request->response_parameters[i]->size))
            return false;
        output->rows[i] = *request->response_parameters[i];
    }
    output->count = count;
    output->next = 0;
    return !end_as_asked(call, request->response_status);
}

static void on_output(struct grpc_call *call, const ProtobufCMessage *request) {
    struct output *output = new_output(call);
    output->is_input_over = true;
    if (take_output(output, (const void *)request))
        send_on(output);
}

static void on_duplex_start(struct grpc_call *call) {
    new_output(call);
    echo_metadata(call);
}

static void on_duplex(struct grpc_call *call, const ProtobufCMessage *request) {
    struct output *output = grpc_call_get_data(call);
    if (!take_output(output, (const void *)request))
        return;
    grpc_call_pause(call);
    send_on(output);
}

static void on_duplex_end(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static void on_writable(struct grpc_call *call) {
    send_on(grpc_call_get_data(call));
}

static void on_input_cancel(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static void on_output_cancel(struct grpc_call *call) {
    struct output *output = grpc_call_get_data(call);
    loop_disarm_timer(grpc_call_get_loop(call), &output->interval);
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler empty_call = {.on_message = on_empty_call};
static const struct grpc_handler unary_call = {.on_message = on_unary_call};
static const struct grpc_handler input = {.on_start = on_input_start,
                                          .on_message = on_input,
                                          .on_half_close = on_input_end,
                                          .on_cancel = on_input_cancel};
static const struct grpc_handler output = {
    .on_message = on_output, .on_writable = on_writable, .on_cancel = on_output_cancel};
static const struct grpc_handler duplex = {.on_start = on_duplex_start,
                                           .on_message = on_duplex,
                                           .on_half_close = on_duplex_end,
                                           .on_writable = on_writable,
                                           .on_cancel = on_output_cancel};

#define METHOD(name, request_, response_, shape_, handler_)                         \
    {                                                                               \
        .path = "/grpc.testing.TestService/" name, .request = DESCRIPTOR(request_), \
        .response = DESCRIPTOR(response_), .shape = shape_, .handler = handler_     \
    }

static const struct grpc_method methods[] = {
    METHOD("EmptyCall", empty, empty, GRPC_UNARY, &empty_call),
    METHOD("UnaryCall", simple_request, simple_response, GRPC_UNARY, &unary_call),
    METHOD("StreamingInputCall", streaming_input_call_request, streaming_input_call_response,
           GRPC_CLIENT_STREAM, &input),
    METHOD("StreamingOutputCall", streaming_output_call_request, streaming_output_call_response,
           GRPC_SERVER_STREAM, &output),
    METHOD("FullDuplexCall", streaming_output_call_request, streaming_output_call_response, GRPC_BIDI,
           &duplex),
};

int main(int argc, char **argv) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct test_server server = {.options = {.tables = &table, .table_count = 1}};
    return test_server_run(&server, argc, argv);
}
