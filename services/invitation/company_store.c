#include "services/invitation/company_store.h"

#include <string.h>

#include "common/base/typeid.h"

enum {
    INSERT_COMPANY,
    INSERT_ROLE,
    INSERT_MEMBER,
    INSERT_MEMBER_ROLE,
    INSERT_LIST,
    INSERT_WHITELIST,
    INSERT_AUDIT_HEAD,
    FIND,
    LOCK,
    UPDATE,
    SET_SUSPENDED,
    LIST
};

// In the order of the enum below.
#define COMPANY_COLUMNS                                                                             \
    "c.company_id, c.name, c.external_id, c.is_operator, c.suspended,"                              \
    " coalesce(c.max_token_lifetime_ms, 0), c.require_expiry, coalesce(c.deactivate_unused_ms, 0)," \
    " c.leak_action, c.reuse_action, coalesce(c.login_lifetime_ms, 0), c.created_at, c.version"

static const struct db_statement statements[] = {
    [INSERT_COMPANY] = {"company_insert",
                        "INSERT INTO latchkey.company (company_id, name, external_id, created_by)"
                        " VALUES ($1, $2, $3, $4)"},
    [INSERT_ROLE] = {"company_insert_role",
                     "INSERT INTO latchkey.role (role_id, company_id, name, builtin, created_by)"
                     " VALUES ($2, $1, 'administrator', 'administrator', $3)"},
    [INSERT_MEMBER] = {"company_insert_member",
                       "INSERT INTO latchkey.member (member_id, company_id, email, created_by)"
                       " VALUES ($2, $1, $3, $4) RETURNING created_at, version"},
    [INSERT_MEMBER_ROLE] = {"company_insert_member_role",
                            "INSERT INTO latchkey.member_role (company_id, member_id, role_id)"
                            " VALUES ($1, $2, $3)"},
    [INSERT_LIST] = {"company_insert_list",
                     "INSERT INTO latchkey.whitelist_list (list_id, company_id, created_by)"
                     " VALUES ($2, $1, $3)"},
    [INSERT_WHITELIST] = {"company_insert_whitelist",
                          "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ($1, $2)"},
    [INSERT_AUDIT_HEAD] = {"company_insert_audit_head",
                           "INSERT INTO latchkey.audit_head (company_id) VALUES ($1)"},
    [FIND] = {"company_find", "SELECT " COMPANY_COLUMNS " FROM latchkey.company c WHERE c.company_id = $1"},
    [LOCK] = {"company_lock", "SELECT " COMPANY_COLUMNS " FROM latchkey.company c WHERE c.company_id = $1"
                              " FOR NO KEY UPDATE"},
    [UPDATE] =
        {"company_update",
         "UPDATE latchkey.company c SET name = $2, external_id = $3,"
         " max_token_lifetime_ms = nullif($4::bigint, 0), require_expiry = $5,"
         " deactivate_unused_ms = nullif($6::bigint, 0), leak_action = $7, reuse_action = $8,"
         " login_lifetime_ms = nullif($9::bigint, 0) WHERE c.company_id = $1 RETURNING " COMPANY_COLUMNS},
    [SET_SUSPENDED] = {"company_set_suspended", "UPDATE latchkey.company c SET suspended = $2"
                                                " WHERE c.company_id = $1 RETURNING " COMPANY_COLUMNS},
    [LIST] = {"company_list",
              "SELECT " COMPANY_COLUMNS " FROM latchkey.company_list($1, $2, $3, $4, $5, $6) c"
              " ORDER BY c.company_id DESC"},
};

// Columns of COMPANY_COLUMNS.
enum {
    COMPANY_ID,
    NAME,
    EXTERNAL_ID,
    IS_OPERATOR,
    SUSPENDED,
    MAX_TOKEN_LIFETIME,
    REQUIRE_EXPIRY,
    DEACTIVATE_UNUSED,
    LEAK_ACTION,
    REUSE_ACTION,
    LOGIN_LIFETIME,
    CREATED_AT,
    VERSION,
};

// ---- from a row to a company ----

static struct company_policy read_policy(const struct db_result *rows, int row) {
    return (struct company_policy){
        .max_token_lifetime_ms = db_result_get_int64(rows, row, MAX_TOKEN_LIFETIME),
        .requires_expiry = db_result_get_bool(rows, row, REQUIRE_EXPIRY),
        .deactivate_unused_ms = db_result_get_int64(rows, row, DEACTIVATE_UNUSED),
        .leak_action = db_result_get_int16(rows, row, LEAK_ACTION),
        .reuse_action = db_result_get_int16(rows, row, REUSE_ACTION),
        .login_lifetime_ms = db_result_get_int64(rows, row, LOGIN_LIFETIME),
    };
}

static bool read_company(const struct db_result *rows, int row, struct arena *arena,
                         struct company *ret_company) {
    *ret_company = (struct company){
        .company_id = db_result_get_uuid(rows, row, COMPANY_ID),
        .name = db_result_copy_text(rows, row, NAME, arena),
        .external_id = db_result_copy_text(rows, row, EXTERNAL_ID, arena),
        .is_operator = db_result_get_bool(rows, row, IS_OPERATOR),
        .is_suspended = db_result_get_bool(rows, row, SUSPENDED),
        .policy = read_policy(rows, row),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    return ret_company->name && ret_company->external_id;
}

static enum status read_found(struct app_call *call, const struct db_result *rows,
                              struct company **ret_company) {
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "COMPANY_NOT_FOUND", "there is no company %s",
                         typeid_of(TYPEID_COMPANY, call->company_id).text);
    struct company *company = ARENA_NEW(call->arena, struct company);
    if (!company || !read_company(rows, 0, call->arena, company))
        return fault_set_no_memory(call->fault);
    *ret_company = company;
    return STATUS_OK;
}

// ---- parameters ----

static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

// In the order of the enum of statements.
static void init_birth(struct db_params params[FIND + 1], const struct app_call *call,
                       const struct company_draft *draft, const struct company_birth *birth,
                       const char *author) {
    struct bytes created_by = bytes_of_text(author);
    for (int i = INSERT_COMPANY; i <= FIND; i++)
        init_params(&params[i], call);

    db_params_add_text(&params[INSERT_COMPANY], draft->name);
    db_params_add_text(&params[INSERT_COMPANY], draft->external_id);
    db_params_add_text(&params[INSERT_COMPANY], created_by);
    db_params_add_uuid(&params[INSERT_ROLE], birth->role_id);
    db_params_add_text(&params[INSERT_ROLE], created_by);
    db_params_add_uuid(&params[INSERT_MEMBER], birth->member_id);
    db_params_add_text(&params[INSERT_MEMBER], bytes_of_text(draft->administrator_email.text));
    db_params_add_text(&params[INSERT_MEMBER], created_by);
    db_params_add_uuid(&params[INSERT_MEMBER_ROLE], birth->member_id);
    db_params_add_uuid(&params[INSERT_MEMBER_ROLE], birth->role_id);
    db_params_add_uuid(&params[INSERT_LIST], birth->list_id);
    db_params_add_text(&params[INSERT_LIST], created_by);
    db_params_add_uuid(&params[INSERT_WHITELIST], birth->list_id);
}

// ---- public ----

static enum status tell_failure(struct app_call *call, struct bytes external_id, enum status status) {
    const struct db_error *error = db_get_error(call->transaction);
    if (status == STATUS_ALREADY_EXISTS && strcmp(error->constraint, "company_external_id_key") == 0)
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                         "another company has the external_id %.*s", BYTES_FORMAT(external_id));
    return db_fault(call->fault, status);
}

static enum status read_administrator(struct app_call *call, const struct company_draft *draft,
                                      const struct company_birth *birth, const struct db_result *row,
                                      struct member *ret_administrator) {
    struct uuid *role_ids = ARENA_NEW(call->arena, struct uuid);
    const char *email = arena_copy_text(call->arena, draft->administrator_email.text);
    if (!role_ids || !email)
        return fault_set_no_memory(call->fault);
    *role_ids = birth->role_id;
    *ret_administrator = (struct member){.member_id = birth->member_id,
                                         .is = {.email = email,
                                                .display_name = "",
                                                .issuer = "",
                                                .subject = "",
                                                .external_id = "",
                                                .roles = {role_ids, 1}},
                                         .removed_at_ms = CLOCK_NEVER_MS,
                                         .created_at_ms = db_result_get_time_ms(row, 0, 0),
                                         .version = db_result_get_int64(row, 0, 1)};
    return STATUS_OK;
}

enum status company_store_create(struct app_call *call, const struct company_draft *draft,
                                 const struct company_birth *birth, struct company **ret_company,
                                 struct member *ret_administrator) {
    struct db_params params[FIND + 1];
    struct db_command commands[FIND + 1];
    const char *author = app_call_get_author(call);
    if (!author)
        return fault_set_no_memory(call->fault);
    init_birth(params, call, draft, birth, author);
    for (int i = INSERT_COMPANY; i <= FIND; i++)
        commands[i] = (struct db_command){&statements[i], &params[i], NULL};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return tell_failure(call, draft->external_id, status);
    status = read_administrator(call, draft, birth, commands[INSERT_MEMBER].result, ret_administrator);
    return status == STATUS_OK ? read_found(call, commands[FIND].result, ret_company) : status;
}

static enum status query_one(struct app_call *call, int statement, const struct db_params *params,
                             struct company **ret_company) {
    const struct db_result *rows;
    enum status status = db_query(call->transaction, &statements[statement], params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_found(call, rows, ret_company);
}

enum status company_store_find(struct app_call *call, struct company **ret_company) {
    struct db_params params;
    init_params(&params, call);
    return query_one(call, FIND, &params, ret_company);
}

enum status company_store_lock(struct app_call *call, struct company **ret_company) {
    struct db_params params;
    init_params(&params, call);
    return query_one(call, LOCK, &params, ret_company);
}

enum status company_store_update(struct app_call *call, const struct company *wanted,
                                 struct company **ret_company) {
    struct db_params params;
    const struct db_result *rows;
    const struct company_policy *policy = &wanted->policy;
    init_params(&params, call);
    db_params_add_text(&params, bytes_of_text(wanted->name));
    db_params_add_text(&params, bytes_of_text(wanted->external_id));
    db_params_add_int64(&params, policy->max_token_lifetime_ms);
    db_params_add_bool(&params, policy->requires_expiry);
    db_params_add_int64(&params, policy->deactivate_unused_ms);
    db_params_add_int16(&params, (int16_t)policy->leak_action);
    db_params_add_int16(&params, (int16_t)policy->reuse_action);
    db_params_add_int64(&params, policy->login_lifetime_ms);
    enum status status = db_query(call->transaction, &statements[UPDATE], &params, &rows);
    if (status != STATUS_OK)
        return tell_failure(call, bytes_of_text(wanted->external_id), status);
    return read_found(call, rows, ret_company);
}

enum status company_store_set_suspended(struct app_call *call, bool is_suspended,
                                        struct company **ret_company) {
    struct db_params params;
    init_params(&params, call);
    db_params_add_bool(&params, is_suspended);
    return query_one(call, SET_SUSPENDED, &params, ret_company);
}

static void init_list(struct db_params *params, const struct app_call *call,
                      const struct company_filter *filter, struct uuid after, int32_t limit) {
    db_params_init(params, call->arena);
    db_params_add_bool(params, caller_has_permission(call->caller, "latchkey.operate"));
    db_params_add_uuid_or_null(params, after);
    if (filter->state == COMPANY_STATE_ANY)
        db_params_add_null(params, DB_TYPE_BOOL);
    else
        db_params_add_bool(params, filter->state == COMPANY_STATE_SUSPENDED);
    db_params_add_text(params, filter->name_contains);
    db_params_add_text(params, filter->external_id);
    db_params_add_int64(params, limit);
}

enum status company_store_list(struct app_call *call, const struct company_filter *filter, struct uuid after,
                               int32_t limit, struct company_list *ret_list) {
    struct db_params params;
    const struct db_result *rows;
    bool is_operator = caller_has_permission(call->caller, "latchkey.operate");
    init_list(&params, call, filter, after, limit + 1); // one more tells whether there is another page
    if (is_operator)
        db_set_company(call->transaction, call->caller->home_company_id);
    enum status status = db_query(call->transaction, &statements[LIST], &params, &rows);
    if (is_operator)
        db_set_company(call->transaction, call->company_id);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    int row_count = db_result_get_row_count(rows);
    struct company_list list = {.count = (size_t)(row_count < limit ? row_count : limit),
                                .has_more = row_count > limit};
    list.companies = ARENA_NEW_ARRAY(call->arena, struct company, list.count);
    if (!list.companies)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        if (!read_company(rows, (int)i, call->arena, &list.companies[i]))
            return fault_set_no_memory(call->fault);
    *ret_list = list;
    return STATUS_OK;
}
