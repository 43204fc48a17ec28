#include "services/invitation/role_rpc.h"

#include "common/access/grant_list.h"
#include "common/app/app.h"
#include "common/app/audit.h"
#include "common/app/paging.h"
#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/update_mask.h"
#include "services/invitation/membership.h"
#include "services/invitation/role_message_rpc.h"
#include "services/invitation/role_store.h"

// Fixed by the contract; the name in characters.
enum { ROLE_NAME_MAX = 100, ROLE_GRANTS_MAX = 256 };

static Latchkey__V1__Role *new_message(const struct app_call *call, const struct role *role) {
    return role_message_new(role, call->caller->catalogue, call->arena);
}

static struct bytes check_name(const char *name, const char *field, struct fault *fault) {
    struct bytes text = bytes_of_text(name);
    size_t length = bytes_count_code_points(text);
    if (length == 0 || length > ROLE_NAME_MAX)
        fault_add_field(fault, field, "type a name of 1 to %d characters", ROLE_NAME_MAX);
    return text;
}

static struct uuid read_role_id(const char *text, const char *field, struct fault *fault) {
    struct uuid role_id = {{0}};
    if (!typeid_parse(bytes_of_text(text), TYPEID_ROLE, &role_id))
        fault_add_field(fault, field, "type a role's id, such as rol_01h455vb4pex5vsknk084sn02q");
    return role_id;
}

static void read_grants(struct app_call *call, char *const *texts, size_t count, const char *field,
                        struct grant_list *ret_list) {
    struct grant_list_terms terms = {call->caller->catalogue, ROLE_GRANTS_MAX, field};
    grant_list_parse(texts, count, &terms, call->arena, call->fault, ret_list);
}

// ---- ListRoles ----

static bool fill_list(Latchkey__V1__ListRolesResponse *response, const ProtobufCMessage *request,
                      const struct role_list *list, const struct app_call *call) {
    response->roles = ARENA_NEW_ARRAY(call->arena, Latchkey__V1__Role *, list->count);
    for (size_t i = 0; response->roles && i < list->count; i++)
        if (!(response->roles[i] = new_message(call, &list->roles[i])))
            return false;
    response->n_roles = list->count;
    if (list->has_more)
        response->next_page_token = paging_make_id_token(call, request, list->roles[list->count - 1].role_id);
    return response->roles && response->next_page_token;
}

enum status role_rpc_list(struct app_call *call, const ProtobufCMessage *message,
                          ProtobufCMessage **ret_response) {
    Latchkey__V1__ListRolesResponse *response = ARENA_NEW(call->arena, Latchkey__V1__ListRolesResponse);
    struct id_page page;
    struct role_list list;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_roles_response__init(response);
    paging_parse_id(call, message, &page);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = role_store_list(call, page.after, page.size, &list);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_list(response, message, &list, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}

// ---- CreateRole ----

static enum status check_reach(struct app_call *call, const struct grant_list *wanted,
                               const struct reach *before) {
    struct reach reach = {.permissions = wanted->covered};
    if (!group_list_pick(wanted->grants, wanted->count, call->arena, &reach.groups))
        return fault_set_no_memory(call->fault);
    return role_check_reach(&reach, before, call->caller, "you can't make such a role", call->arena,
                            call->fault);
}

static enum status create(struct app_call *call, const Latchkey__V1__CreateRoleRequest *request,
                          struct role **ret_role) {
    struct grant_list grants;
    struct bytes name = check_name(request->name, "name", call->fault);
    read_grants(call, request->permissions, request->n_permissions, "permissions", &grants);
    if (call->fault->status != STATUS_OK)
        return call->fault->status;
    struct role_draft draft = {name, grants.grants, grants.count};
    enum status status = membership_lock(call, NULL, 0);
    if (status == STATUS_OK)
        status = check_reach(call, &grants, NULL);
    if (status != STATUS_OK)
        return status;
    return role_store_create(call, uuid_new(app_get_clock(call->app)), &draft, ret_role);
}

enum status role_rpc_create(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    Latchkey__V1__CreateRoleResponse *response = ARENA_NEW(call->arena, Latchkey__V1__CreateRoleResponse);
    struct role *role;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__create_role_response__init(response);
    enum status status = create(call, (const Latchkey__V1__CreateRoleRequest *)message, &role);
    if (status != STATUS_OK)
        return status;
    response->role = new_message(call, role);
    if (!response->role)
        return fault_set_no_memory(call->fault);
    *ret_response = &response->base;
    return audit_note(call, "role.created", response->role->role_id, NULL, &response->role->base);
}

// ---- UpdateRole ----

enum { NAME, PERMISSIONS };
static const char *const update_fields[] = {[NAME] = "name", [PERMISSIONS] = "permissions"};

struct role_change {
    struct uuid role_id;
    const char *etag;
    uint32_t mask;
    struct bytes name;
    struct grant_list grants;
};

static enum status read_change(struct app_call *call, const Latchkey__V1__UpdateRoleRequest *request,
                               struct role_change *ret_change) {
    static const Latchkey__V1__Role nothing = LATCHKEY__V1__ROLE__INIT;
    const Latchkey__V1__Role *wish = request->role ? request->role : &nothing;
    *ret_change = (struct role_change){
        .role_id = read_role_id(wish->role_id, "role.role_id", call->fault),
        .etag = wish->etag,
        .mask =
            update_mask_parse(request->update_mask, update_fields, ARRAY_LENGTH(update_fields), call->fault),
    };
    if (ret_change->mask & UPDATE_MASK_BIT(NAME))
        ret_change->name = check_name(wish->name, "role.name", call->fault);
    if (ret_change->mask & UPDATE_MASK_BIT(PERMISSIONS))
        read_grants(call, wish->permissions, wish->n_permissions, "role.permissions", &ret_change->grants);
    return call->fault->status;
}

// What the role lets do already may stay, whoever changes it.
static enum status check_change(struct app_call *call, const struct role_change *change,
                                const struct role *present) {
    if (present->is_built_in)
        return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "ROLE_BUILT_IN",
                         "the role %s is built in and can't be changed; make one of your own", present->name);
    enum status status = etag_check(change->etag, present->version, call->fault);
    if (status != STATUS_OK || !(change->mask & UPDATE_MASK_BIT(PERMISSIONS)))
        return status;
    struct reach before;
    if (!reach_of_grants(present->grants, present->grant_count, call->caller->catalogue, call->arena,
                         &before))
        return fault_set_no_memory(call->fault);
    return check_reach(call, &change->grants, &before);
}

static enum status find_role(struct app_call *call, struct uuid role_id, struct role **ret_role) {
    struct db_params params;
    struct db_command look = role_store_look_for(call, role_id, &params);
    enum status status = membership_lock(call, &look, 1);
    if (status == STATUS_OK)
        status = role_store_read(call, &look, ret_role);
    if (status != STATUS_OK || *ret_role)
        return status;
    return fault_set(call->fault, STATUS_NOT_FOUND, "ROLE_NOT_FOUND", "there is no role %s",
                     typeid_of(TYPEID_ROLE, role_id).text);
}

static bool is_same(const struct role *role, const struct role_draft *draft) {
    return bytes_is_text(draft->name, role->name) &&
           bytes_list_is_equal(role->grants, role->grant_count, draft->grants, draft->grant_count);
}

static enum status update(struct app_call *call, const struct role_change *change, struct role **ret_before,
                          struct role **ret_after) {
    struct role *before;
    enum status status = find_role(call, change->role_id, &before);
    if (status == STATUS_OK)
        status = check_change(call, change, before);
    if (status != STATUS_OK)
        return status;
    struct role_draft draft = {bytes_of_text(before->name), before->grants, before->grant_count};
    if (change->mask & UPDATE_MASK_BIT(NAME))
        draft.name = change->name;
    if (change->mask & UPDATE_MASK_BIT(PERMISSIONS)) {
        draft.grants = change->grants.grants;
        draft.grant_count = change->grants.count;
    }
    *ret_before = *ret_after = before;
    return is_same(before, &draft) ? STATUS_OK : role_store_update(call, change->role_id, &draft, ret_after);
}

enum status role_rpc_update(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    Latchkey__V1__UpdateRoleResponse *response = ARENA_NEW(call->arena, Latchkey__V1__UpdateRoleResponse);
    struct role_change change;
    struct role *before, *after;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__update_role_response__init(response);
    enum status status = read_change(call, (const Latchkey__V1__UpdateRoleRequest *)message, &change);
    if (status == STATUS_OK)
        status = update(call, &change, &before, &after);
    if (status != STATUS_OK)
        return status;
    response->role = new_message(call, after);
    Latchkey__V1__Role *was = new_message(call, before);
    if (!response->role || !was)
        return fault_set_no_memory(call->fault);
    *ret_response = &response->base;
    return before == after
               ? STATUS_OK
               : audit_note(call, "role.updated", was->role_id, &was->base, &response->role->base);
}

// ---- DeleteRole ----

static enum status check_unused(struct app_call *call, const struct role *role, const struct role_use *use) {
    if (role->is_built_in)
        return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "ROLE_BUILT_IN",
                         "the role %s is built in and can't be deleted", role->name);
    if (use->member_count + use->invitation_count == 0)
        return STATUS_OK;
    fault_add_detail(call->fault, "memberCount", "%lld", (long long)use->member_count);
    fault_add_detail(call->fault, "invitationCount", "%lld", (long long)use->invitation_count);
    return fault_set(call->fault, STATUS_FAILED_PRECONDITION, "ROLE_IN_USE",
                     "%lld members and %lld pending invitations have the role %s; take it from them first",
                     (long long)use->member_count, (long long)use->invitation_count, role->name);
}

// Gone already is fine.
static enum status delete_role(struct app_call *call, struct uuid role_id) {
    enum { LOCKING, ROLE, USE, LOOK_COUNT };
    struct db_params params[LOOK_COUNT];
    struct db_command looks[] = {[LOCKING] = role_store_look_locking(call, role_id, &params[LOCKING]),
                                 [ROLE] = role_store_look_for(call, role_id, &params[ROLE]),
                                 [USE] = role_store_look_for_use(call, role_id, &params[USE])};
    struct role *role;
    enum status status = membership_lock(call, looks, LOOK_COUNT);
    if (status == STATUS_OK)
        status = role_store_read(call, &looks[ROLE], &role);
    if (status != STATUS_OK || !role)
        return status;
    struct role_use use = role_store_read_use(&looks[USE]);
    if ((status = check_unused(call, role, &use)) == STATUS_OK)
        status = role_store_delete(call, role_id);
    if (status != STATUS_OK)
        return status;
    Latchkey__V1__Role *was = new_message(call, role);
    return was ? audit_note(call, "role.deleted", was->role_id, &was->base, NULL)
               : fault_set_no_memory(call->fault);
}

enum status role_rpc_delete(struct app_call *call, const ProtobufCMessage *message,
                            ProtobufCMessage **ret_response) {
    const Latchkey__V1__DeleteRoleRequest *request = (const Latchkey__V1__DeleteRoleRequest *)message;
    Latchkey__V1__DeleteRoleResponse *response = ARENA_NEW(call->arena, Latchkey__V1__DeleteRoleResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__delete_role_response__init(response);
    struct uuid role_id = read_role_id(request->role_id, "role_id", call->fault);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = delete_role(call, role_id);
    *ret_response = &response->base;
    return status;
}
