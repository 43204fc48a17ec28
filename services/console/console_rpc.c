#include "services/console/console_rpc.h"

#include "common/app/http_rpc.h"
#include "common/crypto/secret.h"
#include "services/console/console_cookie.h"
#include "services/console/console_guard.h"

static bool is_passed(struct bytes name) {
    static const char *const names[] = {"content-type",       "accept",          "connect-protocol-version",
                                        "connect-timeout-ms", "x-forwarded-for", "user-agent",
                                        "traceparent"};
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
enum status console_rpc_add_caller(const struct http_request *request, struct local_request *call) {
    enum status status = STATUS_OK;
    for (const struct metadata_field *field = request->fields.first; field && status == STATUS_OK;
         field = field->next)
        if (is_passed(field->name))
            status = metadata_add(&call->fields, request->arena, field->name, field->value);
    struct bytes secret = console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION);
    if (status == STATUS_OK && secret.len == SECRET_LENGTH)
        status = add_bearer(request->arena, secret, &call->fields);
    call->peer = request->peer;
    call->is_local = false;
    return status;
}

static bool ask(const struct http_request *request, struct local_request *call, struct http_answer *answer) {
    if (!console_guard_admits(request, answer))
        return false;
    call->path = request->path;
    call->body = request->body;
    if (console_rpc_add_caller(request, call) == STATUS_OK)
        return true;
    http_answer_refuse(request, answer, 503, "unavailable", "out of memory");
    return false;
}

const struct http_route console_rpc_route = {
    .name = "rpc",
    .methods = "POST",
    .ask = ask,
    .tell = http_rpc_tell,
};
