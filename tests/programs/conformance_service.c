// One conversation for all five methods. The first request, of whatever type, becomes a list of answers that
// are owed, each perhaps after a delay, and an end: a unary call owes one answer, or none where it ends with
// an error. Answers are due when the client has ended its side, in a full-duplex stream one after each
// request.
//
//     request(s) --> advance() --due, delayed--> timer --> answer --> advance() ... --nothing owed-->
//     finish()
//
// Of a stream no further request is taken while an answer is delayed.
#include "tests/programs/conformance_service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "google/rpc/status.pb-c.h"
#include "tests/programs/conformance_request.h"

#define TYPE(name) Connectrpc__Conformance__V1__##name
#define DESCRIPTOR(name) &connectrpc__conformance__v1__##name##__descriptor

typedef TYPE(Header) Header;
typedef TYPE(Error) Error;
typedef TYPE(ConformancePayload) Payload;

enum { NS_PER_MS = 1000000 };

// What both kinds of definition come to.
struct answers {
    Header **headers, **trailers;
    size_t header_count, trailer_count;
    const ProtobufCBinaryData *data; // an answer each
    size_t count;
    uint32_t delay_ms;
    const Error *error; // NULL = OK
};

struct conversation {
    struct grpc_call *call;
    struct conformance_request request;
    struct answers answers;
    size_t sent;
    const RequestInfo *told; // by the next answer; made when it is first tried
    struct timer delay;
    bool is_delayed; // before the next answer
    bool is_delay_over;
    bool is_started;     // the first request has come
    bool is_full_duplex; // an answer after each request
    bool is_asked;       // a request has come since the last answer
    bool is_input_over;
};

// The requests of one response are alike on the wire and in C, and so are their responses: what differs is
// the name.
static_assert(sizeof(TYPE(UnaryRequest)) == sizeof(TYPE(IdempotentUnaryRequest)) &&
                  sizeof(TYPE(UnaryRequest)) == sizeof(TYPE(ClientStreamRequest)),
              "one definition");
static_assert(sizeof(TYPE(UnaryResponse)) == sizeof(TYPE(BidiStreamResponse)) &&
                  sizeof(TYPE(UnaryResponse)) == sizeof(TYPE(ServerStreamResponse)),
              "one payload");

static const ProtobufCBinaryData no_data;

static struct answers answers_of_unary(const TYPE(UnaryResponseDefinition) * definition) {
    struct answers answers = {.data = &no_data, .count = 1};
    if (!definition)
        return answers;
    answers.headers = definition->response_headers;
    answers.header_count = definition->n_response_headers;
    answers.trailers = definition->response_trailers;
    answers.trailer_count = definition->n_response_trailers;
    answers.delay_ms = definition->response_delay_ms;
    if (definition->response_case == CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_ERROR) {
        answers.count = 0;
        answers.error = definition->error;
    }
    if (definition->response_case ==
        CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_RESPONSE_DATA)
        answers.data = &definition->response_data;
    return answers;
}

static struct answers answers_of_stream(const TYPE(StreamResponseDefinition) * definition) {
    if (!definition)
        return (struct answers){0};
    return (struct answers){
        .headers = definition->response_headers,
        .header_count = definition->n_response_headers,
        .trailers = definition->response_trailers,
        .trailer_count = definition->n_response_trailers,
        .data = definition->response_data,
        .count = definition->n_response_data,
        .delay_ms = definition->response_delay_ms,
        .error = definition->error,
    };
}

static void add_metadata(struct grpc_call *call, Header *const *headers, size_t count,
                         bool (*add)(struct grpc_call *call, const char *name, struct bytes value)) {
    for (size_t i = 0; i < count; i++) {
        char *name = conformance_need(arena_copy_text(grpc_call_get_arena(call), headers[i]->name));
        for (char *c = name; *c; c++)
            *c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
        for (size_t value = 0; value < headers[i]->n_value; value++)
            if (!add(call, name, bytes_of_text(headers[i]->value[value])))
                abort();
    }
}

static bool is_stream_of_answers(const struct grpc_call *call) {
    enum grpc_shape shape = grpc_call_get_method(call)->shape;
    return shape == GRPC_SERVER_STREAM || shape == GRPC_BIDI;
}

static const RequestInfo *tell(struct conversation *conversation) {
    if (conversation->sent == 0)
        return conformance_request_tell_all(&conversation->request);
    return conversation->is_full_duplex && conversation->is_asked
               ? conformance_request_tell_rest(&conversation->request)
               : NULL;
}

// EXHAUSTED: on_writable follows.
static enum status send_next(struct conversation *conversation) {
    const ProtobufCMessageDescriptor *descriptor = grpc_call_get_method(conversation->call)->response;
    Payload payload = CONNECTRPC__CONFORMANCE__V1__CONFORMANCE_PAYLOAD__INIT;
    TYPE(UnaryResponse) response;
    if (!conversation->told)
        conversation->told = tell(conversation);
    payload.data = conversation->answers.data[conversation->sent];
    payload.request_info = (RequestInfo *)conversation->told;
    protobuf_c_message_init(descriptor, &response);
    response.payload = &payload;
    return grpc_call_send(conversation->call, &response.base);
}

// The error with what was seen, unless an answer has told that.
static const ProtobufCMessage *new_status(struct conversation *conversation) {
    struct arena *arena = grpc_call_get_arena(conversation->call);
    const Error *error = conversation->answers.error;
    Google__Rpc__Status *status = conformance_need(ARENA_NEW(arena, Google__Rpc__Status));
    google__rpc__status__init(status);
    status->code = (int32_t)error->code;
    if (error->text_case == CONNECTRPC__CONFORMANCE__V1__ERROR__TEXT_MESSAGE)
        status->message = error->message;
    status->details = conformance_need(ARENA_NEW_ARRAY(arena, Google__Protobuf__Any *, error->n_details + 1));
    for (; status->n_details < error->n_details; status->n_details++)
        status->details[status->n_details] = error->details[status->n_details];
    if (conversation->sent == 0)
        status->details[status->n_details++] =
            conformance_any(arena, &conformance_request_tell_all(&conversation->request)->base);
    return &status->base;
}

static void finish(struct conversation *conversation) {
    if (conversation->answers.error)
        grpc_call_finish_status(conversation->call, new_status(conversation));
    else
        grpc_call_finish(conversation->call, NULL);
}

// An answer, or the end where none is left: a full-duplex stream ends with the first request that finds none.
static bool is_due(const struct conversation *conversation) {
    return conversation->is_input_over || (conversation->is_full_duplex && conversation->is_asked);
}

static void on_delay_over(struct timer *timer);

static void wait_before_answer(struct conversation *conversation) {
    struct grpc_call *call = conversation->call;
    struct loop *loop = grpc_call_get_loop(call);
    uint64_t delay_ns = (uint64_t)conversation->answers.delay_ms * NS_PER_MS;
    if (is_stream_of_answers(call))
        grpc_call_send_headers(call);
    if (!conversation->is_input_over)
        grpc_call_pause(call);
    conversation->is_delayed = true;
    conversation->delay.on_due = on_delay_over;
    loop_arm_timer(loop, &conversation->delay, loop_get_monotonic_ns(loop) + delay_ns);
}

static void note_sent(struct conversation *conversation) {
    conversation->sent++;
    conversation->told = NULL;
    conversation->is_delay_over = false;
    conversation->is_asked = false;
}

// False when the call is finished, and the conversation gone.
static bool advance(struct conversation *conversation) {
    const struct answers *answers = &conversation->answers;
    while (!conversation->is_delayed && is_due(conversation) && conversation->sent < answers->count) {
        if (answers->delay_ms > 0 && !conversation->is_delay_over)
            wait_before_answer(conversation);
        else if (send_next(conversation) == STATUS_OK)
            note_sent(conversation);
        else
            return true;
    }
    if (conversation->is_delayed || !is_due(conversation))
        return true;
    finish(conversation);
    return false;
}

static void on_delay_over(struct timer *timer) {
    struct conversation *conversation = CONTAINER_OF(timer, struct conversation, delay);
    struct grpc_call *call = conversation->call;
    conversation->is_delayed = false;
    conversation->is_delay_over = true;
    if (advance(conversation) && !conversation->is_delayed)
        grpc_call_resume(call);
}

static void start(struct conversation *conversation, struct answers answers) {
    struct grpc_call *call = conversation->call;
    conversation->is_started = true;
    conversation->answers = answers;
    add_metadata(call, answers.headers, answers.header_count, grpc_call_add_header);
    add_metadata(call, answers.trailers, answers.trailer_count, grpc_call_add_trailer);
}

static struct conversation *new_conversation(struct grpc_call *call) {
    struct conversation *conversation =
        conformance_need(ARENA_NEW(grpc_call_get_arena(call), struct conversation));
    conversation->call = call;
    conformance_request_init(&conversation->request, call);
    grpc_call_set_data(call, conversation);
    return conversation;
}

static void on_unary(struct grpc_call *call, const ProtobufCMessage *message) {
    struct conversation *conversation = new_conversation(call);
    const TYPE(UnaryRequest) *request =
        (const void *)conformance_request_add(&conversation->request, message);
    start(conversation, answers_of_unary(request->response_definition));
    conversation->is_input_over = true;
    advance(conversation);
}

static void on_server_stream(struct grpc_call *call, const ProtobufCMessage *message) {
    struct conversation *conversation = new_conversation(call);
    const TYPE(ServerStreamRequest) *request =
        (const void *)conformance_request_add(&conversation->request, message);
    start(conversation, answers_of_stream(request->response_definition));
    conversation->is_input_over = true;
    advance(conversation);
}

static void on_start(struct grpc_call *call) {
    new_conversation(call);
}

static void on_client_stream(struct grpc_call *call, const ProtobufCMessage *message) {
    struct conversation *conversation = grpc_call_get_data(call);
    const TYPE(ClientStreamRequest) *request =
        (const void *)conformance_request_add(&conversation->request, message);
    if (!conversation->is_started)
        start(conversation, answers_of_unary(request->response_definition));
}

static void on_bidi_stream(struct grpc_call *call, const ProtobufCMessage *message) {
    struct conversation *conversation = grpc_call_get_data(call);
    const TYPE(BidiStreamRequest) *request =
        (const void *)conformance_request_add(&conversation->request, message);
    if (!conversation->is_started) {
        start(conversation, answers_of_stream(request->response_definition));
        conversation->is_full_duplex = request->full_duplex;
    }
    conversation->is_asked = true;
    advance(conversation);
}

static void on_half_close(struct grpc_call *call) {
    struct conversation *conversation = grpc_call_get_data(call);
    conversation->is_input_over = true;
    if (!conversation->is_started && !is_stream_of_answers(call))
        start(conversation, answers_of_unary(NULL));
    advance(conversation);
}

static void on_writable(struct grpc_call *call) {
    advance(grpc_call_get_data(call));
}

static void on_cancel(struct grpc_call *call) {
    struct conversation *conversation = grpc_call_get_data(call);
    loop_disarm_timer(grpc_call_get_loop(call), &conversation->delay);
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler unary = {
    .on_message = on_unary, .on_writable = on_writable, .on_cancel = on_cancel};
static const struct grpc_handler server_stream = {
    .on_message = on_server_stream, .on_writable = on_writable, .on_cancel = on_cancel};
static const struct grpc_handler client_stream = {.on_start = on_start,
                                                  .on_message = on_client_stream,
                                                  .on_half_close = on_half_close,
                                                  .on_writable = on_writable,
                                                  .on_cancel = on_cancel};
static const struct grpc_handler bidi_stream = {.on_start = on_start,
                                                .on_message = on_bidi_stream,
                                                .on_half_close = on_half_close,
                                                .on_writable = on_writable,
                                                .on_cancel = on_cancel};

#define METHOD(name, request_, response_, shape_, handler_, ...)                                        \
    {                                                                                                   \
        .path = "/connectrpc.conformance.v1.ConformanceService/" name, .request = DESCRIPTOR(request_), \
        .response = DESCRIPTOR(response_), .shape = shape_, .handler = handler_, __VA_ARGS__            \
    }

static const struct grpc_method methods[] = {
    METHOD("Unary", unary_request, unary_response, GRPC_UNARY, &unary),
    METHOD("IdempotentUnary", idempotent_unary_request, idempotent_unary_response, GRPC_UNARY, &unary,
           .is_read_only = true),
    METHOD("ServerStream", server_stream_request, server_stream_response, GRPC_SERVER_STREAM, &server_stream),
    METHOD("ClientStream", client_stream_request, client_stream_response, GRPC_CLIENT_STREAM, &client_stream),
    METHOD("BidiStream", bidi_stream_request, bidi_stream_response, GRPC_BIDI, &bidi_stream),
};

struct router_table conformance_service_get_table(void) {
    return (struct router_table){methods, ARRAY_LENGTH(methods)};
}
