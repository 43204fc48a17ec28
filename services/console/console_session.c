#include "services/console/console_session.h"

#include <string.h>

#include "common/base/buffer.h"
#include "services/console/console_call.h"
#include "services/console/console_client.h"
#include "services/console/console_cookie.h"
#include "services/console/console_guard.h"
#include "services/console/console_json.h"
#include "services/console/console_refusal.h"
#include "services/console/console_rpc.h"
#include "services/console/console_settings.h"

// ---- GET /session ----

static void append_text(struct buffer *json, const char *name, const char *text) {
    buffer_append_format(json, ",\"%s\":", name);
    if (text)
        buffer_append_json(json, bytes_of_text(text));
    else
        buffer_append_text(json, "null");
}

static const char *find_ways(void) {
    if (!console_settings_has_openid())
        return "[\"mail\"]";
    return console_settings_has_mail() ? "[\"openid\",\"mail\"]" : "[\"openid\"]";
}

static void describe(const struct http_request *request, bool is_signed_in, struct http_answer *answer) {
    struct buffer json = {0};
    char client[IP_ADDRESS_TEXT_MAX + 1];
    const char *company = console_settings_get_company();
    console_client_format_address(request, client);
    buffer_append_format(&json, "{\"signedIn\":%s,\"ways\":%s", is_signed_in ? "true" : "false", find_ways());
    if (console_settings_has_openid()) {
        buffer_append_text(&json, ",\"provider\":");
        buffer_append_json(&json, console_settings_get_provider_name());
    }
    append_text(&json, "company", *company ? company : NULL);
    append_text(&json, "clientIp", client);
    buffer_append_byte(&json, '}');
    const char *copy = arena_copy_bytes(request->arena, buffer_get_bytes(&json));
    http_answer_json(request, answer, 200, bytes_of(copy, copy ? json.len : 0));
    buffer_fini(&json);
}

bool console_session_ask_who(const struct http_request *request, struct local_request *call,
                             struct http_answer *answer) {
    if (!console_guard_admits_reading(request, answer))
        return false;
    if (console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION).len == 0) {
        describe(request, false, answer);
        return false;
    }
    call->path = BYTES_LITERAL(CONSOLE_RPC_GET_CALLER);
    call->body = BYTES_LITERAL("{}");
    if (console_rpc_add_caller(request, call) == STATUS_OK &&
        metadata_add(&call->fields, request->arena, BYTES_LITERAL("content-type"),
                     BYTES_LITERAL("application/json")) == STATUS_OK)
        return true;
    console_refuse(request, &console_refusal_unavailable, answer);
    return false;
}

void console_session_tell_who(const struct http_request *request, const struct local_response *response,
                              struct http_answer *answer) {
    if (response->http_status >= 500)
        console_refuse(request, &console_refusal_unavailable, answer);
    else
        describe(request, response->http_status == 200, answer);
}

// ---- POST /session/end ----

// Done or refused, and not put off.
static bool is_answered(const struct console_reply *reply) {
    return reply->status < 500 && reply->status != 429;
}

// NULL: it is over. Else it may live on.
static const struct console_refusal *end_login(const struct http_request *request) {
    struct console_reply caller, ended = {0};
    console_call_as_person(request, "TokenService/GetCaller", NULL, &caller);
    bool is_over = is_answered(&caller), is_other = strcmp(caller.reason, "CALLER_MISMATCH") == 0;
    if (caller.status == 200) {
        const char *token_id = console_json_find_text(json_object_get(caller.message, "caller"), "tokenId");
        console_call_as_person(request, "TokenService/DeactivateLoginToken",
                               json_pack("{s:s}", "tokenId", token_id), &ended);
        is_over = is_answered(&ended);
    }
    console_reply_fini(&ended);
    console_reply_fini(&caller);
    if (is_other)
        return &console_refusal_other_caller;
    return is_over ? NULL : &console_refusal_unavailable;
}

// What is refused to its own person (by a list, say) is no session any more either.
void console_session_end(const struct http_request *request, struct http_answer *answer) {
    bool is_signed_in = console_cookie_find(&request->fields, CONSOLE_COOKIE_SESSION).len > 0;
    const struct console_refusal *refusal = is_signed_in ? end_login(request) : NULL;
    if (refusal) {
        console_refuse(request, refusal, answer);
        return;
    }
    console_cookie_set(request, answer, CONSOLE_COOKIE_SESSION, BYTES_EMPTY, 0);
    answer->status = 204;
}
