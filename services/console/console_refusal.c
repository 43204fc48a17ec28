#include "services/console/console_refusal.h"

#include "common/base/buffer.h"
#include "common/protobuf/base64.h"

#define ERROR_DOMAIN "latchkey.v1"

const struct console_refusal console_refusal_malformed = {400, "invalid_argument", "INVALID_ARGUMENT",
                                                          "the body is not the JSON that this path takes"};
const struct console_refusal console_refusal_link_broken = {
    403, "permission_denied", "LINK_BROKEN",
    "this link has been used, is too old, or never was one; ask for another"};
const struct console_refusal console_refusal_other_browser = {
    403, "permission_denied", "LINK_OTHER_BROWSER",
    "open the link in the browser in which you asked for it, or ask for another here"};
const struct console_refusal console_refusal_too_many = {
    429, "resource_exhausted", "TOO_MANY_LINKS", "too many links were asked for from your address; wait"};
const struct console_refusal console_refusal_unavailable = {
    503, "unavailable", "UNAVAILABLE", "nobody can be signed in at the moment; try again"};

static void append_field(struct buffer *message, uint8_t number, const char *text) {
    enum { LENGTH_DELIMITED = 2, NUMBER_SHIFT = 3 };
    buffer_append_byte(message, (uint8_t)(number << NUMBER_SHIFT | LENGTH_DELIMITED));
    buffer_append_byte(message, (uint8_t)strlen(text));
    buffer_append_text(message, text);
}

// google.rpc.ErrorInfo, in base64.
static struct bytes encode_info(const char *reason, struct arena *arena) {
    struct buffer message = {0};
    append_field(&message, 1, reason);
    append_field(&message, 2, ERROR_DOMAIN);
    struct bytes text = base64_encode(arena, buffer_get_bytes(&message));
    buffer_fini(&message);
    return text;
}

void console_refuse(const struct http_request *request, const struct console_refusal *refusal,
                    struct http_answer *answer) {
    struct bytes info = encode_info(refusal->reason, request->arena);
    const char *body =
        arena_format(request->arena,
                     "{\"code\":\"%s\",\"message\":\"%s\",\"details\":[{\"type\":\"google.rpc.ErrorInfo\","
                     "\"value\":\"%.*s\",\"debug\":{\"reason\":\"%s\",\"domain\":\"" ERROR_DOMAIN "\"}}]}",
                     refusal->code, refusal->text, BYTES_FORMAT(info), refusal->reason);
    http_answer_json(request, answer, refusal->status, bytes_of_text(body ? body : "{}"));
    if (refusal->status == 503)
        http_answer_add(request, answer, "retry-after", BYTES_LITERAL("1"));
}
