#include "services/invitation/company_store.h"

#include "common/base/typeid.h"

enum {
    INSERT_COMPANY,
    INSERT_ROLE,
    INSERT_MEMBER,
    INSERT_MEMBER_ROLE,
    INSERT_LIST,
    INSERT_WHITELIST,
    INSERT_AUDIT_HEAD,
    FIND
};

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
    [FIND] =
        {"company_find",
         "SELECT c.company_id, c.lane, c.name, c.external_id, c.suspended, coalesce(c.max_token_lifetime_ms, 0),"
         " c.require_expiry, coalesce(c.deactivate_unused_ms, 0), c.leak_action, c.reuse_action,"
         " coalesce(c.login_lifetime_ms, 0), c.created_at, c.version"
         " FROM latchkey.company c WHERE c.company_id = $1"},
};

// Columns of FIND.
enum {
    COMPANY_ID,
    LANE,
    NAME,
    EXTERNAL_ID,
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

static struct company_policy read_policy(const struct db_result *row) {
    return (struct company_policy){
        .max_token_lifetime_ms = db_result_get_int64(row, 0, MAX_TOKEN_LIFETIME),
        .requires_expiry = db_result_get_bool(row, 0, REQUIRE_EXPIRY),
        .deactivate_unused_ms = db_result_get_int64(row, 0, DEACTIVATE_UNUSED),
        .leak_action = db_result_get_int16(row, 0, LEAK_ACTION),
        .reuse_action = db_result_get_int16(row, 0, REUSE_ACTION),
        .login_lifetime_ms = db_result_get_int64(row, 0, LOGIN_LIFETIME),
    };
}

// The row of FIND.
static enum status read_found(struct app_call *call, const struct db_result *row, struct uuid company_id,
                              struct company **ret_company) {
    if (db_result_get_row_count(row) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "COMPANY_NOT_FOUND", "there is no company %s",
                         typeid_of(TYPEID_COMPANY, company_id).text);
    struct company *company = ARENA_NEW(call->arena, struct company);
    if (!company)
        return fault_set_no_memory(call->fault);
    *company = (struct company){
        .company_id = db_result_get_uuid(row, 0, COMPANY_ID),
        .lane = (uint8_t)db_result_get_int16(row, 0, LANE),
        .name = db_result_copy_text(row, 0, NAME, call->arena),
        .external_id = db_result_copy_text(row, 0, EXTERNAL_ID, call->arena),
        .is_suspended = db_result_get_bool(row, 0, SUSPENDED),
        .policy = read_policy(row),
        .created_at_ms = db_result_get_time_ms(row, 0, CREATED_AT),
        .version = db_result_get_int64(row, 0, VERSION),
    };
    if (!company->name || !company->external_id)
        return fault_set_no_memory(call->fault);
    *ret_company = company;
    return STATUS_OK;
}

// ---- parameters ----

static void init_params(struct db_params *params, const struct app_call *call, struct uuid company_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, company_id);
}

// In the order of the enum of statements.
static void init_birth(struct db_params params[FIND + 1], const struct app_call *call,
                       const struct company_draft *draft, const struct company_birth *birth) {
    struct bytes created_by = bytes_of_text(birth->created_by);
    for (int i = INSERT_COMPANY; i <= FIND; i++)
        init_params(&params[i], call, birth->company_id);

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

static enum status tell_failed_creation(struct app_call *call, const struct company_draft *draft,
                                        enum status status) {
    const struct db_error *error = db_get_error(call->transaction);
    if (status == STATUS_ALREADY_EXISTS && strcmp(error->constraint, "company_external_id_key") == 0)
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                         "another company has the external_id %.*s", BYTES_FORMAT(draft->external_id));
    return db_fault(call->fault, status);
}

enum status company_store_create(struct app_call *call, const struct company_draft *draft,
                                 const struct company_birth *birth, struct company **ret_company,
                                 struct company_administrator *ret_administrator) {
    struct db_params params[FIND + 1];
    struct db_command commands[FIND + 1];
    init_birth(params, call, draft, birth);
    for (int i = INSERT_COMPANY; i <= FIND; i++)
        commands[i] = (struct db_command){&statements[i], &params[i], NULL};
    db_set_company(call->transaction, birth->company_id);
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    db_set_company(call->transaction, call->company_id);
    if (status != STATUS_OK)
        return tell_failed_creation(call, draft, status);

    const struct db_result *member = commands[INSERT_MEMBER].result;
    *ret_administrator =
        (struct company_administrator){.member_id = birth->member_id,
                                       .role_id = birth->role_id,
                                       .email = arena_copy_text(call->arena, draft->administrator_email.text),
                                       .created_at_ms = db_result_get_time_ms(member, 0, 0),
                                       .version = db_result_get_int64(member, 0, 1)};
    if (!ret_administrator->email)
        return fault_set_no_memory(call->fault);
    return read_found(call, commands[FIND].result, birth->company_id, ret_company);
}

enum status company_store_find(struct app_call *call, struct uuid company_id, struct company **ret_company) {
    struct db_params params;
    const struct db_result *rows;
    init_params(&params, call, company_id);
    db_set_company(call->transaction, company_id);
    enum status status = db_query(call->transaction, &statements[FIND], &params, &rows);
    db_set_company(call->transaction, call->company_id);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_found(call, rows, company_id, ret_company);
}
