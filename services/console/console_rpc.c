#include "services/console/console_rpc.h"

#include "common/app/caller_claim.h"
#include "common/app/http_rpc.h"
#include "common/crypto/secret.h"
#include "services/console/console_cookie.h"
#include "services/console/console_guard.h"
#include "services/console/console_refusal.h"

static bool is_passed(struct bytes name) {
    static const char *const names[] = {"content-type",       "accept",          "connect-protocol-version",
                                        "connect-timeout-ms", "x-forwarded-for", "user-agent",
                                        "traceparent",        CALLER_CLAIM_FIELD};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (bytes_is_text(name, names[i]))
            return true;
    return false;
}

static enum status add_bearer(struct arena *arena, struct bytes secret, struct metadata *fields) {
    const char *value = arena_format(arena, "Bearer %.*s", BYTES_FORMAT(secret));
    return value ? metadata_add(fields, arena, BYTES_LITERAL("authorization"), bytes_of_text(value))
                 : STATUS_NO_MEMORY;
}

// why never local: some methods ask nobody on this machine who they are, and the browser need not be on it.
static enum status add_fields(const struct http_request *request, struct local_request *call) {
    enum status status = STATUS_OK;
    for (const struct metadata_field *field = request->fields.first; field && status == STATUS_OK;
         field = field->next)
        if (is_passed(field->name))
            status = metadata_add(&call->fields, request->arena, field->name, field->value);
    call->peer = request->peer;
    call->is_local = false;
    return status;
}

enum status console_rpc_add_caller(const struct http_request *request, struct local_request *call) {
    enum status status = add_fields(request, call);
    struct bytes secret = console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION);
    if (status == STATUS_OK && secret.len == SECRET_LENGTH)
        status = add_bearer(request->arena, secret, &call->fields);
    return status;
}

// A page that knows for whom it is says so, and the server compares (caller_claim.h). By GetCaller it learns
// it.
static bool says_for_whom(const struct http_request *request) {
    return metadata_find(request->fields.first, BYTES_LITERAL(CALLER_CLAIM_FIELD)) ||
           bytes_is_text(request->path, CONSOLE_RPC_GET_CALLER);
}

static bool ask(const struct http_request *request, struct local_request *call, struct http_answer *answer) {
    if (!console_guard_admits(request, answer))
        return false;
    call->path = request->path;
    call->body = request->body;
    if ((says_for_whom(request) ? console_rpc_add_caller(request, call) : add_fields(request, call)) ==
        STATUS_OK)
        return true;
    http_answer_refuse(request, answer, 503, "unavailable", "out of memory");
    return false;
}

// Whoever reads that they are not signed in goes to the door, which knows that they are, and leads back.
static void tell(const struct http_request *request, const struct local_response *response,
                 struct http_answer *answer) {
    bool is_signed_in = console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION).len > 0;
    if (response->http_status == 401 && is_signed_in && !says_for_whom(request))
        console_refuse(request, &console_refusal_caller_missing, answer);
    else
        http_rpc_tell(request, response, answer);
}

const struct http_route console_rpc_route = {
    .name = "rpc",
    .methods = "POST",
    .ask = ask,
    .tell = tell,
};
