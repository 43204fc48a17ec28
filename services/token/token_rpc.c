#include "services/token/token_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/typeid.h"
#include "services/token/token_message_rpc.h"
#include "services/token/token_room.h"
#include "services/token/token_store.h"
#include "services/token/token_wish_rpc.h"

// ---- CreateAccessToken ----

static enum status give_birth(struct app_call *call, const struct token_draft *draft, struct uuid owner,
                              const struct token_terms *terms,
                              Latchkey__V1__CreateAccessTokenResponse *response) {
    struct token_minted minted;
    if (!token_mint(call, SECRET_ACCESS, &minted))
        return fault_set_no_memory(call->fault);
    struct typeid maker = caller_get_author(call->caller);
    struct token_birth birth = {.token_id = uuid_new(app_get_clock(call->app)),
                                .member_id = owner,
                                .minted = &minted,
                                .created_by = maker.text,
                                .company_tokens_max = terms->limits->company_tokens,
                                .counts_tokens = !token_room_take(call->company_id, call->now_ms)};
    struct token_policy policy;
    struct token *token;
    enum status status = token_store_create(call, draft, &birth, &policy, &token);
    if (status == STATUS_OK && birth.counts_tokens)
        token_room_note(call->company_id, policy.room, call->now_ms);
    if (status == STATUS_OK)
        status = token_check_policy(draft, &policy, terms, call->fault);
    if (status != STATUS_OK)
        return status;
    response->access_token = token_message_new(token, call->now_ms, call->arena);
    if (!response->access_token)
        return fault_set_no_memory(call->fault);
    response->secret = minted.secret->text;
    return audit_note(call, "token.created", response->access_token->token_id, NULL,
                      &response->access_token->base);
}

enum status token_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                             ProtobufCMessage **ret_response) {
    const Latchkey__V1__CreateAccessTokenRequest *request =
        (const Latchkey__V1__CreateAccessTokenRequest *)message;
    Latchkey__V1__CreateAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__CreateAccessTokenResponse);
    struct token_terms terms = {&token_limits, call->caller->catalogue, call->now_ms};
    struct token_wish wish;
    struct token_maker maker;
    struct token_draft draft;
    if (!response || !token_read_created(request, call, &wish) || !token_describe_caller(call, &maker))
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_access_token_response__init(response);

    struct uuid owner = token_choose_owner(call->caller, request->company_owned, call->fault);
    enum status status = token_check_wish(&wish, &terms, call->arena, call->fault, &draft);
    if (status == STATUS_OK)
        status = token_check_grant(&draft, &maker, call->arena, call->fault);
    if (status == STATUS_OK)
        status = give_birth(call, &draft, owner, &terms, response);
    *ret_response = &response->base;
    return status;
}

// ---- GetAccessToken ----

enum status token_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                          ProtobufCMessage **ret_response) {
    const Latchkey__V1__GetAccessTokenRequest *request = (const Latchkey__V1__GetAccessTokenRequest *)message;
    Latchkey__V1__GetAccessTokenResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__GetAccessTokenResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_access_token_response__init(response);

    struct uuid token_id = token_read_id(request->token_id, "token_id", call->fault);
    struct token *token;
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = token_require_unless_itself(call, token_id, "latchkey.tokens.read");
    if (status == STATUS_OK)
        status = token_store_find(call, token_id, &token);
    if (status != STATUS_OK)
        return status;
    response->access_token = token_message_new(token, call->now_ms, call->arena);
    *ret_response = &response->base;
    return response->access_token ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- ListAccessTokens ----

static bool fill_list(Latchkey__V1__ListAccessTokensResponse *response,
                      const Latchkey__V1__ListAccessTokensRequest *request, const struct token_list *list,
                      struct app_call *call) {
    response->access_tokens = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__AccessToken *, list->count);
    for (size_t i = 0; response->access_tokens && i < list->count; i++) {
        response->access_tokens[i] = token_message_new(&list->tokens[i], call->now_ms, call->arena);
        if (!response->access_tokens[i])
            return false;
    }
    response->n_access_tokens = list->count;
    if (list->has_more)
        response->next_page_token = paging_make_id_token(call, &request->base, list->last);
    return response->access_tokens && response->next_page_token;
}

enum status token_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    const Latchkey__V1__ListAccessTokensRequest *request =
        (const Latchkey__V1__ListAccessTokensRequest *)message;
    Latchkey__V1__ListAccessTokensResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListAccessTokensResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_access_tokens_response__init(response);

    struct id_page page;
    struct token_filter filter;
    struct token_list list;
    paging_parse_id(call, message, &page);
    enum status status = token_read_filter(message, call, &filter);
    if (status == STATUS_OK)
        status = token_store_list(call, &filter, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, request, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}
