#include "services/validator/gateway/ext_authz_rpc.h"

#include <stdio.h>

#include "common/app/client_address.h"
#include "common/grpc/call.h"
#include "services/validator/decide/validate_turn.h"
#include "services/validator/gateway/ext_authz_request.h"
#include "services/validator/gateway/ext_authz_response.h"
#include "services/validator/gateway/http_verdict.h"
#include "services/validator/gateway/presented_token.h"
#include "services/validator/gateway/relay_rpc.h"

// One call, on the stack.
struct check {
    const struct ext_authz *own;
    struct ext_authz_loop *mine;
    struct grpc_call *transport;
    struct arena *arena;
    struct ext_authz_request request;
    bool has_routes;
    const struct route *route; // NULL = none is needed
    struct bytes token;
    struct validate_answer answer;
};

// ---- the question ----

// What is no text is left out, and decided as if it were missing.
static struct bytes keep_text(struct bytes text) {
    bool is_text = text.len > 0 && !memchr(text.data, '\0', text.len) && bytes_is_utf8(text);
    return is_text ? text : BYTES_EMPTY;
}

static struct bytes find_client_ip(const struct check *check) {
    const struct metadata *headers = &check->request.headers;
    struct ip_address peer, address;
    if (ip_address_parse(check->request.source_address, &peer) != IP_PARSE_OK)
        peer = (struct ip_address){0};
    if (check->own->trusted_hops > 0)
        address = client_address_find_by_hops(check->own->trusted_hops, &peer, headers);
    else
        address = client_address_find_in(check->own->validate->trusted_proxies, &peer, headers);
    char text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&address, text);
    return bytes_of_text(arena_copy_text(check->arena, text));
}

static struct bytes find_domain(const struct check *check) {
    static const struct bytes origin = BYTES_LITERAL("origin");
    const struct metadata *headers = &check->request.headers;
    return metadata_find(headers->first, origin) ? metadata_find_only(headers, origin) : check->request.host;
}

static bool add_names(struct relay_list *list, struct bytes names, struct arena *arena) {
    bool is_added = true;
    while (names.data && is_added)
        is_added = relay_list_add(list, keep_text(bytes_trim(bytes_split(&names, ','))), arena);
    return is_added;
}

struct needs {
    struct relay_list permissions, any_permissions;
    int32_t channel;
};

// False for one that is none of ours: a misspelt name must not protect nothing.
static bool add_extension(const struct ext_authz_extension *extension, struct arena *arena,
                          struct needs *needs) {
    struct bytes value = extension->value.data ? extension->value : BYTES_LITERAL("");
    if (bytes_is_text(extension->key, "permission"))
        return add_names(&needs->permissions, value, arena);
    if (bytes_is_text(extension->key, "any_permission"))
        return add_names(&needs->any_permissions, value, arena);
    return bytes_is_text(extension->key, "channel") &&
           validate_question_parse_channel(value, &needs->channel);
}

// The route's needs are never lessened by an extension, only added to.
static bool gather_needs(const struct check *check, struct needs *needs) {
    const struct ext_authz_extension *extension = check->request.extensions;
    needs->channel = CHANNEL_API;
    for (; extension; extension = extension->next)
        if (!add_extension(extension, check->arena, needs))
            return false;
    for (size_t i = 0; check->route && i < check->route->permission_count; i++)
        if (!relay_list_add(&needs->permissions, check->route->permissions[i], check->arena))
            return false;
    if (check->route && check->route->channel != 0)
        needs->channel = check->route->channel;
    return true;
}

static struct validate_question make_question(const struct check *check, const struct needs *needs) {
    return (struct validate_question){.token = keep_text(check->token),
                                      .client_ip = find_client_ip(check),
                                      .domain = keep_text(find_domain(check)),
                                      .channel = needs->channel,
                                      .permissions = needs->permissions.names,
                                      .permission_count = needs->permissions.count,
                                      .any_permissions = needs->any_permissions.names,
                                      .any_permission_count = needs->any_permissions.count};
}

// ---- the judgement ----

static enum ext_authz_outcome find_route(struct check *check) {
    const struct route_table *table = route_view_get(&check->mine->routes);
    check->has_routes = table != NULL;
    if (!table)
        return EXT_AUTHZ_DECIDED;
    switch (
        route_table_find(table, check->request.method, check->request.path, check->arena, &check->route)) {
    case ROUTE_FOUND: break;
    case ROUTE_NONE: return EXT_AUTHZ_ROUTE_NOT_LISTED;
    case ROUTE_NO_METHOD: return EXT_AUTHZ_METHOD_NOT_LISTED;
    case ROUTE_AMBIGUOUS: return EXT_AUTHZ_PATH_AMBIGUOUS;
    case ROUTE_NO_MEMORY:
        fault_set_no_memory(grpc_call_get_fault(check->transport));
        return EXT_AUTHZ_UNDECIDED;
    }
    switch (check->route->access) {
    case ROUTE_PUBLIC: return EXT_AUTHZ_PUBLIC;
    case ROUTE_TOKEN: return EXT_AUTHZ_DECIDED;
    case ROUTE_DENY: break;
    }
    return EXT_AUTHZ_ROUTE_DENIED;
}

// One decision, one count, and one note of use, as if Validate had been asked.
static enum status decide(struct check *check, const struct validate_question *question) {
    struct fault *fault = grpc_call_get_fault(check->transport);
    struct validate_turn turn;
    struct revision revision;
    bool has_revision; // never
    enum status status = validate_question_check(question, fault, &has_revision, &revision);
    if (status == STATUS_OK)
        status = validate_turn_begin(check->own->validate, check->transport, VALIDATE_ANYBODY, fault, &turn);
    if (status != STATUS_OK)
        return status;
    validate_note_asker(&turn);
    status = validate_turn_answer(&turn, question, check->arena, &check->answer);
    if (status == STATUS_OK && check->answer.reason == REASON_NOT_CURRENT)
        return validate_turn_fail_not_served(&turn, fault);
    return status == STATUS_OK ? STATUS_OK : fault_set_no_memory(fault);
}

static enum ext_authz_outcome judge(struct check *check, struct bytes message) {
    struct needs needs = {0};
    struct fault *fault = grpc_call_get_fault(check->transport);
    enum status status = ext_authz_request_read(message, check->arena, &check->request);
    if (status == STATUS_NO_MEMORY)
        return fault_set_no_memory(fault), EXT_AUTHZ_UNDECIDED;
    if (status != STATUS_OK)
        return EXT_AUTHZ_MALFORMED;
    enum ext_authz_outcome outcome = find_route(check);
    if (outcome != EXT_AUTHZ_DECIDED)
        return outcome;
    if (!gather_needs(check, &needs))
        return EXT_AUTHZ_MISCONFIGURED;
    check->token = presented_token_find(&check->request.headers, check->own->cookie);
    const struct validate_question question = make_question(check, &needs);
    switch (decide(check, &question)) {
    case STATUS_OK: return EXT_AUTHZ_DECIDED;
    case STATUS_INVALID:
    case STATUS_UNAUTHENTICATED:
    case STATUS_PERMISSION_DENIED: return EXT_AUTHZ_REFUSED;
    default: return EXT_AUTHZ_UNDECIDED;
    }
}

// ---- the answer ----

// Of the outcomes that nobody had to be asked for.
static const struct ext_authz_denial denials[EXT_AUTHZ_OUTCOME_COUNT] = {
    [EXT_AUTHZ_MALFORMED] = {.status = 400,
                             .code = "invalid_argument",
                             .text = "the gateway's question can't be read",
                             .reason = "MALFORMED_CHECK"},
    [EXT_AUTHZ_PATH_AMBIGUOUS] = {.status = 400,
                                  .code = "invalid_argument",
                                  .text = "the path could be read in more than one way: send it in its plain "
                                          "form, without encoding what need not be encoded",
                                  .reason = "PATH_AMBIGUOUS"},
    [EXT_AUTHZ_ROUTE_NOT_LISTED] = {.status = 403,
                                    .code = "permission_denied",
                                    .text = "nothing is served at this path",
                                    .reason = "ROUTE_NOT_LISTED"},
    [EXT_AUTHZ_METHOD_NOT_LISTED] = {.status = 403,
                                     .code = "permission_denied",
                                     .text = "this path is not served by this method",
                                     .reason = "METHOD_NOT_LISTED"},
    [EXT_AUTHZ_ROUTE_DENIED] = {.status = 403,
                                .code = "permission_denied",
                                .text = "nobody is let in here",
                                .reason = "ROUTE_DENIED"},
    [EXT_AUTHZ_MISCONFIGURED] = {.status = 403,
                                 .code = "permission_denied",
                                 .text = "the gateway's context_extensions may hold permission, "
                                         "any_permission and channel (api or ui), and nothing else",
                                 .reason = "MISCONFIGURED"},
};

static struct bytes write_refusal(const struct check *check) {
    enum reason reason = check->answer.reason;
    const struct http_verdict *verdict = http_verdict_of((int)reason);
    const struct ext_authz_denial denial = {.status = verdict->status,
                                            .code = verdict->code,
                                            .text = verdict->text,
                                            .reason = reason_get_name(reason),
                                            .challenge =
                                                http_verdict_get_challenge(verdict, check->token.len > 0)};
    return ext_authz_write_denial(&denial, GRPC_CALL_HEADROOM, check->arena);
}

static struct bytes write_failure(const struct check *check) {
    const struct fault *fault = grpc_call_get_fault(check->transport);
    const struct http_verdict *verdict = http_verdict_of_failure(fault->status);
    const char *text = fault->message ? fault->message : status_get_text(fault->status);
    const struct ext_authz_denial denial = {
        .status = verdict->status,
        .code = verdict->code,
        .text = arena_format(check->arena, "%s%s", verdict->text, text),
        .reason = fault->reason,
        .retry_after_s = verdict->status == 503 ? http_verdict_get_retry_after_s(fault) : 0};
    return denial.text ? ext_authz_write_denial(&denial, GRPC_CALL_HEADROOM, check->arena) : BYTES_EMPTY;
}

// Other names for method and path would undo what the route has decided. Also those that the client does not
// seem to have sent: a gateway may not tell all that it has.
static void remove_overrides(const struct check *check, struct ext_authz_admission *admission,
                             struct bytes *removed) {
    if (!check->has_routes)
        return;
    for (size_t i = 0; i < EXT_AUTHZ_OVERRIDE_COUNT; i++)
        removed[admission->removed_count++] = bytes_of_text(ext_authz_overrides[i]);
    for (const struct metadata_field *field = check->request.headers.first; field; field = field->next)
        if (ext_authz_header_is_override(field->name))
            removed[admission->removed_count++] = field->name;
}

// False when out of memory.
static bool remove_token(const struct check *check, struct ext_authz_admission *admission,
                         struct bytes *removed) {
    const struct metadata *headers = &check->request.headers;
    bool has_cookie = false;
    if (check->own->passes_token)
        return true;
    removed[admission->removed_count++] = BYTES_LITERAL("x-access-token");
    if (presented_token_is_in_authorization(headers, &check->own->validate->shape))
        removed[admission->removed_count++] = BYTES_LITERAL("authorization");
    if (check->own->cookie && *check->own->cookie &&
        presented_token_cut_cookie(headers, check->own->cookie, check->arena, &has_cookie,
                                   &admission->cookie) != STATUS_OK)
        return false;
    admission->replaces_cookie = has_cookie && admission->cookie.len > 0;
    if (has_cookie && !admission->replaces_cookie)
        removed[admission->removed_count++] = BYTES_LITERAL("cookie");
    return true;
}

static struct bytes write_admission(const struct check *check, const struct validate_answer *answer) {
    enum { FIXED = EXT_AUTHZ_OVERRIDE_COUNT + 3 }; // and those that may hold a token
    struct ext_authz_admission admission = {.answer = answer, .headers = &check->request.headers};
    struct bytes *removed = ARENA_NEW_ARRAY(check->arena, struct bytes, check->request.headers.count + FIXED);
    if (!removed || !remove_token(check, &admission, removed))
        return BYTES_EMPTY;
    remove_overrides(check, &admission, removed);
    admission.removed = removed;
    return ext_authz_write_admission(&admission, GRPC_CALL_HEADROOM, check->arena);
}

static struct bytes write_answer(const struct check *check, enum ext_authz_outcome outcome) {
    switch (outcome) {
    case EXT_AUTHZ_PUBLIC: return write_admission(check, NULL);
    case EXT_AUTHZ_DECIDED:
        return check->answer.reason == REASON_OK ? write_admission(check, &check->answer)
                                                 : write_refusal(check);
    case EXT_AUTHZ_REFUSED:
    case EXT_AUTHZ_UNDECIDED: return write_failure(check);
    default: return ext_authz_write_denial(&denials[outcome], GRPC_CALL_HEADROOM, check->arena);
    }
}

static void on_bytes(struct grpc_call *transport, struct bytes message) {
    const struct ext_authz *own = grpc_call_get_method(transport)->context;
    struct check check = {.own = own,
                          .mine = &own->loops[loop_get_index(grpc_call_get_loop(transport))],
                          .transport = transport,
                          .arena = grpc_call_get_arena(transport)};
    enum ext_authz_outcome outcome = judge(&check, message);
    struct bytes response = write_answer(&check, outcome);
    validate_count(&check.mine->outcomes[outcome], 1);
    if (response.data) {
        grpc_call_reply_framed(transport, response);
        return;
    }
    // why also where nothing has failed before: an ending without a fault would be an admission (Connect).
    fault_set_no_memory(grpc_call_get_fault(transport));
    grpc_call_finish(transport, grpc_call_get_fault(transport));
}

const struct grpc_handler ext_authz_handler = {.on_bytes = on_bytes};

// ---- metrics ----

void ext_authz_write_metrics(struct metrics_writer *writer, void *context) {
    static const char *const labels[] = {
#define LABEL(name, text) "outcome=\"" text "\"",
        EXT_AUTHZ_OUTCOME_TABLE(LABEL)
#undef LABEL
    };
    const struct ext_authz *own = context;
    for (size_t outcome = 0; outcome < EXT_AUTHZ_OUTCOME_COUNT; outcome++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < own->loop_count; i++)
            sum += atomic_load_explicit(&own->loops[i].outcomes[outcome], memory_order_relaxed);
        metrics_write_counter(writer, "latchkey_ext_authz_checks_total",
                              "Checks of Envoy, by how they ended.", labels[outcome], sum);
    }
}
