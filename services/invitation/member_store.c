#include "services/invitation/member_store.h"

#include <string.h>

#include "common/base/typeid.h"
#include "common/db/row_list.h"
#include "services/invitation/member_tokens_store.h"

enum { CREATE, ADD_ROLES, DROP_ROLES, UPDATE, REMOVE, FIND, PLAN_AFRESH, LIST };

// In the order of the enum below. $1 = company.
#define MEMBER_COLUMNS                                                                            \
    "m.member_id, m.email, m.display_name, ARRAY(SELECT mr.role_id FROM latchkey.member_role mr"  \
    " WHERE mr.member_id = m.member_id ORDER BY mr.role_id), m.allowed_ips, m.issuer, m.subject," \
    " m.external_id, m.removed_at, m.created_at, m.version"

static const struct db_statement statements[] = {
    [CREATE] = {"member_create",
                "INSERT INTO latchkey.member (company_id, member_id, email, display_name, issuer, subject,"
                " external_id, allowed_ips, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"},
    [ADD_ROLES] = {"member_add_roles", "INSERT INTO latchkey.member_role (company_id, member_id, role_id)"
                                       " SELECT $1, $2, unnest($3::uuid[]) ON CONFLICT DO NOTHING"},
    [DROP_ROLES] = {"member_drop_roles", "DELETE FROM latchkey.member_role mr WHERE mr.company_id = $1"
                                         " AND mr.member_id = $2 AND mr.role_id <> ALL ($3)"},
    [UPDATE] = {"member_update",
                "UPDATE latchkey.member m SET email = $3, display_name = $4, issuer = $5, subject = $6,"
                " external_id = $7, allowed_ips = $8 WHERE m.company_id = $1 AND m.member_id = $2"},
    [REMOVE] = {"member_remove", "UPDATE latchkey.member m SET removed_at = $3"
                                 " WHERE m.company_id = $1 AND m.member_id = $2 AND m.removed_at IS NULL"},
    [FIND] = {"member_find", "SELECT " MEMBER_COLUMNS " FROM latchkey.member m"
                             " WHERE m.company_id = $1 AND m.member_id = $2"},
    // why: which index serves a list depends on which of its filters are set.
    [PLAN_AFRESH] = {"member_plan_afresh", "SET LOCAL plan_cache_mode = force_custom_plan"},
    // A page ends early where its members' own lists are long: 20 000 addresses, and one more member.
    [LIST] = {"member_list",
              "SELECT " MEMBER_COLUMNS ", m.found FROM ("
              "SELECT m.*, count(*) OVER () AS found, cardinality(m.allowed_ips) AS items,"
              " sum(cardinality(m.allowed_ips)) OVER (ORDER BY m.member_id DESC) AS items_so_far FROM ("
              "SELECT m.* FROM latchkey.member m WHERE m.company_id = $1"
              " AND ($3::uuid IS NULL OR m.member_id < $3)"
              " AND ($4::smallint = 0 OR ($4 = 2) = (m.removed_at IS NOT NULL))"
              " AND ($5 = '' OR position(lower($5) IN lower(m.email)) > 0"
              " OR position(lower($5) IN lower(m.display_name)) > 0)"
              " AND ($6::uuid IS NULL OR m.member_id = ANY (ARRAY(SELECT mr.member_id"
              " FROM latchkey.member_role mr WHERE mr.role_id = $6)))"
              " AND ($7 = '' OR m.external_id = $7)"
              " ORDER BY m.member_id DESC LIMIT $2) AS m) AS m"
              " WHERE m.items_so_far - m.items <= 20000 ORDER BY m.member_id DESC"},
};

// Columns of MEMBER_COLUMNS, and of LIST one more.
enum {
    MEMBER_ID,
    EMAIL,
    DISPLAY_NAME,
    ROLE_IDS,
    ALLOWED_IPS,
    ISSUER,
    SUBJECT,
    EXTERNAL_ID,
    REMOVED_AT,
    CREATED_AT,
    VERSION,
    FOUND,
};

// ---- from a row to a member ----

static bool read_member(const struct db_result *rows, int row, struct arena *arena,
                        struct member *ret_member) {
    *ret_member = (struct member){
        .member_id = db_result_get_uuid(rows, row, MEMBER_ID),
        .is = {.email = db_result_copy_text(rows, row, EMAIL, arena),
               .display_name = db_result_copy_text(rows, row, DISPLAY_NAME, arena),
               .issuer = db_result_copy_text(rows, row, ISSUER, arena),
               .subject = db_result_copy_text(rows, row, SUBJECT, arena),
               .external_id = db_result_copy_text(rows, row, EXTERNAL_ID, arena)},
        .removed_at_ms = db_result_get_time_ms_or(rows, row, REMOVED_AT, CLOCK_NEVER_MS),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .version = db_result_get_int64(rows, row, VERSION),
    };
    struct member_draft *is = &ret_member->is;
    return is->email && is->display_name && is->issuer && is->subject && is->external_id &&
           db_row_copy_uuids(rows, row, ROLE_IDS, arena, &is->roles.ids, &is->roles.count) &&
           db_row_copy_prefixes(rows, row, ALLOWED_IPS, arena, &is->allowed_ips);
}

// The row of FIND.
static enum status read_found(struct app_call *call, const struct db_result *rows, struct uuid member_id,
                              struct member **ret_member) {
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "MEMBER_NOT_FOUND", "there is no member %s",
                         typeid_of(TYPEID_MEMBER, member_id).text);
    struct member *member = ARENA_NEW(call->arena, struct member);
    if (!member || !read_member(rows, 0, call->arena, member))
        return fault_set_no_memory(call->fault);
    *ret_member = member;
    return STATUS_OK;
}

// ---- parameters ----

static void init_params(struct db_params *params, const struct app_call *call, struct uuid member_id) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid(params, member_id);
}

static void init_draft(struct db_params *params, const struct app_call *call, struct uuid member_id,
                       const struct member_draft *draft) {
    init_params(params, call, member_id);
    db_params_add_text(params, bytes_of_text(draft->email));
    db_params_add_text(params, bytes_of_text(draft->display_name));
    db_params_add_text(params, bytes_of_text(draft->issuer));
    db_params_add_text(params, bytes_of_text(draft->subject));
    db_params_add_text(params, bytes_of_text(draft->external_id));
    db_params_add_prefix_array(params, draft->allowed_ips.prefixes, draft->allowed_ips.count);
}

static void init_roles(struct db_params *params, const struct app_call *call, struct uuid member_id,
                       const struct role_ids *roles) {
    init_params(params, call, member_id);
    db_params_add_uuid_array(params, roles->ids, roles->count);
}

// ---- public ----

static enum status tell_failure(struct app_call *call, const struct member_draft *draft, enum status status) {
    const char *constraint = db_get_error(call->transaction)->constraint;
    if (status != STATUS_ALREADY_EXISTS)
        return db_fault(call->fault, status);
    if (strcmp(constraint, "member_email_key") == 0)
        return fault_set(call->fault, status, "EMAIL_IN_USE", "another member has the e-mail address %s",
                         draft->email);
    if (strcmp(constraint, "member_subject_key") == 0)
        return fault_set(call->fault, status, "SUBJECT_IN_USE",
                         "another member is the person %s of the identity provider %s", draft->subject,
                         draft->issuer);
    return fault_set(call->fault, status, "EXTERNAL_ID_IN_USE", "another member has the external_id %s",
                     draft->external_id);
}

enum status member_store_create(struct app_call *call, struct uuid member_id,
                                const struct member_draft *draft, struct member **ret_member) {
    struct db_params member, roles, find;
    const char *author = app_call_get_author(call);
    if (!author)
        return fault_set_no_memory(call->fault);
    init_draft(&member, call, member_id, draft);
    db_params_add_text(&member, bytes_of_text(author));
    init_roles(&roles, call, member_id, &draft->roles);
    init_params(&find, call, member_id);
    struct db_command commands[] = {{&statements[CREATE], &member, NULL},
                                    {&statements[ADD_ROLES], &roles, NULL},
                                    {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return tell_failure(call, draft, status);
    return read_found(call, commands[2].result, member_id, ret_member);
}

struct db_command member_store_look_for(const struct app_call *call, struct uuid member_id,
                                        struct db_params *params) {
    init_params(params, call, member_id);
    return (struct db_command){&statements[FIND], params, NULL};
}

enum status member_store_read(struct app_call *call, const struct db_command *look, struct uuid member_id,
                              struct member **ret_member) {
    return read_found(call, look->result, member_id, ret_member);
}

enum status member_store_find(struct app_call *call, struct uuid member_id, struct member **ret_member) {
    struct db_params params;
    struct db_command look = member_store_look_for(call, member_id, &params);
    enum status status = db_query_batch(call->transaction, &look, 1);
    return status == STATUS_OK ? member_store_read(call, &look, member_id, ret_member)
                               : db_fault(call->fault, status);
}

enum status member_store_update(struct app_call *call, struct uuid member_id,
                                const struct member_draft *draft, struct member **ret_member) {
    struct db_params member, roles, find;
    init_draft(&member, call, member_id, draft);
    init_roles(&roles, call, member_id, &draft->roles);
    init_params(&find, call, member_id);
    struct db_command commands[] = {{&statements[UPDATE], &member, NULL},
                                    {&statements[DROP_ROLES], &roles, NULL},
                                    {&statements[ADD_ROLES], &roles, NULL},
                                    {&statements[FIND], &find, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return tell_failure(call, draft, status);
    return read_found(call, commands[3].result, member_id, ret_member);
}

enum status member_store_remove(struct app_call *call, struct uuid member_id, const struct uuid *heir_id,
                                struct member **ret_member) {
    struct db_params unreachable, tokens, logins, member, roles, find;
    struct db_command commands[6];
    size_t count = 0;
    init_params(&member, call, member_id);
    db_params_add_time_ms(&member, call->now_ms);
    init_roles(&roles, call, member_id, &(struct role_ids){0});
    init_params(&find, call, member_id);
    if (heir_id) {
        commands[count++] = member_tokens_end_unreachable(call, member_id, *heir_id, &unreachable);
        commands[count++] = member_tokens_move_access(call, member_id, *heir_id, &tokens);
    } else {
        commands[count++] = member_tokens_end_access(call, member_id, &tokens);
    }
    commands[count++] = member_tokens_end_logins(call, member_id, &logins);
    commands[count++] = (struct db_command){&statements[REMOVE], &member, NULL};
    commands[count++] = (struct db_command){&statements[DROP_ROLES], &roles, NULL};
    commands[count++] = (struct db_command){&statements[FIND], &find, NULL};
    enum status status = db_query_batch(call->transaction, commands, count);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return read_found(call, commands[count - 1].result, member_id, ret_member);
}

static void init_list(struct db_params *params, const struct app_call *call,
                      const struct member_filter *filter, struct uuid after, int32_t limit) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_int64(params, limit);
    db_params_add_uuid_or_null(params, after);
    db_params_add_int16(params, (int16_t)filter->state);
    db_params_add_text(params, filter->name_contains);
    db_params_add_uuid_or_null(params, filter->role_id);
    db_params_add_text(params, filter->external_id);
}

enum status member_store_list(struct app_call *call, const struct member_filter *filter, struct uuid after,
                              int32_t limit, struct member_list *ret_list) {
    struct db_params params;
    init_list(&params, call, filter, after, limit + 1); // one more tells whether there is another page
    struct db_command commands[] = {{&statements[PLAN_AFRESH], NULL, NULL},
                                    {&statements[LIST], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);

    const struct db_result *rows = commands[1].result;
    int row_count = db_result_get_row_count(rows);
    struct member_list list = {.count = (size_t)(row_count < limit ? row_count : limit)};
    list.has_more = row_count > 0 && db_result_get_int64(rows, 0, FOUND) > (int64_t)list.count;
    list.members = ARENA_NEW_ARRAY(call->arena, struct member, list.count);
    if (!list.members)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        if (!read_member(rows, (int)i, call->arena, &list.members[i]))
            return fault_set_no_memory(call->fault);
    *ret_list = list;
    return STATUS_OK;
}
