#include "services/cli/bootstrap_store.h"

#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "services/cli/bootstrap.h"

enum {
    BEGIN,
    ADD_COMPANY,
    ADD_ADMINISTRATOR_ROLE,
    ADD_LIST,
    ADD_WHITELIST,
    ADD_AUDIT_HEAD,
    PUT_OPERATOR_ROLE,
    ADD_MEMBER,
    ADD_MEMBER_ROLES,
    FIND_MEMBER,
    END_UNUSABLE_TOKENS,
    RENEW_TOKEN,
    DELETE_SECRETS,
    ADD_TOKEN,
    ADD_SECRET,
};

// Every group of the catalogue, so that new permissions of a known resource are covered, and what groups
// never cover, by name. $1: with that. A token has at most 256 grants.
#define GRANTS                                                                                     \
    "ARRAY(SELECT name FROM latchkey.permission WHERE operator_only AND $1)"                       \
    " || ARRAY(SELECT resource || '.*' FROM (SELECT DISTINCT split_part(name, '.', 1) AS resource" \
    " FROM latchkey.permission) AS p ORDER BY resource <> 'latchkey', resource LIMIT 200)"

#define OUR_TOKEN                                                                        \
    "company_id = $2 AND member_id = $3 AND external_id = '" BOOTSTRAP_TOKEN_EXTERNAL_ID \
    "' AND deactivated_at IS NULL"

static const struct db_statement statements[] = {
    [BEGIN] = {"bootstrap_begin", "SELECT operator_company, demo_company, foreign_companies"
                                  " FROM latchkey.bootstrap_begin()"},
    [ADD_COMPANY] = {"bootstrap_add_company",
                     "INSERT INTO latchkey.company (company_id, name, is_operator, is_demo)"
                     " VALUES ($1, $2, $3, NOT $3)"},
    [ADD_ADMINISTRATOR_ROLE] = {"bootstrap_add_administrator_role",
                                "INSERT INTO latchkey.role (role_id, company_id, name, builtin)"
                                " VALUES ($1, $2, 'administrator', 'administrator')"},
    [ADD_LIST] = {"bootstrap_add_list",
                  "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($1, $2)"},
    [ADD_WHITELIST] = {"bootstrap_add_whitelist",
                       "INSERT INTO latchkey.whitelist (live_list_id, company_id) VALUES ($1, $2)"},
    [ADD_AUDIT_HEAD] = {"bootstrap_add_audit_head", "INSERT INTO latchkey.audit_head (company_id) VALUES ($1)"
                                                    " ON CONFLICT (company_id) DO NOTHING"},
    [PUT_OPERATOR_ROLE] = {"bootstrap_put_operator_role",
                           "INSERT INTO latchkey.role (role_id, company_id, name, permissions)"
                           " SELECT $1, $2, 'operator', array_agg(name ORDER BY name)"
                           " FROM latchkey.permission WHERE operator_only"
                           " ON CONFLICT (company_id, lower(name)) DO UPDATE"
                           " SET permissions = excluded.permissions"
                           " WHERE role.permissions <> excluded.permissions"},
    [ADD_MEMBER] = {"bootstrap_add_member",
                    "INSERT INTO latchkey.member (member_id, company_id, email, display_name)"
                    " VALUES ($1, $2, $3, $4)"},
    [ADD_MEMBER_ROLES] = {"bootstrap_add_member_roles",
                          "INSERT INTO latchkey.member_role (company_id, member_id, role_id)"
                          " SELECT r.company_id, $1, r.role_id FROM latchkey.role r"
                          " JOIN latchkey.company c ON c.company_id = r.company_id WHERE r.company_id = $2"
                          " AND (r.builtin <> '' OR (c.is_operator AND lower(r.name) = 'operator'))"
                          " ON CONFLICT DO NOTHING"},
    // One who administers the company, rather one who operates: never just anybody who belongs to it.
    [FIND_MEMBER] = {"bootstrap_find_member",
                     "SELECT m.member_id FROM latchkey.member m"
                     " JOIN latchkey.member_role mr ON mr.member_id = m.member_id"
                     " JOIN latchkey.role r ON r.role_id = mr.role_id"
                     " WHERE m.company_id = $1 AND m.removed_at IS NULL GROUP BY m.member_id"
                     " HAVING bool_or(r.builtin = 'administrator')"
                     " ORDER BY bool_or(lower(r.name) = 'operator') DESC, m.member_id LIMIT 1"},
    [END_UNUSABLE_TOKENS] =
        {"bootstrap_end_unusable_tokens",
         "UPDATE latchkey.token SET deactivated_at = now(), deactivate_note = 'replaced by bootstrap --rotate'"
         " WHERE company_id = $1 AND external_id = '" BOOTSTRAP_TOKEN_EXTERNAL_ID
         "' AND deactivated_at IS NULL"
         " AND (suspended OR expires_at <= now() OR not_before > now() OR member_id IS DISTINCT FROM $2)"},
    [RENEW_TOKEN] = {"bootstrap_renew_token", "UPDATE latchkey.token SET permissions = " GRANTS
                                              " WHERE " OUR_TOKEN " RETURNING token_id"},
    [DELETE_SECRETS] = {"bootstrap_delete_secrets",
                        "DELETE FROM latchkey.token_secret WHERE company_id = $1 AND token_id = $2"},
    [ADD_TOKEN] = {"bootstrap_add_token",
                   "INSERT INTO latchkey.token (permissions, company_id, member_id, token_id, kind, channels,"
                   " label, external_id, created_by) SELECT " GRANTS
                   ", $2, $3, $4, 'a', 1, $5, '" BOOTSTRAP_TOKEN_EXTERNAL_ID "', $6"},
    [ADD_SECRET] = {"bootstrap_add_secret",
                    "INSERT INTO latchkey.token_secret (company_id, token_id, digest, hint)"
                    " VALUES ($1, $2, $3, $4)"},
};

static void init_ids(struct db_params *params, struct bootstrap_store *store, struct uuid first,
                     struct uuid second) {
    db_params_init(params, store->arena);
    db_params_add_uuid(params, first);
    db_params_add_uuid(params, second);
}

static enum status query(struct bootstrap_store *store, int statement, const struct db_params *params,
                         const struct db_result **ret_result) {
    return db_query(store->transaction, &statements[statement], params, ret_result);
}

void bootstrap_store_init(struct bootstrap_store *store, struct db_transaction *transaction,
                          struct fault *fault, struct arena *arena) {
    *store = (struct bootstrap_store){
        .transaction = transaction,
        .arena = arena,
        .call = {.arena = arena, .fault = fault, .transaction = transaction, .system = "bootstrap"}};
}

enum status bootstrap_store_note(struct bootstrap_store *store, struct uuid company_id, const char *action,
                                 const char *object_id, const char *after) {
    store->call.company_id = company_id; // in whose log it stands
    return audit_note_text(&store->call, action, object_id, "", after);
}

enum status bootstrap_store_end(struct bootstrap_store *store) {
    return audit_flush(&store->call);
}

enum status bootstrap_store_begin(struct bootstrap_store *store, struct bootstrap_state *ret_state) {
    const struct db_result *row;
    enum status status = query(store, BEGIN, NULL, &row);
    if (status == STATUS_OK)
        *ret_state = (struct bootstrap_state){.operator_company = db_result_get_uuid_or_zero(row, 0, 0),
                                              .demo_company = db_result_get_uuid_or_zero(row, 0, 1),
                                              .foreign_companies = db_result_get_int64(row, 0, 2)};
    return status;
}

enum status bootstrap_store_add_company(struct bootstrap_store *store, struct uuid company_id,
                                        const char *name, enum bootstrap_kind kind) {
    const struct clock *clock = clock_get_system();
    struct db_params company, role, list, head;
    db_params_init(&company, store->arena);
    db_params_add_uuid(&company, company_id);
    db_params_add_text(&company, bytes_of_text(name));
    db_params_add_bool(&company, kind == BOOTSTRAP_OPERATOR);
    init_ids(&role, store, uuid_new(clock), company_id);
    init_ids(&list, store, uuid_new(clock), company_id);
    db_params_init(&head, store->arena);
    db_params_add_uuid(&head, company_id);
    struct db_command commands[] = {{&statements[ADD_COMPANY], &company, NULL},
                                    {&statements[ADD_ADMINISTRATOR_ROLE], &role, NULL},
                                    {&statements[ADD_LIST], &list, NULL},
                                    {&statements[ADD_WHITELIST], &list, NULL},
                                    {&statements[ADD_AUDIT_HEAD], &head, NULL}};
    return db_query_batch(store->transaction, commands, ARRAY_LENGTH(commands));
}

enum status bootstrap_store_put_operator_role(struct bootstrap_store *store, struct uuid company_id) {
    struct db_params params;
    init_ids(&params, store, uuid_new(clock_get_system()), company_id);
    return query(store, PUT_OPERATOR_ROLE, &params, NULL);
}

enum status bootstrap_store_add_member(struct bootstrap_store *store, const struct bootstrap_member *member) {
    struct db_params row, roles;
    init_ids(&row, store, member->member_id, member->company_id);
    db_params_add_text(&row, bytes_of_text(member->email));
    db_params_add_text(&row, bytes_of_text(member->display_name));
    init_ids(&roles, store, member->member_id, member->company_id);
    struct db_command commands[] = {{&statements[ADD_MEMBER], &row, NULL},
                                    {&statements[ADD_MEMBER_ROLES], &roles, NULL}};
    return db_query_batch(store->transaction, commands, ARRAY_LENGTH(commands));
}

enum status bootstrap_store_find_member(struct bootstrap_store *store, struct uuid company_id,
                                        struct uuid *ret_member_id) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, store->arena);
    db_params_add_uuid(&params, company_id);
    enum status status = query(store, FIND_MEMBER, &params, &row);
    if (status == STATUS_OK)
        *ret_member_id =
            db_result_get_row_count(row) > 0 ? db_result_get_uuid(row, 0, 0) : (struct uuid){{0}};
    return status;
}

enum status bootstrap_store_give_roles(struct bootstrap_store *store, struct uuid company_id,
                                       struct uuid member_id, int64_t *ret_count) {
    struct db_params params;
    const struct db_result *result;
    init_ids(&params, store, member_id, company_id);
    enum status status = query(store, ADD_MEMBER_ROLES, &params, &result);
    if (status == STATUS_OK)
        *ret_count = db_result_get_affected_count(result);
    return status;
}

static void init_token(struct db_params *params, struct bootstrap_store *store,
                       const struct bootstrap_token *token) {
    db_params_init(params, store->arena);
    db_params_add_bool(params, token->kind == BOOTSTRAP_OPERATOR);
    db_params_add_uuid(params, token->company_id);
    db_params_add_uuid(params, token->member_id);
}

enum status bootstrap_store_renew_token(struct bootstrap_store *store, const struct bootstrap_token *token,
                                        struct uuid *ret_token_id) {
    struct db_params end, renew, secrets;
    init_ids(&end, store, token->company_id, token->member_id);
    init_token(&renew, store, token);
    struct db_command commands[] = {{&statements[END_UNUSABLE_TOKENS], &end, NULL},
                                    {&statements[RENEW_TOKEN], &renew, NULL}};
    enum status status = db_query_batch(store->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return status;
    const struct db_result *row = commands[1].result;
    *ret_token_id = db_result_get_row_count(row) > 0 ? db_result_get_uuid(row, 0, 0) : (struct uuid){{0}};
    init_ids(&secrets, store, token->company_id, *ret_token_id);
    return query(store, DELETE_SECRETS, &secrets, NULL);
}

enum status bootstrap_store_add_token(struct bootstrap_store *store, const struct bootstrap_token *token) {
    struct typeid member = typeid_of(TYPEID_MEMBER, token->member_id);
    struct db_params params;
    init_token(&params, store, token);
    db_params_add_uuid(&params, token->token_id);
    db_params_add_text(&params, bytes_of_text(token->label));
    db_params_add_text(&params, bytes_of_text(member.text));
    return query(store, ADD_TOKEN, &params, NULL);
}

enum status bootstrap_store_add_secret(struct bootstrap_store *store, const struct bootstrap_token *token,
                                       const struct digest *digest, const char *hint) {
    struct db_params params;
    init_ids(&params, store, token->company_id, token->token_id);
    db_params_add_bytes(&params, bytes_of(digest->bytes, DIGEST_LENGTH));
    db_params_add_text(&params, bytes_of_text(hint));
    return query(store, ADD_SECRET, &params, NULL);
}
