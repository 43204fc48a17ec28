#include "services/console/console_call.h"

#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/base/whole_file.h"
#include "common/protobuf/json_heap.h"
#include "services/console/console_json.h"
#include "services/console/console_rpc.h"
#include "services/console/console_settings.h"

enum { TOKEN_FILE_MAX = 8192, ERROR_MAX = 512 };

// ---- what is asked ----

static enum status add(struct arena *arena, struct local_request *call, const char *name,
                       struct bytes value) {
    return metadata_add(&call->fields, arena, bytes_of_text(name), value);
}

// Takes the message; NULL is an empty one.
static bool write_message(json_t *message, struct arena *arena, struct bytes *ret_body) {
    size_t len = message ? json_dumpb(message, NULL, 0, JSON_COMPACT) : 0;
    char *text = arena_allocate(arena, len);
    bool is_written = text && len > 0 && json_dumpb(message, text, len, JSON_COMPACT) == len;
    *ret_body = message ? bytes_of(text, len) : BYTES_LITERAL("{}");
    is_written |= !message;
    json_decref(message);
    return is_written;
}

// ---- what is answered ----

// {"details": [{"type": "google.rpc.ErrorInfo", "debug": {"reason": "..."}}]}
static const char *find_reason(const json_t *error, struct arena *arena) {
    size_t i;
    json_t *detail;
    json_array_foreach(json_object_get(error, "details"), i, detail) {
        const char *reason = console_json_find_text(json_object_get(detail, "debug"), "reason");
        const char *copy = *reason ? arena_copy_text(arena, reason) : NULL;
        if (copy)
            return copy;
    }
    return "";
}

static void read_reply(const struct local_response *response, struct arena *arena,
                       struct console_reply *ret_reply) {
    *ret_reply =
        (struct console_reply){.status = response->http_status, .body = response->body, .reason = ""};
    json_t *json = json_heap_load_object(response->body);
    if (response->http_status == 200) {
        ret_reply->message = json;
        return;
    }
    ret_reply->reason = find_reason(json, arena);
    json_decref(json);
}

void console_reply_fini(struct console_reply *reply) {
    json_decref(reply->message);
    reply->message = NULL;
}

static void ask(struct http_door *door, struct arena *arena, const char *method, json_t *message,
                struct local_request *call, struct console_reply *ret_reply) {
    struct local_response response;
    const char *path = arena_format(arena, "/latchkey.v1.%s", method);
    call->path = bytes_of_text(path);
    *ret_reply = (struct console_reply){.status = 503, .reason = ""};
    if (write_message(message, arena, &call->body) && path && http_work_call(door, call, arena, &response))
        read_reply(&response, arena, ret_reply);
}

void console_call_as_person(const struct http_request *request, const char *method, json_t *message,
                            struct console_reply *ret_reply) {
    struct local_request call = {0};
    metadata_init(&call.fields);
    *ret_reply = (struct console_reply){.status = 503, .reason = ""};
    if (console_rpc_add_caller(request, &call) == STATUS_OK)
        ask(request->door, request->arena, method, message, &call, ret_reply);
    else
        json_decref(message);
}

// ---- by the console's own token ----

static enum status read_token(struct buffer *text, struct bytes *ret_token, char *ret_error,
                              size_t error_size) {
    enum status status =
        whole_file_read(console_settings.token_file, text, TOKEN_FILE_MAX, ret_error, error_size);
    if (status != STATUS_OK)
        return status;
    struct bytes rest = buffer_get_bytes(text);
    *ret_token = bytes_trim(bytes_split(&rest, '\n'));
    if (ret_token->len > 0 && metadata_value_is_sendable(*ret_token))
        return STATUS_OK;
    snprintf(ret_error, error_size, "%s: its first line is no token", console_settings.token_file);
    return STATUS_INVALID;
}

void console_call_look_at_token(void) {
    struct buffer text = {0};
    struct bytes token;
    char error[ERROR_MAX];
    if (read_token(&text, &token, error, sizeof(error)) != STATUS_OK)
        log_event(LOG_LEVEL_WARNING, "nobody can sign in to the console yet", LOG_TEXT("reason", error));
    buffer_fini(&text);
}

static enum status add_token(struct arena *arena, struct local_request *call) {
    struct buffer text = {0};
    struct bytes token;
    char error[ERROR_MAX];
    enum status status = read_token(&text, &token, error, sizeof(error));
    const char *bearer = status == STATUS_OK ? arena_format(arena, "Bearer %.*s", BYTES_FORMAT(token)) : NULL;
    if (status == STATUS_OK)
        status = bearer ? add(arena, call, "authorization", bytes_of_text(bearer)) : STATUS_NO_MEMORY;
    buffer_fini(&text);
    return status;
}

static void ask_as_console(struct http_door *door, struct arena *arena, const char *method,
                           const char *company, json_t *message, struct console_reply *ret_reply) {
    struct local_request call = {
        .peer = {.family = IP_FAMILY_V4, .bytes = {127, 0, 0, 1}},
        .is_local = true,
    };
    metadata_init(&call.fields);
    *ret_reply = (struct console_reply){.status = 503, .reason = ""};
    if (add(arena, &call, "content-type", BYTES_LITERAL("application/json")) == STATUS_OK &&
        add_token(arena, &call) == STATUS_OK &&
        (!*company || add(arena, &call, "latchkey-company", bytes_of_text(company)) == STATUS_OK))
        ask(door, arena, method, message, &call, ret_reply);
    else
        json_decref(message);
}

static bool is_admitted(struct http_door *door, struct arena *arena) {
    struct console_reply reply;
    ask_as_console(door, arena, "TokenService/GetCaller", "", NULL, &reply);
    bool is_admitted = reply.status == 200;
    console_reply_fini(&reply);
    return is_admitted;
}

// why asked again: a list that does not hold the console's own address is refused in the same words as one
// that does not hold the person's, whom nothing has been found out about then.
void console_call_as_console(struct http_door *door, struct arena *arena, const char *method,
                             const char *company, json_t *message, struct console_reply *ret_reply) {
    ask_as_console(door, arena, method, company, message, ret_reply);
    if ((ret_reply->status != 401 && ret_reply->status != 403) || is_admitted(door, arena))
        return;
    log_event(LOG_LEVEL_WARNING, "the console's own token is refused",
              LOG_INTEGER("status", ret_reply->status), LOG_TEXT("reason", ret_reply->reason));
    *ret_reply = (struct console_reply){.status = 503, .reason = ""};
}
