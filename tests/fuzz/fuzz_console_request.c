// Any bytes as a request to the console: what becomes a call has one bearer at most, that of the one cookie,
// and none of the fields that would say who is asking; a bearer comes with all that the request says of whom
// it is for, or asks who that is; and it has passed the guard. An answer has a status, and nothing of it
// begins a header field of its own.
//
// The input: method and path on the first line, header fields until an empty one, then the body.
#include <assert.h>

#include "common/app/caller_claim.h"
#include "common/app/http_head.h"
#include "services/console/console_cookie.h"
#include "services/console/console_guard.h"
#include "services/console/console_rpc.h"
#include "services/console/console_settings.h"

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
    assert(answer->status >= 400 && answer->status < 500);
    for (const struct metadata_field *field = answer->fields.first; field; field = field->next)
        for (size_t i = 0; i < field->value.len; i++)
            assert(field->value.data[i] >= ' ' && field->value.data[i] != 0x7f);
}

static unsigned count_claims(const struct metadata *fields) {
    unsigned count = 0;
    for (const struct metadata_field *field = fields->first; field; field = field->next)
        count += bytes_is_text(field->name, CALLER_CLAIM_FIELD);
    return count;
}

static void check_call(const struct http_request *request, const struct local_request *call) {
    struct bytes cookie = console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION);
    unsigned bearers = 0;
    assert(!call->is_local);
    for (const struct metadata_field *field = call->fields.first; field; field = field->next) {
        assert(!bytes_is_text(field->name, "cookie") && !bytes_is_text(field->name, "x-access-token") &&
               !bytes_is_text(field->name, "latchkey-company"));
        if (!bytes_is_text(field->name, "authorization"))
            continue;
        bearers++;
        assert(bytes_has_prefix(field->value, BYTES_LITERAL("Bearer ")) &&
               bytes_is_equal(bytes_of(field->value.data + 7, field->value.len - 7), cookie));
    }
    assert(bearers <= 1);
    assert(count_claims(&call->fields) == count_claims(&request->fields));
    assert(bearers == 0 || count_claims(&call->fields) > 0 ||
           bytes_is_text(call->path, CONSOLE_RPC_GET_CALLER));
    assert(bytes_is_equal_ignoring_case(http_request_find_only(request, "host"),
                                        BYTES_LITERAL("console.localhost")));
    assert(http_request_has_type(request, "application/json"));
    struct bytes origin = http_request_find_only(request, "origin");
    assert(origin.len == 0 || bytes_is_text(origin, "http://console.localhost"));
}

static void try_request(struct http_request *request) {
    struct local_request call = {.is_local = true};
    struct http_answer answer = {0};
    metadata_init(&call.fields);
    metadata_init(&answer.fields);
    if (console_rpc_route.ask(request, &call, &answer))
        check_call(request, &call);
    else
        check_answer(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = bytes_of(data, size);
    struct arena arena;
    console_settings.url = "http://console.localhost";
    arena_init(&arena, 64 * 1024 * 1024);
    struct http_request request = {.arena = &arena, .method = "POST", .peer = {.family = IP_FAMILY_V4}};
    metadata_init(&request.fields);
    http_head_set_uri(&request, next_line(&rest));
    bool is_good = true;
    for (struct bytes line = next_line(&rest); is_good && line.len > 0; line = next_line(&rest))
        is_good = add_field(&request, line);
    request.body = rest;
    if (is_good)
        try_request(&request);
    arena_fini(&arena);
    return 0;
}
