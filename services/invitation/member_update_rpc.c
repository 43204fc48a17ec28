#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/update_mask.h"
#include "services/invitation/member_message_rpc.h"
#include "services/invitation/member_rpc.h"
#include "services/invitation/member_rules.h"
#include "services/invitation/member_store.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_store.h"

static const char *const update_fields[MEMBER_FIELD_COUNT] = {
    [MEMBER_EMAIL] = "email",
    [MEMBER_DISPLAY_NAME] = "display_name",
    [MEMBER_ROLE_IDS] = "role_ids",
    [MEMBER_ALLOWED_IPS] = "allowed_ips",
    [MEMBER_ISSUER] = "issuer",
    [MEMBER_SUBJECT] = "subject",
    [MEMBER_EXTERNAL_ID] = "external_id",
};

struct member_change {
    struct uuid member_id;
    const char *etag;
    bool is_forced;
    uint32_t fields;
    struct member_draft wished; // only the fields
};

static enum status read_change(struct app_call *call, const Latchkey__V1__UpdateMemberRequest *request,
                               struct member_change *ret_change) {
    static const Latchkey__V1__Member nothing = LATCHKEY__V1__MEMBER__INIT;
    const Latchkey__V1__Member *member = request->member ? request->member : &nothing;
    *ret_change = (struct member_change){
        .member_id = member_rpc_read_id(member->member_id, "member.member_id", call),
        .etag = member->etag,
        .is_forced = request->force,
        .fields = update_mask_parse(request->update_mask, update_fields, MEMBER_FIELD_COUNT, call->fault),
    };
    struct member_wish wish = {
        .fields = ret_change->fields,
        .path = "member.",
        .email = member->email,
        .display_name = member->display_name,
        .issuer = member->issuer,
        .subject = member->subject,
        .external_id = member->external_id,
        .role_ids = member->role_ids,
        .role_id_count = member->n_role_ids,
        .allowed_ips = member->allowed_ips,
        .allowed_ip_count = member->n_allowed_ips,
    };
    return member_check_wish(&wish, call->arena, call->fault, &ret_change->wished);
}

static void merge(const struct member_change *change, struct member_draft *draft) {
    const struct member_draft *wished = &change->wished;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_EMAIL))
        draft->email = wished->email;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_DISPLAY_NAME))
        draft->display_name = wished->display_name;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_ROLE_IDS))
        draft->roles = wished->roles;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_ALLOWED_IPS))
        draft->allowed_ips = wished->allowed_ips;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_ISSUER))
        draft->issuer = wished->issuer;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_SUBJECT))
        draft->subject = wished->subject;
    if (change->fields & UPDATE_MASK_BIT(MEMBER_EXTERNAL_ID))
        draft->external_id = wished->external_id;
}

// ---- what stands against it ----

static enum status check_present(const struct app_call *call, const struct member *present,
                                 const char *etag) {
    if (member_is_removed(present))
        return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "MEMBER_REMOVED",
                         "%s was removed and can't be changed; make a new member of that person",
                         typeid_of(TYPEID_MEMBER, present->member_id).text);
    return etag_check(etag, present->version, call->fault);
}

static bool has_administrator(const struct role_list *roles, const struct role_ids *ids) {
    for (size_t i = 0; i < roles->count; i++)
        if (roles->roles[i].is_built_in && role_ids_have(ids, roles->roles[i].role_id))
            return true;
    return false;
}

// What the member has already may stay, whoever changes it.
static enum status check_added_roles(struct app_call *call, const struct member *present,
                                     const struct member_draft *draft, const struct db_command *wished) {
    struct role_ids added;
    struct role_list roles;
    if (role_ids_subtract(&draft->roles, &present->is.roles, call->arena, &added) != STATUS_OK)
        return fault_set_no_memory(call->fault);
    enum status status = role_store_read_list(call, wished, &roles);
    if (status != STATUS_OK)
        return status;
    return role_check_grant(&added, &roles, call->caller, call->fault);
}

// The member may do no more than the caller.
static enum status check_member_bounds(struct app_call *call, const struct role_list *roles,
                                       const char *what) {
    struct reach reach;
    if (!role_list_get_reach(roles, call->caller->catalogue, call->arena, &reach))
        return fault_set_no_memory(call->fault);
    return role_check_reach(&reach, NULL, call->caller, what, call->arena, call->fault);
}

// Whoever names another address or person as this member decides who may do what the member may; and so does,
// with a token of the member's in hand, whoever lets it in from elsewhere.
static enum status check_person(struct app_call *call, const struct role_list *roles,
                                const struct member_draft *before, const struct member_draft *draft) {
    bool is_within;
    if (member_is_other_person(before, draft))
        return check_member_bounds(call, roles, "you can't change who this member is");
    if (prefix_list_compare_reach(&draft->allowed_ips, &before->allowed_ips, call->arena, &is_within) !=
        STATUS_OK)
        return fault_set_no_memory(call->fault);
    return is_within ? STATUS_OK
                     : check_member_bounds(call, roles, "you can't let this member in from elsewhere");
}

// What is looked at behind the lock.
enum { MEMBER, ROLES, WISHED_ROLES, ADMINISTRATOR, LOOK_COUNT };

static enum status check_rights(struct app_call *call, const struct db_command *looks,
                                const struct member *present, const struct member_draft *draft) {
    struct role_list roles;
    enum status status = role_store_read_list(call, &looks[ROLES], &roles);
    if (status == STATUS_OK)
        status = check_added_roles(call, present, draft, &looks[WISHED_ROLES]);
    if (status == STATUS_OK)
        status = check_person(call, &roles, &present->is, draft);
    if (status == STATUS_OK)
        status = member_check_let_in(&draft->allowed_ips, &present->is.allowed_ips, call->caller, call->arena,
                                     call->fault);
    if (status == STATUS_OK && has_administrator(&roles, &present->is.roles) &&
        !has_administrator(&roles, &draft->roles))
        status = membership_check_administrator(call, &looks[ADMINISTRATOR]);
    return status;
}

// ---- UpdateMember ----

static enum status check_change(struct app_call *call, const struct member_change *change,
                                const struct db_command *looks, const struct member *present,
                                const struct member_draft *draft) {
    bool is_own = !call->caller->is_acting && uuid_is_equal(change->member_id, call->caller->member_id);
    enum status status = member_check_identity(draft, "member.", call->fault);
    if (status == STATUS_OK && is_own && !change->is_forced)
        status = member_check_lock_out(draft, &call->address, call->fault);
    return status == STATUS_OK ? check_rights(call, looks, present, draft) : status;
}

static enum status update(struct app_call *call, const struct member_change *change,
                          struct member **ret_before, struct member **ret_after) {
    struct db_params params[LOOK_COUNT];
    struct db_command looks[] = {
        [MEMBER] = member_store_look_for(call, change->member_id, &params[MEMBER]),
        [ROLES] = role_store_look_of_member(call, change->member_id, &params[ROLES]),
        [WISHED_ROLES] = role_store_look_for_many(call, &change->wished.roles, &params[WISHED_ROLES]),
        [ADMINISTRATOR] = membership_look_for_administrator(call, change->member_id, &params[ADMINISTRATOR])};
    struct member *before;
    enum status status = membership_lock(call, looks, LOOK_COUNT);
    if (status == STATUS_OK)
        status = member_store_read(call, &looks[MEMBER], change->member_id, &before);
    if (status == STATUS_OK)
        status = check_present(call, before, change->etag);
    if (status != STATUS_OK)
        return status;
    struct member_draft draft = before->is;
    merge(change, &draft);
    *ret_before = *ret_after = before;
    if (member_draft_is_equal(&before->is, &draft))
        return STATUS_OK;
    status = check_change(call, change, looks, before, &draft);
    return status == STATUS_OK ? member_store_update(call, change->member_id, &draft, ret_after) : status;
}

enum status member_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                              ProtobufCMessage **ret_response) {
    Latchkey__V1__UpdateMemberResponse *response = ARENA_NEW(call->arena, Latchkey__V1__UpdateMemberResponse);
    struct member_change change;
    struct member *before, *after;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_member_response__init(response);
    enum status status = read_change(call, (const Latchkey__V1__UpdateMemberRequest *)message, &change);
    if (status == STATUS_OK)
        status = update(call, &change, &before, &after);
    if (status != STATUS_OK)
        return status;
    response->member = member_message_new(after, call->arena);
    Latchkey__V1__Member *was = member_message_new(before, call->arena);
    if (!response->member || !was)
        return fault_set_no_memory(call->fault);
    *ret_response = &response->base;
    return before == after
               ? STATUS_OK
               : audit_note(call, "member.updated", was->member_id, &was->base, &response->member->base);
}
