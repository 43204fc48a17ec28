// ImportAccessTokens: each token has a result of its own, as if it had come in a call of its own.
#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/grpc/status_details.h"
#include "common/protobuf/timestamp.h"
#include "services/token/token_import_store.h"
#include "services/token/token_message_rpc.h"
#include "services/token/token_rpc.h"
#include "services/token/token_wish_rpc.h"

// ---- one token ----

static bool read_past(const Google__Protobuf__Timestamp *time, const char *field, struct fault *fault,
                      int64_t *ret_ms) {
    if (timestamp_get_ms(time, 0, ret_ms))
        return time != NULL;
    fault_add_field(fault, field, TOKEN_TIME_WANTED);
    return false;
}

static struct token_history_wish read_history(const Latchkey__V1__ImportedAccessToken *token,
                                              struct fault *fault) {
    struct token_history_wish wish = {
        .secret_sha256 = bytes_of(token->secret_sha256.data, token->secret_sha256.len), .hint = token->hint};
    wish.has_created_at = read_past(token->created_at, "created_at", fault, &wish.created_at_ms);
    wish.has_last_used_at = read_past(token->last_used_at, "last_used_at", fault, &wish.last_used_at_ms);
    return wish;
}

// What is wrong with it stands in its own fault.
static bool check_token(struct app_call *call, const Latchkey__V1__ImportedAccessToken *token,
                        const struct token_maker *maker, struct token_import *import) {
    struct token_terms terms = {&token_limits, call->caller->catalogue, call->now_ms};
    struct fault *fault = &import->fault;
    struct token_wish wish;
    fault_init(fault, call->arena);
    if (!token_read_imported(token, call->arena, fault, &wish))
        return false;
    struct token_history_wish history = read_history(token, fault);
    import->token_id = uuid_new(app_get_clock(call->app));
    import->member_id = token_choose_owner(call->caller, token->company_owned, fault);
    enum status status = token_check_wish(&wish, &terms, call->arena, fault, &import->draft);
    if (token_check_history(&history, call->now_ms, fault, &import->history) == STATUS_OK &&
        status == STATUS_OK)
        status = token_check_grant(&import->draft, import->member_id, maker, call->arena, fault);
    return status != STATUS_NO_MEMORY;
}

// ---- all of them ----

// The policy, and the room that the company has left, for one after the other.
static void check_terms(struct app_call *call, struct token_import *imports, size_t count,
                        struct token_policy *company) {
    struct token_terms terms = {&token_limits, call->caller->catalogue, call->now_ms};
    for (size_t i = 0; i < count; i++) {
        if (imports[i].fault.status != STATUS_OK)
            continue;
        if (token_check_policy(&imports[i].draft, company, &terms, &imports[i].fault) == STATUS_OK)
            company->room--;
    }
}

static enum status check_all(struct app_call *call, const Latchkey__V1__ImportAccessTokensRequest *request,
                             struct token_import *imports) {
    struct token_maker maker;
    struct token_policy company;
    if (!token_describe_caller(call, &maker))
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < request->n_tokens; i++)
        if (!check_token(call, request->tokens[i], &maker, &imports[i]))
            return fault_set_no_memory(call->fault);
    token_check_twins(imports, request->n_tokens);
    enum status status =
        token_store_check_imports(call, imports, request->n_tokens, token_limits.company_tokens, &company);
    if (status == STATUS_OK)
        check_terms(call, imports, request->n_tokens, &company);
    return status;
}

static enum status read_count(const Latchkey__V1__ImportAccessTokensRequest *request, struct fault *fault) {
    if (request->n_tokens == 0 || request->n_tokens > TOKEN_IMPORT_MAX)
        fault_add_field(fault, "tokens", "send 1 to %d tokens in a call, not %zu", TOKEN_IMPORT_MAX,
                        request->n_tokens);
    return fault->status;
}

// ---- the answer ----

static const struct token *find_token(const struct token_list *list, struct uuid token_id) {
    for (size_t i = 0; i < list->count; i++)
        if (uuid_is_equal(list->tokens[i].token_id, token_id))
            return &list->tokens[i];
    return NULL;
}

static enum status fill_result(struct app_call *call, const struct token_import *import,
                               const struct token_list *list, Latchkey__V1__ImportAccessTokenResult *result) {
    if (import->fault.status != STATUS_OK) {
        result->result_case = LATCHKEY__V1__IMPORT_ACCESS_TOKEN_RESULT__RESULT_ERROR;
        result->error = (Google__Rpc__Status *)status_details_new_message(&import->fault, call->arena);
        return result->error ? STATUS_OK : fault_set_no_memory(call->fault);
    }
    const struct token *token = find_token(list, import->token_id);
    result->result_case = LATCHKEY__V1__IMPORT_ACCESS_TOKEN_RESULT__RESULT_ACCESS_TOKEN;
    result->access_token = token ? token_message_new(token, call->now_ms, call->arena) : NULL;
    if (!result->access_token)
        return fault_set_no_memory(call->fault);
    return audit_note(call, "token.imported", result->access_token->token_id, NULL,
                      &result->access_token->base);
}

static enum status fill(struct app_call *call, const struct token_import *imports, size_t count,
                        const struct token_list *list, Latchkey__V1__ImportAccessTokensResponse *response) {
    Latchkey__V1__ImportAccessTokenResult *results =
        ARENA_NEW_ARRAY(call->arena, Latchkey__V1__ImportAccessTokenResult, count);
    response->results = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__ImportAccessTokenResult *, count);
    if (!results || !response->results)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < count; i++) {
        latchkey__v1__import_access_token_result__init(&results[i]);
        response->results[i] = &results[i];
        enum status status = fill_result(call, &imports[i], list, &results[i]);
        if (status != STATUS_OK)
            return status;
    }
    response->n_results = count;
    return STATUS_OK;
}

enum status token_rpc_import(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    const Latchkey__V1__ImportAccessTokensRequest *request =
        (const Latchkey__V1__ImportAccessTokensRequest *)message;
    Latchkey__V1__ImportAccessTokensResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ImportAccessTokensResponse);
    struct token_list list;
    enum status status = read_count(request, call->fault);
    if (status != STATUS_OK)
        return status;
    struct token_import *imports = ARENA_NEW_ARRAY(call->arena, struct token_import, request->n_tokens);
    if (!response || !imports)
        return fault_set_no_memory(call->fault);
    latchkey__v1__import_access_tokens_response__init(response);
    status = check_all(call, request, imports);
    if (status == STATUS_OK)
        status =
            token_store_import(call, imports, request->n_tokens, caller_get_author(call->caller).text, &list);
    *ret_response = &response->base;
    return status == STATUS_OK ? fill(call, imports, request->n_tokens, &list, response) : status;
}
