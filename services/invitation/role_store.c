#include "services/invitation/role_store.h"

#include <string.h>

#include "common/db/row_list.h"

enum { FIND_MANY, LIST_OF_INVITATION, LIST_OF_MEMBER, LIST, FIND, CREATE, UPDATE, LOCK, COUNT_USE, DELETE };

// In the order of the enum below. $1 = company.
#define ROLE_COLUMNS "r.role_id, r.name, r.builtin <> '', r.permissions, r.created_at, r.version"

static const struct db_statement statements[] = {
    [FIND_MANY] = {"role_find_many", "SELECT " ROLE_COLUMNS " FROM latchkey.role r"
                                     " WHERE r.company_id = $1 AND r.role_id = ANY ($2) FOR KEY SHARE"},
    [LIST_OF_INVITATION] = {"role_list_of_invitation",
                            "SELECT " ROLE_COLUMNS " FROM latchkey.role r WHERE r.company_id = $1"
                            " AND r.role_id = ANY (ARRAY(SELECT unnest(i.role_ids) FROM latchkey.invitation i"
                            " WHERE i.company_id = $1 AND i.invitation_id = $2)) FOR KEY SHARE"},
    [LIST_OF_MEMBER] = {"role_list_of_member",
                        "SELECT " ROLE_COLUMNS " FROM latchkey.member_role mr"
                        " JOIN latchkey.role r ON r.company_id = mr.company_id AND r.role_id = mr.role_id"
                        " WHERE mr.company_id = $1 AND mr.member_id = $2"},
    // A page ends early where its roles' own lists are long: 20 000 grants, and one more role.
    [LIST] = {"role_list",
              "SELECT " ROLE_COLUMNS ", r.found FROM (SELECT r.*, count(*) OVER () AS found,"
              " cardinality(r.permissions) AS grants, sum(cardinality(r.permissions))"
              " OVER (ORDER BY r.role_id DESC) AS grants_so_far FROM (SELECT r.* FROM latchkey.role r"
              " WHERE r.company_id = $1 AND ($2::uuid IS NULL OR r.role_id < $2)"
              " ORDER BY r.role_id DESC LIMIT $3) AS r) AS r"
              " WHERE r.grants_so_far - r.grants <= 20000 ORDER BY r.role_id DESC"},
    [FIND] = {"role_find",
              "SELECT " ROLE_COLUMNS " FROM latchkey.role r WHERE r.company_id = $1 AND r.role_id = $2"},
    [CREATE] = {"role_create", "INSERT INTO latchkey.role AS r (company_id, role_id, name, permissions,"
                               " created_by) VALUES ($1, $2, $3, $4, $5) RETURNING " ROLE_COLUMNS},
    [UPDATE] = {"role_update", "UPDATE latchkey.role r SET name = $3, permissions = $4"
                               " WHERE r.company_id = $1 AND r.role_id = $2 RETURNING " ROLE_COLUMNS},
    [LOCK] = {"role_lock",
              "SELECT FROM latchkey.role r WHERE r.company_id = $1 AND r.role_id = $2 FOR UPDATE"},
    [COUNT_USE] = {"role_count_use",
                   "SELECT (SELECT count(*) FROM latchkey.member_role mr"
                   " WHERE mr.company_id = $1 AND mr.role_id = $2),"
                   " (SELECT count(*) FROM latchkey.invitation i WHERE i.company_id = $1 AND i.state = 'p'"
                   " AND i.expires_at > $3 AND $2 = ANY (i.role_ids))"},
    [DELETE] = {"role_delete", "DELETE FROM latchkey.role r WHERE r.company_id = $1 AND r.role_id = $2"},
};

// Of ROLE_COLUMNS, and of LIST one more.
enum { ROLE_ID, NAME, BUILT_IN, PERMISSIONS, CREATED_AT, VERSION, FOUND };

// ---- from a row to a role ----

static bool read_role(const struct db_result *rows, int row, struct arena *arena, struct role *ret_role) {
    *ret_role = (struct role){
        .role_id = db_result_get_uuid(rows, row, ROLE_ID),
        .name = db_result_copy_text(rows, row, NAME, arena),
        .is_built_in = db_result_get_bool(rows, row, BUILT_IN),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    return ret_role->name &&
           db_row_copy_texts(rows, row, PERMISSIONS, arena, &ret_role->grants, &ret_role->grant_count);
}

static enum status read_list(struct app_call *call, const struct db_result *rows, size_t max,
                             struct role_list *ret_roles) {
    size_t found = (size_t)db_result_get_row_count(rows);
    struct role_list list = {.count = found < max ? found : max};
    list.roles = ARENA_NEW_ARRAY(call->arena, struct role, list.count);
    if (!list.roles)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        if (!read_role(rows, (int)i, call->arena, &list.roles[i]))
            return fault_set_no_memory(call->fault);
    *ret_roles = list;
    return STATUS_OK;
}

static enum status read_one(struct app_call *call, const struct db_result *rows, struct role **ret_role) {
    *ret_role = NULL;
    if (db_result_get_row_count(rows) == 0)
        return STATUS_OK;
    struct role *role = ARENA_NEW(call->arena, struct role);
    if (!role || !read_role(rows, 0, call->arena, role))
        return fault_set_no_memory(call->fault);
    *ret_role = role;
    return STATUS_OK;
}

// ---- reading ----

static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

static struct db_command look_for_role(const struct app_call *call, int statement, struct uuid id,
                                       struct db_params *params) {
    init_params(params, call);
    db_params_add_uuid(params, id);
    return (struct db_command){&statements[statement], params, NULL};
}

struct db_command role_store_look_for_many(const struct app_call *call, const struct role_ids *ids,
                                           struct db_params *params) {
    init_params(params, call);
    db_params_add_uuid_array(params, ids->ids, ids->count);
    return (struct db_command){&statements[FIND_MANY], params, NULL};
}

struct db_command role_store_look_of_invitation(const struct app_call *call, struct uuid invitation_id,
                                                struct db_params *params) {
    return look_for_role(call, LIST_OF_INVITATION, invitation_id, params);
}

struct db_command role_store_look_of_member(const struct app_call *call, struct uuid member_id,
                                            struct db_params *params) {
    return look_for_role(call, LIST_OF_MEMBER, member_id, params);
}

struct db_command role_store_look_for(const struct app_call *call, struct uuid role_id,
                                      struct db_params *params) {
    return look_for_role(call, FIND, role_id, params);
}

struct db_command role_store_look_locking(const struct app_call *call, struct uuid role_id,
                                          struct db_params *params) {
    return look_for_role(call, LOCK, role_id, params);
}

struct db_command role_store_look_for_use(const struct app_call *call, struct uuid role_id,
                                          struct db_params *params) {
    struct db_command look = look_for_role(call, COUNT_USE, role_id, params);
    db_params_add_time_ms(params, call->now_ms);
    return look;
}

enum status role_store_read(struct app_call *call, const struct db_command *look, struct role **ret_role) {
    return read_one(call, look->result, ret_role);
}

enum status role_store_read_list(struct app_call *call, const struct db_command *look,
                                 struct role_list *ret_roles) {
    return read_list(call, look->result, SIZE_MAX, ret_roles);
}

struct role_use role_store_read_use(const struct db_command *look) {
    return (struct role_use){db_result_get_int64(look->result, 0, 0),
                             db_result_get_int64(look->result, 0, 1)};
}

enum status role_store_list(struct app_call *call, struct uuid after, int32_t limit,
                            struct role_list *ret_roles) {
    struct db_params params;
    const struct db_result *rows;
    init_params(&params, call);
    db_params_add_uuid_or_null(&params, after);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    enum status status = db_query(call->transaction, &statements[LIST], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    status = read_list(call, rows, (size_t)limit, ret_roles);
    if (status == STATUS_OK && ret_roles->count > 0)
        ret_roles->has_more = db_result_get_int64(rows, 0, FOUND) > (int64_t)ret_roles->count;
    return status;
}

// ---- changing ----

static enum status tell_failure(struct app_call *call, const struct role_draft *draft, enum status status) {
    const struct db_error *error = db_get_error(call->transaction);
    if (status == STATUS_ALREADY_EXISTS && strcmp(error->constraint, "role_name_key") == 0)
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "ROLE_NAME_IN_USE",
                         "another role has the name %.*s", BYTES_FORMAT(draft->name));
    return db_fault(call->fault, status);
}

static void init_draft(struct db_params *params, const struct app_call *call, struct uuid role_id,
                       const struct role_draft *draft) {
    init_params(params, call);
    db_params_add_uuid(params, role_id);
    db_params_add_text(params, draft->name);
    db_params_add_text_array(params, draft->grants, draft->grant_count);
}

enum status role_store_create(struct app_call *call, struct uuid role_id, const struct role_draft *draft,
                              struct role **ret_role) {
    struct db_params params;
    const struct db_result *rows;
    const char *author = app_call_get_author(call);
    if (!author)
        return fault_set_no_memory(call->fault);
    init_draft(&params, call, role_id, draft);
    db_params_add_text(&params, bytes_of_text(author));
    enum status status = db_query(call->transaction, &statements[CREATE], &params, &rows);
    if (status != STATUS_OK)
        return tell_failure(call, draft, status);
    return read_one(call, rows, ret_role);
}

enum status role_store_update(struct app_call *call, struct uuid role_id, const struct role_draft *draft,
                              struct role **ret_role) {
    struct db_params params;
    const struct db_result *rows;
    init_draft(&params, call, role_id, draft);
    enum status status = db_query(call->transaction, &statements[UPDATE], &params, &rows);
    if (status != STATUS_OK)
        return tell_failure(call, draft, status);
    return read_one(call, rows, ret_role);
}

enum status role_store_delete(struct app_call *call, struct uuid role_id) {
    struct db_params params;
    init_params(&params, call);
    db_params_add_uuid(&params, role_id);
    return db_fault(call->fault, db_query(call->transaction, &statements[DELETE], &params, NULL));
}
