// Any bytes as a request to /check and to /introspect, and as what Validate answered: a call that is asked is
// a well-formed one, an answer has a status, and nothing of it begins a header field of its own.
//
// The input: a path with its query on the first line, header fields until an empty one, then the body; for
// the way back the whole is a framed message.
#include <assert.h>

#include "common/app/http_head.h"
#include "common/grpc/framing.h"
#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/gateway/forward_auth.h"
#include "services/validator/gateway/introspection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes next_line(struct bytes *rest) {
    return rest->data ? bytes_split(rest, '\n') : BYTES_EMPTY;
}

// False where the door would refuse the request.
static bool add_field(struct http_request *request, struct bytes line) {
    struct bytes value = line;
    struct bytes name = bytes_split(&value, ':');
    return http_head_add(request, name, value) == HTTP_HEAD_GOOD;
}

static void check_answer(const struct http_answer *answer) {
    assert(answer->status >= 200 && answer->status < 600);
    for (const struct metadata_field *field = answer->fields.first; field; field = field->next)
        for (size_t i = 0; i < field->value.len; i++)
            assert(field->value.data[i] >= ' ' && field->value.data[i] != 0x7f);
}

static void check_call(const struct local_request *call, struct arena *arena) {
    ProtobufCMessage *message;
    const char *text;
    assert(call->body.len >= FRAMING_PREFIX_BYTES);
    struct bytes body =
        bytes_of(call->body.data + FRAMING_PREFIX_BYTES, call->body.len - FRAMING_PREFIX_BYTES);
    assert(message_unpack(&latchkey__v1__validate_request__descriptor, body, arena, &message, &text) ==
           STATUS_OK);
}

static void try_route(const struct http_route *route, struct http_request *request, struct bytes input) {
    struct local_request call = {.is_local = true};
    struct http_answer asked = {0}, told = {0};
    metadata_init(&call.fields);
    metadata_init(&asked.fields);
    metadata_init(&told.fields);
    request->context = route->context;
    if (route->ask(request, &call, &asked))
        check_call(&call, request->arena);
    else
        check_answer(&asked);

    struct local_response response = {.http_status = 200, .body = input};
    metadata_init(&response.fields);
    metadata_init(&response.trailers);
    bool is_ok = input.len % 2 == 0;
    (void)!metadata_add(&response.trailers, request->arena, BYTES_LITERAL("grpc-status"),
                        is_ok ? BYTES_LITERAL("0") : BYTES_LITERAL("14"));
    if (!is_ok)
        (void)!metadata_add(&response.trailers, request->arena, BYTES_LITERAL("grpc-message"), input);
    route->tell(request, &response, &told);
    check_answer(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct forward_auth forward_auth = {.cookie = "session"};
    static const struct http_route check = {
        .context = &forward_auth, .ask = forward_auth_ask, .tell = forward_auth_tell};
    static const struct http_route introspect = {.ask = introspection_ask, .tell = introspection_tell};
    struct bytes input = bytes_of(data, size), rest = input;
    struct arena arena;
    arena_init(&arena, 64 * 1024 * 1024);
    struct http_request request = {.arena = &arena, .method = "GET", .peer = {.family = IP_FAMILY_V4}};
    metadata_init(&request.fields);
    http_head_set_uri(&request, next_line(&rest));
    bool is_good = true;
    for (struct bytes line = next_line(&rest); is_good && line.len > 0; line = next_line(&rest))
        is_good = add_field(&request, line);
    (void)http_head_is_framing_clear(&request);
    (void)http_head_get_length(&request);
    request.body = rest;
    if (!is_good) {
        arena_fini(&arena);
        return 0;
    }
    try_route(&check, &request, input);
    try_route(&introspect, &request, input);
    arena_fini(&arena);
    return 0;
}
