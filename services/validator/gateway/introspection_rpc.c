#include <inttypes.h>

#include "common/access/decision.h"
#include "common/app/bearer.h"
#include "common/app/http_form.h"
#include "common/base/buffer.h"
#include "common/protobuf/base64.h"
#include "services/validator/gateway/introspection.h"
#include "services/validator/gateway/relay_rpc.h"

// ---- answers ----

static void answer_json(const struct http_request *request, struct http_answer *answer, unsigned status,
                        struct buffer *json) {
    const char *copy = json->failed ? NULL : arena_copy_bytes(request->arena, buffer_get_bytes(json));
    if (copy)
        http_answer_json(request, answer, status, bytes_of(copy, json->len));
    else
        http_answer_refuse(request, answer, 503, "unavailable", "out of memory");
    buffer_fini(json);
}

// RFC 6749, 5.2. A resource server may show its token in both ways.
static void answer_error(const struct http_request *request, struct http_answer *answer, unsigned status,
                         const char *error, const char *text) {
    struct buffer json = {0};
    buffer_append_format(&json, "{\"error\":\"%s\",\"error_description\":", error);
    buffer_append_json(&json, bytes_of_text(text));
    buffer_append_byte(&json, '}');
    answer_json(request, answer, status, &json);
    if (status != 401)
        return;
    http_answer_add(request, answer, "www-authenticate",
                    BYTES_LITERAL("Basic realm=\"latchkey\", charset=\"UTF-8\""));
    http_answer_add(request, answer, "www-authenticate", BYTES_LITERAL("Bearer realm=\"latchkey\""));
}

static bool refuse(const struct http_request *request, struct http_answer *answer, const char *text) {
    answer_error(request, answer, 400, "invalid_request", text);
    return false;
}

// ---- the question ----

struct form {
    struct validate_question question;
    struct bytes channel, client_secret;
    struct relay_list permissions, any_permissions;
    bool has_token;
};

// Fields that may be there once; NULL for any other.
static struct bytes *find_place(struct form *form, struct bytes name) {
    const struct {
        const char *name;
        struct bytes *place;
    } places[] = {{"token", &form->question.token},
                  {"channel", &form->channel},
                  {"client_ip", &form->question.client_ip},
                  {"domain", &form->question.domain},
                  {"min_revision", &form->question.min_revision},
                  {"client_secret", &form->client_secret}};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        if (bytes_is_text(name, places[i].name))
            return places[i].place;
    return NULL;
}

// What is not known is passed over (RFC 6749, 3.2), but for what looks like a restriction.
static bool take_field(const struct http_request *request, const struct http_form_field *field,
                       struct form *form, struct http_answer *answer) {
    struct bytes *place = find_place(form, field->name);
    if (place && place->data)
        return refuse(request, answer,
                      arena_format(request->arena, "the field %s is there more than once",
                                   (const char *)field->name.data));
    if (place)
        *place = field->value;
    else if (bytes_is_text(field->name, "permission"))
        return relay_list_add(&form->permissions, field->value, request->arena);
    else if (bytes_is_text(field->name, "any_permission"))
        return relay_list_add(&form->any_permissions, field->value, request->arena);
    return true;
}

static bool read_form(const struct http_request *request, struct form *form, struct http_answer *answer) {
    struct http_form fields;
    if (http_form_parse(request->body, request->arena, &fields) != STATUS_OK)
        return refuse(request, answer, "the form can't be read");
    for (size_t i = 0; i < fields.count; i++)
        if (!take_field(request, &fields.fields[i], form, answer))
            return false;
    if (!form->question.token.data)
        return refuse(request, answer, "send the form field token");
    if (form->channel.data && !validate_question_parse_channel(form->channel, &form->question.channel))
        return refuse(request, answer, "channel is api or ui");
    form->question.permissions = form->permissions.names;
    form->question.permission_count = form->permissions.count;
    form->question.any_permissions = form->any_permissions.names;
    form->question.any_permission_count = form->any_permissions.count;
    return true;
}

// ---- who asks ----

// USER:PASSWORD in base64, each of the two as in a form (RFC 6749, 2.3.1).
static struct bytes read_password(const struct http_request *request, struct bytes base64) {
    struct bytes password, decoded;
    if (base64_decode(request->arena, base64, &password) != STATUS_OK)
        return BYTES_EMPTY;
    (void)bytes_split(&password, ':');
    return http_form_decode(password, request->arena, &decoded) == STATUS_OK ? decoded : BYTES_EMPTY;
}

static struct bytes find_asker(const struct http_request *request, const struct form *form) {
    struct bytes value = http_request_find_only(request, "authorization");
    struct bytes scheme = bytes_split(&value, ' ');
    if (bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("basic")))
        return read_password(request, bytes_trim(value));
    struct bytes secret = bearer_find_secret_in(&request->fields);
    return secret.len > 0 ? secret : form->client_secret;
}

// The resource server's own address, where it stands behind a proxy.
static bool pass_forwarded(const struct http_request *request, struct local_request *call) {
    for (const struct metadata_field *field = request->fields.first; field; field = field->next)
        if (bytes_is_text(field->name, "x-forwarded-for") &&
            metadata_add(&call->fields, request->arena, field->name, field->value) != STATUS_OK)
            return false;
    return true;
}

bool introspection_ask(const struct http_request *request, struct local_request *call,
                       struct http_answer *answer) {
    struct form form = {.question.channel = CHANNEL_API};
    if (!http_request_has_type(request, "application/x-www-form-urlencoded") ||
        metadata_find(request->fields.first, BYTES_LITERAL("content-encoding"))) {
        answer_error(request, answer, 415, "invalid_request",
                     "send content-type: application/x-www-form-urlencoded, not compressed");
        return false;
    }
    if (!read_form(request, &form, answer))
        return false;
    call->is_local = false; // who asks here is always somebody (RFC 7662, 2.1)
    if (!pass_forwarded(request, call))
        return refuse(request, answer, "out of memory");
    return relay_ask(request, &form.question, find_asker(request, &form), call, answer);
}

// ---- the answer ----

static void append_text(struct buffer *json, const char *name, const char *text) {
    if (!text[0])
        return;
    buffer_append_format(json, ",\"%s\":", name);
    buffer_append_json(json, bytes_of_text(text));
}

static void append_scope(struct buffer *json, const Latchkey__V1__ValidateResponse *decided) {
    struct buffer scope = {0};
    for (size_t i = 0; i < decided->n_permissions; i++)
        buffer_append_format(&scope, "%s%s", i > 0 ? " " : "", decided->permissions[i]);
    buffer_append_text(json, ",\"scope\":");
    buffer_append_json(json, buffer_get_bytes(&scope));
    json->failed |= scope.failed;
    buffer_fini(&scope);
}

static void tell_active(const struct http_request *request, const Latchkey__V1__ValidateResponse *decided,
                        struct http_answer *answer) {
    struct buffer json = {0};
    bool is_member = decided->member_id[0];
    buffer_append_text(&json, "{\"active\":true,\"token_type\":\"Bearer\"");
    append_scope(&json, decided);
    append_text(&json, "client_id", decided->company_id);
    append_text(&json, "sub", is_member ? decided->member_id : decided->company_id);
    append_text(&json, "jti", decided->token_id);
    if (decided->expires_at)
        buffer_append_format(&json, ",\"exp\":%" PRId64, decided->expires_at->seconds);
    append_text(&json, "company_id", decided->company_id);
    append_text(&json, "company_external_id", decided->company_external_id);
    append_text(&json, "token_external_id", decided->token_external_id);
    append_text(&json, "kind",
                decided->kind == LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN ? "login" : "access");
    buffer_append_byte(&json, '}');
    answer_json(request, answer, 200, &json);
}

static void fail(const struct http_request *request, const struct fault *fault, struct http_answer *answer) {
    const char *text = fault->message ? fault->message : status_get_text(fault->status);
    switch (fault->status) {
    case STATUS_UNAUTHENTICATED: answer_error(request, answer, 401, "invalid_client", text); return;
    case STATUS_PERMISSION_DENIED: answer_error(request, answer, 403, "access_denied", text); return;
    case STATUS_INVALID:
    case STATUS_FAILED_PRECONDITION: answer_error(request, answer, 400, "invalid_request", text); return;
    default:
        answer_error(request, answer, 503, "temporarily_unavailable", text);
        relay_add_retry_after(request, fault, answer);
    }
}

void introspection_tell(const struct http_request *request, const struct local_response *response,
                        struct http_answer *answer) {
    struct fault fault;
    const Latchkey__V1__ValidateResponse *decided = relay_read(request, response, &fault);
    if (!decided)
        fail(request, &fault, answer);
    else if (decided->decision == LATCHKEY__V1__DECISION__DECISION_ALLOW)
        tell_active(request, decided, answer);
    else
        http_answer_json(request, answer, 200, BYTES_LITERAL("{\"active\":false}"));
}
