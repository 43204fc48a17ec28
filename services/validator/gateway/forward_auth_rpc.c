#include <stdio.h>

#include "common/access/decision.h"
#include "common/app/client_address.h"
#include "common/app/http_form.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/grpc/percent.h"
#include "services/validator/gateway/forward_auth.h"
#include "services/validator/gateway/http_verdict.h"
#include "services/validator/gateway/presented_token.h"
#include "services/validator/gateway/relay_rpc.h"

// Proxies read a header block into 4 or 8 KiB and fail on more.
enum { PERMISSIONS_TEXT_MAX = 2048 };

static const struct forward_auth *get_own(const struct http_request *request) {
    return request->context;
}

// ---- the question ----

static struct bytes find_token(const struct http_request *request) {
    return presented_token_find(&request->fields, get_own(request)->cookie);
}

static struct bytes find_client_ip(const struct http_request *request) {
    struct ip_address address =
        client_address_find_in(get_own(request)->trusted_proxies, &request->peer, &request->fields);
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&address, text);
    return bytes_of_text(arena_copy_text(request->arena, text));
}

static struct bytes find_domain(const struct http_request *request) {
    bool has_origin = metadata_find(request->fields.first, BYTES_LITERAL("origin"));
    return http_request_find_only(request, has_origin ? "origin" : "x-forwarded-host");
}

struct query {
    struct relay_list permissions, any_permissions;
    bool has_channel;
};

static bool refuse_query(const struct http_request *request, struct http_answer *answer, const char *text) {
    http_answer_refuse(request, answer, 400, "invalid_argument", "%s", text);
    return false;
}

// False and answered when it is none of ours.
static bool take_parameter(const struct http_request *request, const struct http_form_field *field,
                           struct validate_question *question, struct query *query,
                           struct http_answer *answer) {
    if (bytes_is_text(field->name, "permission"))
        return relay_list_add(&query->permissions, field->value, request->arena);
    if (bytes_is_text(field->name, "any_permission"))
        return relay_list_add(&query->any_permissions, field->value, request->arena);
    bool is_channel = bytes_is_text(field->name, "channel") &&
                      validate_question_parse_channel(field->value, &question->channel);
    if (!is_channel)
        return refuse_query(request, answer,
                            "the query may hold permission=NAME, any_permission=NAME and channel=api or ui, "
                            "and nothing else");
    if (query->has_channel)
        return refuse_query(request, answer, "the query holds channel more than once");
    query->has_channel = true;
    return true;
}

static bool read_query(const struct http_request *request, struct validate_question *question,
                       struct http_answer *answer) {
    struct http_form form;
    struct query query = {0};
    if (http_form_parse(request->query, request->arena, &form) != STATUS_OK)
        return refuse_query(request, answer, "the query can't be read");
    for (size_t i = 0; i < form.count; i++)
        if (!take_parameter(request, &form.fields[i], question, &query, answer))
            return false;
    question->permissions = query.permissions.names;
    question->permission_count = query.permissions.count;
    question->any_permissions = query.any_permissions.names;
    question->any_permission_count = query.any_permissions.count;
    return true;
}

static struct bytes find_asker(const struct http_request *request) {
    struct bytes secret = http_request_find_only(request, "latchkey-authorization");
    struct bytes scheme = bytes_split(&secret, ' ');
    return bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("bearer")) ? bytes_trim(secret) : BYTES_EMPTY;
}

bool forward_auth_ask(const struct http_request *request, struct local_request *call,
                      struct http_answer *answer) {
    struct validate_question question = {.token = find_token(request),
                                         .client_ip = find_client_ip(request),
                                         .domain = find_domain(request),
                                         .channel = CHANNEL_API};
    return read_query(request, &question, answer) &&
           relay_ask(request, &question, find_asker(request), call, answer);
}

// ---- the answer ----

// Ids that other systems chose may hold anything.
static void add_text(const struct http_request *request, struct http_answer *answer, const char *name,
                     const char *text) {
    struct bytes value = percent_encode(request->arena, bytes_of_text(text));
    if (value.len > 0)
        http_answer_add(request, answer, name, value);
}

static void add_permissions(const struct http_request *request, struct http_answer *answer,
                            const Latchkey__V1__ValidateResponse *decided) {
    struct buffer list = {.limit = PERMISSIONS_TEXT_MAX};
    for (size_t i = 0; i < decided->n_permissions; i++) {
        buffer_append_text(&list, i > 0 ? " " : "");
        buffer_append_text(&list, decided->permissions[i]);
    }
    buffer_append_byte(&list, '\0');
    if (!list.failed)
        add_text(request, answer, "latchkey-permissions", (const char *)list.data);
    buffer_fini(&list);
}

static void add_expiry(const struct http_request *request, struct http_answer *answer,
                       const Google__Protobuf__Timestamp *expires_at) {
    if (!expires_at)
        return;
    char text[TIME_TEXT_MAX + 1];
    time_text_format(expires_at->seconds * 1000 + expires_at->nanos / 1000000, text);
    add_text(request, answer, "latchkey-expires-at", text);
}

static void admit(const struct http_request *request, const Latchkey__V1__ValidateResponse *decided,
                  struct http_answer *answer) {
    answer->status = 200;
    add_text(request, answer, "latchkey-company", decided->company_id);
    add_text(request, answer, "latchkey-company-external-id", decided->company_external_id);
    add_text(request, answer, "latchkey-token", decided->token_id);
    add_text(request, answer, "latchkey-token-external-id", decided->token_external_id);
    add_text(request, answer, "latchkey-member", decided->member_id);
    add_text(request, answer, "latchkey-kind",
             decided->kind == LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN ? "login" : "access");
    add_permissions(request, answer, decided);
    add_expiry(request, answer, decided->expires_at);
}

static void add_challenge(const struct http_request *request, const struct http_verdict *verdict,
                          struct http_answer *answer) {
    const char *challenge = http_verdict_get_challenge(verdict, find_token(request).len > 0);
    if (challenge)
        http_answer_add(request, answer, "www-authenticate", bytes_of_text(challenge));
}

static void refuse(const struct http_request *request, int reason, struct http_answer *answer) {
    const struct http_verdict *verdict = http_verdict_of(reason);
    http_answer_refuse(request, answer, verdict->status, verdict->code, "%s", verdict->text);
    add_challenge(request, verdict, answer);
    if (reason > REASON_OK && reason < REASON_COUNT)
        add_text(request, answer, "latchkey-reason", reason_get_name((enum reason)reason));
}

static void fail(const struct http_request *request, const struct fault *fault, struct http_answer *answer) {
    const struct http_verdict *verdict = http_verdict_of_failure(fault->status);
    http_answer_refuse(request, answer, verdict->status, verdict->code, "%s%s", verdict->text,
                       fault->message ? fault->message : status_get_text(fault->status));
    if (verdict->status != 503)
        return;
    relay_add_retry_after(request, fault, answer);
    add_text(request, answer, "latchkey-reason", fault->reason);
}

void forward_auth_tell(const struct http_request *request, const struct local_response *response,
                       struct http_answer *answer) {
    struct fault fault;
    const Latchkey__V1__ValidateResponse *decided = relay_read(request, response, &fault);
    if (!decided)
        fail(request, &fault, answer);
    else if (decided->decision == LATCHKEY__V1__DECISION__DECISION_ALLOW)
        admit(request, decided, answer);
    else
        refuse(request, (int)decided->reason, answer);
}
