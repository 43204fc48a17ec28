#include "services/invitation/member_rpc.h"

#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/typeid.h"
#include "services/invitation/member_message_rpc.h"
#include "services/invitation/member_rules.h"
#include "services/invitation/member_store.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_store.h"

struct uuid member_rpc_read_id(const char *text, const char *field, struct app_call *call) {
    struct uuid member_id = {{0}};
    if (!typeid_parse(bytes_of_text(text), TYPEID_MEMBER, &member_id))
        fault_add_field(call->fault, field, "type a member's id, such as mbr_01h455vb4pex5vsknk084sn02q");
    return member_id;
}

// ---- ListMembers ----

static void read_filter(const Latchkey__V1__ListMembersRequest *request, struct app_call *call,
                        struct member_filter *ret_filter) {
    int state = (int)request->state; // an open enum: a peer may send any number
    *ret_filter = (struct member_filter){.state = (enum member_state)state,
                                         .name_contains = bytes_of_text(request->name_contains),
                                         .external_id = bytes_of_text(request->external_id)};
    if (state < MEMBER_STATE_ANY || state > MEMBER_STATE_REMOVED)
        fault_add_field(call->fault, "state",
                        "type one of the states of a member, or leave it unset for all");
    if (*request->role_id &&
        !typeid_parse(bytes_of_text(request->role_id), TYPEID_ROLE, &ret_filter->role_id))
        fault_add_field(call->fault, "role_id", "type a role's id, such as rol_01h455vb4pex5vsknk084sn02q");
}

static bool fill_list(Latchkey__V1__ListMembersResponse *response, const ProtobufCMessage *request,
                      const struct member_list *list, const struct app_call *call) {
    response->members = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__Member *, list->count);
    for (size_t i = 0; response->members && i < list->count; i++)
        if (!(response->members[i] = member_message_new(&list->members[i], call->arena)))
            return false;
    response->n_members = list->count;
    if (list->has_more)
        response->next_page_token =
            paging_make_id_token(call, request, list->members[list->count - 1].member_id);
    return response->members && response->next_page_token;
}

enum status member_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    Latchkey__V1__ListMembersResponse *response = ARENA_NEW(call->arena, Latchkey__V1__ListMembersResponse);
    struct id_page page;
    struct member_filter filter;
    struct member_list list;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_members_response__init(response);
    paging_parse_id(call, message, &page);
    read_filter((const Latchkey__V1__ListMembersRequest *)message, call, &filter);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = member_store_list(call, &filter, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, message, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- GetMember ----

// Who calls, where nobody is named. An operator who acts for the company is none of its members.
static struct uuid read_member_or_caller(const Latchkey__V1__GetMemberRequest *request,
                                         struct app_call *call) {
    if (*request->member_id)
        return member_rpc_read_id(request->member_id, "member_id", call);
    if (call->caller->is_acting || uuid_is_zero(call->caller->member_id))
        fault_add_field(call->fault, "member_id",
                        "type a member's id: the calling token belongs to no member of this company");
    return call->caller->member_id;
}

enum status member_rpc_get(struct app_call *call, const ProtobufCMessage *message,
                           ProtobufCMessage **ret_response) {
    Latchkey__V1__GetMemberResponse *response = ARENA_NEW(call->arena, Latchkey__V1__GetMemberResponse);
    struct member *member;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__get_member_response__init(response);
    struct uuid member_id = read_member_or_caller((const Latchkey__V1__GetMemberRequest *)message, call);
    enum status status = call->fault->status;
    if (status == STATUS_OK && !uuid_is_equal(member_id, call->caller->member_id))
        status = caller_require(call->caller, "latchkey.members.read", call->fault);
    if (status == STATUS_OK)
        status = member_store_find(call, member_id, &member);
    if (status != STATUS_OK)
        return status;
    response->member = member_message_new(member, call->arena);
    *ret_response = &response->base;
    return response->member ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- CreateMember ----

static enum status check_wish(struct app_call *call, const Latchkey__V1__CreateMemberRequest *request,
                              struct member_draft *ret_draft) {
    struct member_wish wish = {
        .fields = MEMBER_FIELDS_ALL,
        .path = "",
        .email = request->email,
        .display_name = request->display_name,
        .issuer = request->issuer,
        .subject = request->subject,
        .external_id = request->external_id,
        .role_ids = request->role_ids,
        .role_id_count = request->n_role_ids,
        .allowed_ips = request->allowed_ips,
        .allowed_ip_count = request->n_allowed_ips,
    };
    enum status status = member_check_wish(&wish, call->arena, call->fault, ret_draft);
    return status == STATUS_NO_MEMORY ? status : member_check_identity(ret_draft, "", call->fault);
}

static enum status create(struct app_call *call, const struct member_draft *draft,
                          struct member **ret_member) {
    struct db_params params;
    struct role_list roles;
    struct db_command look = role_store_look_for_many(call, &draft->roles, &params);
    enum status status = membership_lock(call, &look, 1);
    if (status == STATUS_OK)
        status = role_store_read_list(call, &look, &roles);
    if (status == STATUS_OK)
        status = role_check_grant(&draft->roles, &roles, call->caller, call->fault);
    if (status != STATUS_OK)
        return status;
    return member_store_create(call, uuid_new(app_get_clock(call->app)), draft, ret_member);
}

enum status member_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    Latchkey__V1__CreateMemberResponse *response = ARENA_NEW(call->arena, Latchkey__V1__CreateMemberResponse);
    struct member_draft draft;
    struct member *member;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_member_response__init(response);
    enum status status = check_wish(call, (const Latchkey__V1__CreateMemberRequest *)message, &draft);
    if (status == STATUS_OK)
        status = create(call, &draft, &member);
    if (status != STATUS_OK)
        return status;
    response->member = member_message_new(member, call->arena);
    if (!response->member)
        return fault_set_no_memory(call->fault);
    *ret_response = &response->base;
    return audit_note(call, "member.created", response->member->member_id, NULL, &response->member->base);
}
