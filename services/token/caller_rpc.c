#include <assert.h>

#include "common/app/paging.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/protobuf/timestamp.h"
#include "latchkey/v1/token.pb-c.h"
#include "services/token/caller_store.h"
#include "services/token/token_rpc.h"

static_assert((int)TOKEN_KIND_ACCESS == (int)LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_ACCESS,
              "number of the contract");
static_assert((int)TOKEN_KIND_LOGIN == (int)LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN,
              "number of the contract");

// ---- GetCaller ----

// The answer with the parts of it that have a fixed size.
struct caller_block {
    Latchkey__V1__GetCallerResponse response;
    Latchkey__V1__Caller caller;
    struct typeid company_id, member_id, token_id;
    Google__Protobuf__Timestamp expires_at;
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
};

static bool fill_permissions(Latchkey__V1__Caller *message, const struct caller *caller,
                             struct arena *arena) {
    const struct permission_set *permissions = caller_get_permissions(caller, arena);
    const struct bytes *names;
    size_t count;
    if (!permissions || !permission_catalogue_list(caller->catalogue, permissions, arena, &names, &count))
        return false;
    message->permissions = ARENA_NEW_ARRAY(arena, char *, count);
    if (!message->permissions)
        return false;
    for (size_t i = 0; i < count; i++)
        message->permissions[i] = (char *)names[i].data;
    message->n_permissions = count;
    return true;
}

static void fill_caller(struct caller_block *block, const struct caller *caller) {
    Latchkey__V1__Caller *message = &block->caller;
    block->company_id = typeid_of(TYPEID_COMPANY, caller->company_id);
    block->token_id = typeid_of(TYPEID_TOKEN, caller->token_id);
    message->company_id = block->company_id.text;
    message->token_id = block->token_id.text;
    if (!uuid_is_zero(caller->member_id)) {
        block->member_id = typeid_of(TYPEID_MEMBER, caller->member_id);
        message->member_id = block->member_id.text;
    }
    ip_address_format(&caller->address, block->client_ip);
    message->client_ip = block->client_ip;
    message->email = (char *)caller->member_email;
    message->label = (char *)caller->token_label;
    message->kind = (Latchkey__V1__TokenKind)caller->subject.kind;
    message->expires_at = timestamp_fill(&block->expires_at, caller->subject.expires_at_ms);
    message->acting_for_company = caller->is_acting;
}

enum status caller_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    (void)message; // the caller is who calls
    struct caller_block *block = ARENA_NEW(call->arena, struct caller_block);
    const char *company_name;
    if (!block)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_caller_response__init(&block->response);
    latchkey__v1__caller__init(&block->caller);
    enum status status = caller_store_get_company_name(call, &company_name);
    if (status != STATUS_OK)
        return status;
    fill_caller(block, call->caller);
    block->caller.company_name = (char *)company_name;
    block->response.caller = &block->caller;
    *ret_response = &block->response.base;
    return fill_permissions(&block->caller, call->caller, call->arena) ? STATUS_OK
                                                                       : fault_set_no_memory(call->fault);
}

// ---- ListPermissions ----

static bool fill_list(Latchkey__V1__ListPermissionsResponse *response, const ProtobufCMessage *request,
                      const struct permission_list *list, const struct app_call *call) {
    struct arena *arena = call->arena;
    Latchkey__V1__Permission *permissions = ARENA_NEW_ARRAY(arena, Latchkey__V1__Permission, list->count);
    response->permissions = ARENA_NEW_ARRAY(arena, Latchkey__V1__Permission *, list->count);
    if (!permissions || !response->permissions)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        latchkey__v1__permission__init(&permissions[i]);
        permissions[i].name = (char *)list->rows[i].name;
        permissions[i].description = (char *)list->rows[i].description;
        response->permissions[i] = &permissions[i];
    }
    response->n_permissions = list->count;
    if (list->has_more)
        response->next_page_token =
            paging_make_token(call, request, bytes_of_text(list->rows[list->count - 1].name));
    return response->next_page_token != NULL;
}

enum status caller_rpc_list_permissions(struct app_call *call, const ProtobufCMessage *message,
                                        ProtobufCMessage **ret_response) {
    Latchkey__V1__ListPermissionsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListPermissionsResponse);
    struct page page;
    struct permission_list list;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_permissions_response__init(response);
    paging_parse(call, message, 0, &page);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;
    enum status status = caller_store_list_permissions(call, page.cursor, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, message, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}
