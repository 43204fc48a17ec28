#include "services/console/console_refusal.h"

#include "common/base/buffer.h"
#include "common/protobuf/base64.h"
#include "services/console/console_client.h"

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
const struct console_refusal console_refusal_other_caller = {
    403, "permission_denied", "CALLER_MISMATCH", "somebody else has signed in since this page was opened"};

const struct console_refusal console_refusal_caller_missing = {
    400, "failed_precondition", "CALLER_MISSING",
    "this page does not say for whom it asks: reload it; if it still does not, something on its way here takes "
    "latchkey-caller from its requests"};

const struct console_refusal console_refusal_way_off = {404, "not_found", "WAY_OFF",
                                                        "this console does not sign people in that way"};
const struct console_refusal console_refusal_too_many_tries = {
    429, "resource_exhausted", "TOO_MANY_TRIES", "too many sign-ins were begun from your address; wait"};
const struct console_refusal console_refusal_provider_unavailable = {
    503, "unavailable", "PROVIDER_UNAVAILABLE", "the identity provider can't be reached now; try again"};

static const struct console_refusal company_address = {
    403, "permission_denied", "COMPANY_IP_NOT_LISTED",
    "the company's whitelist does not hold your address; ask your administrator"};
static const struct console_refusal member_address = {
    403, "permission_denied", "MEMBER_IP_NOT_LISTED",
    "your own list does not hold your address; ask your administrator"};

// All lengths count in one byte.
static void append_field(struct buffer *message, uint8_t number, struct bytes value) {
    enum { LENGTH_DELIMITED = 2, NUMBER_SHIFT = 3 };
    buffer_append_byte(message, (uint8_t)(number << NUMBER_SHIFT | LENGTH_DELIMITED));
    buffer_append_byte(message, (uint8_t)value.len);
    buffer_append(message, value);
}

static void append_metadata(struct buffer *message, const char *client_ip) {
    struct buffer entry = {0};
    append_field(&entry, 1, BYTES_LITERAL("clientIp"));
    append_field(&entry, 2, bytes_of_text(client_ip));
    append_field(message, 3, buffer_get_bytes(&entry));
    buffer_fini(&entry);
}

// google.rpc.ErrorInfo, in base64. `client_ip` "" = without.
static struct bytes encode_info(const char *reason, const char *client_ip, struct arena *arena) {
    struct buffer message = {0};
    append_field(&message, 1, bytes_of_text(reason));
    append_field(&message, 2, BYTES_LITERAL(ERROR_DOMAIN));
    if (*client_ip)
        append_metadata(&message, client_ip);
    struct bytes text = base64_encode(arena, buffer_get_bytes(&message));
    buffer_fini(&message);
    return text;
}

static void refuse(const struct http_request *request, const struct console_refusal *refusal,
                   const char *client_ip, struct http_answer *answer) {
    struct bytes info = encode_info(refusal->reason, client_ip, request->arena);
    const char *metadata =
        *client_ip ? arena_format(request->arena, ",\"metadata\":{\"clientIp\":\"%s\"}", client_ip) : "";
    const char *body = arena_format(
        request->arena,
        "{\"code\":\"%s\",\"message\":\"%s\",\"details\":[{\"type\":\"google.rpc.ErrorInfo\","
        "\"value\":\"%.*s\",\"debug\":{\"reason\":\"%s\",\"domain\":\"" ERROR_DOMAIN "\"%s}}]}",
        refusal->code, refusal->text, BYTES_FORMAT(info), refusal->reason, metadata ? metadata : "");
    http_answer_json(request, answer, refusal->status, bytes_of_text(body ? body : "{}"));
    if (refusal->status == 503)
        http_answer_add(request, answer, "retry-after", BYTES_LITERAL("1"));
}

void console_refuse(const struct http_request *request, const struct console_refusal *refusal,
                    struct http_answer *answer) {
    refuse(request, refusal, "", answer);
}

void console_refuse_address(const struct http_request *request, const char *reason,
                            struct http_answer *answer) {
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
    console_client_format_address(request, client_ip);
    bool is_company = strcmp(reason, company_address.reason) == 0;
    refuse(request, is_company ? &company_address : &member_address, client_ip, answer);
}
