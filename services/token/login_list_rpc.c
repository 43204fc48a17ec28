#include "common/app/paging.h"
#include "common/base/typeid.h"
#include "services/token/login_message_rpc.h"
#include "services/token/login_rpc.h"
#include "services/token/login_store.h"

// Without the permission: the caller's own, whether it names itself or nobody.
static enum status choose_member(struct app_call *call,
                                 const Latchkey__V1__ListRecentAuthenticationsRequest *request,
                                 struct uuid *ret_member_id) {
    *ret_member_id = (struct uuid){{0}};
    if (*request->member_id && !typeid_parse(bytes_of_text(request->member_id), TYPEID_MEMBER, ret_member_id))
        fault_add_field(call->fault, "member_id",
                        "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
    if (call->fault->status != STATUS_OK || caller_has_permission(call->caller, "latchkey.logins.read"))
        return call->fault->status;
    if (!*request->member_id)
        *ret_member_id = call->caller->member_id;
    if (login_rpc_is_own(call, *ret_member_id))
        return STATUS_OK;
    return caller_require(call->caller, "latchkey.logins.read", call->fault);
}

static bool fill(struct app_call *call, const ProtobufCMessage *request,
                 const struct authentication_list *list,
                 Latchkey__V1__ListRecentAuthenticationsResponse *response) {
    response->authentications =
        ARENA_NEW_ARRAY(call->arena, Latchkey__V1__RecentAuthentication *, list->count);
    for (size_t i = 0; response->authentications && i < list->count; i++) {
        response->authentications[i] = authentication_message_new(&list->rows[i], call->now_ms, call->arena);
        if (!response->authentications[i])
            return false;
    }
    response->n_authentications = list->count;
    if (list->has_more)
        response->next_page_token = paging_make_id_token(call, request, list->rows[list->count - 1].id);
    return response->authentications && response->next_page_token;
}

enum status login_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    Latchkey__V1__ListRecentAuthenticationsResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListRecentAuthenticationsResponse);
    struct id_page page;
    struct uuid member_id;
    struct authentication_list list;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_recent_authentications_response__init(response);
    *ret_response = &response->base;

    paging_parse_id(call, message, &page);
    enum status status =
        choose_member(call, (const Latchkey__V1__ListRecentAuthenticationsRequest *)message, &member_id);
    if (status == STATUS_OK)
        status = login_store_list(call, member_id, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    return fill(call, message, &list, response) ? STATUS_OK : fault_set_no_memory(call->fault);
}
