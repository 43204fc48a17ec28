#include "services/invitation/invitation_store.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/row_list.h"

enum {
    IS_MEMBER,
    FREE_EMAIL,
    INSERT,
    FIND,
    LOCK,
    LIST,
    RESEND,
    DEACTIVATE,
    DEACTIVATE_OF_AUTHOR,
    ACCEPT,
    FORGET_SECRETS,
    ADD_SECRET,
    FIND_BY_SECRET,
    HAS_SECRET,
    FIND_COMPANY_NAME,
};

// Columns of everything that reads invitations, in the order of the enum below. $1 = company.
#define COLUMNS                                                                                            \
    "i.invitation_id, i.email, i.role_ids, i.allowed_ips, i.state, i.generation, i.expires_at,"            \
    " i.resent_count, i.resent_at, i.accepted_at, i.accepted_by, i.member_id, i.created_at, i.created_by," \
    " mail.state, coalesce(mail.outcome, '')"

#define LATEST_MAIL                                                                        \
    " LEFT JOIN LATERAL (SELECT m.state, m.outcome FROM latchkey.mail_outbox m"            \
    " WHERE m.company_id = $1 AND m.object_id = i.invitation_id AND m.kind = 'invitation'" \
    " ORDER BY m.mail_id DESC LIMIT 1) AS mail ON true"

#define IS_ACTIVE_MEMBER(email)                                                                           \
    "EXISTS (SELECT FROM latchkey.member m WHERE m.company_id = $1 AND lower(m.email) = lower(" email ")" \
    " AND m.removed_at IS NULL)"

// invitation_state_of() in SQL; $2 = now.
#define STATE \
    "CASE i.state WHEN 'p' THEN CASE WHEN i.expires_at > $2 THEN 1 ELSE 3 END WHEN 'a' THEN 2 ELSE 4 END"

static const struct db_statement statements[] = {
    [IS_MEMBER] = {"invitation_is_member", "SELECT " IS_ACTIVE_MEMBER("$2")},
    [FREE_EMAIL] = {"invitation_free_email",
                    "UPDATE latchkey.invitation i SET holds_email = false WHERE i.company_id = $1"
                    " AND lower(i.email) = lower($2) AND i.holds_email AND i.expires_at <= $3"},
    [INSERT] = {"invitation_insert",
                "INSERT INTO latchkey.invitation (company_id, email, invitation_id, role_ids, allowed_ips,"
                " expires_at, created_at, created_by) SELECT $1, $2, $3, $4, $5, $6, $7, $8"
                " WHERE NOT " IS_ACTIVE_MEMBER(
                    "$2") " ON CONFLICT (company_id, lower(email)) WHERE holds_email DO NOTHING"},
    [FIND] = {"invitation_find_one", "SELECT " COLUMNS " FROM latchkey.invitation i" LATEST_MAIL
                                     " WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [LOCK] = {"invitation_lock", "SELECT " COLUMNS " FROM latchkey.invitation i" LATEST_MAIL
                                 " WHERE i.company_id = $1 AND i.invitation_id = $2 FOR UPDATE OF i"},
    // A page ends early where the lists in it are long: 20 000 roles and addresses, and one more invitation.
    [LIST] = {"invitation_list",
              "SELECT " COLUMNS ", i.found FROM ("
              "SELECT i.*, count(*) OVER () AS found, cardinality(i.allowed_ips) + cardinality(i.role_ids)"
              " AS items, sum(cardinality(i.allowed_ips) + cardinality(i.role_ids))"
              " OVER (ORDER BY i.invitation_id DESC) AS items_so_far FROM ("
              "SELECT i.* FROM latchkey.invitation i WHERE i.company_id = $1"
              " AND ($4::uuid IS NULL OR i.invitation_id < $4) AND ($5::smallint = 0 OR $5 = " STATE ")"
              " ORDER BY i.invitation_id DESC LIMIT $3) AS i) AS i" LATEST_MAIL
              " WHERE i.items_so_far - i.items <= 20000 ORDER BY i.invitation_id DESC"},
    [RESEND] = {"invitation_resend",
                "UPDATE latchkey.invitation i SET state = 'p', holds_email = true, generation = $3,"
                " expires_at = $4, resent_count = $5, resent_at = $6"
                " WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [DEACTIVATE] = {"invitation_deactivate",
                    "UPDATE latchkey.invitation i SET state = 'd', holds_email = false, generation = $3"
                    " WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [DEACTIVATE_OF_AUTHOR] =
        {"invitation_deactivate_of_author",
         "WITH ended AS (UPDATE latchkey.invitation i SET state = 'd', holds_email = false,"
         " generation = i.generation + 1 WHERE i.company_id = $1 AND i.created_by = $2 AND i.state = 'p'"
         " AND i.holds_email AND i.expires_at > $3 RETURNING i.invitation_id),"
         " forgotten AS (DELETE FROM latchkey.invitation_secret s USING ended e"
         " WHERE s.company_id = $1 AND s.invitation_id = e.invitation_id)"
         " SELECT count(*) FROM ended"},
    [ACCEPT] = {"invitation_accept",
                "UPDATE latchkey.invitation i SET state = 'a', holds_email = false, accepted_at = $3,"
                " accepted_by = $4, member_id = $5 WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [FORGET_SECRETS] = {"invitation_forget_secrets",
                        "DELETE FROM latchkey.invitation_secret s WHERE s.company_id = $1"
                        " AND s.invitation_id = $2 AND s.generation < $3"},
    [ADD_SECRET] = {"invitation_add_secret",
                    "INSERT INTO latchkey.invitation_secret (company_id, invitation_id, generation, digest)"
                    " VALUES ($1, $2, $3, $4)"},
    [FIND_BY_SECRET] = {"invitation_find_by_secret",
                        "SELECT company_id, invitation_id, company_name, email, expires_at"
                        " FROM latchkey.invitation_find($1, $2)"},
    [HAS_SECRET] = {"invitation_has_secret",
                    "SELECT FROM latchkey.invitation_secret s WHERE s.company_id = $1"
                    " AND s.invitation_id = $2 AND s.digest = $3"},
    [FIND_COMPANY_NAME] =
        {"invitation_find_company_name",
         "SELECT c.name FROM latchkey.company c WHERE c.company_id = $1 AND NOT c.suspended"},
};

// Columns of COLUMNS, and of LIST one more.
enum {
    INVITATION_ID,
    EMAIL,
    ROLE_IDS,
    ALLOWED_IPS,
    STATE_STORED,
    GENERATION,
    EXPIRES_AT,
    RESENT_COUNT,
    RESENT_AT,
    ACCEPTED_AT,
    ACCEPTED_BY,
    MEMBER_ID,
    CREATED_AT,
    CREATED_BY,
    MAIL_STATE,
    MAIL_OUTCOME,
    FOUND,
};

static void init_params(struct db_params *params, const struct app_call *call) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
}

static enum status query(struct app_call *call, int statement, const struct db_params *params,
                         const struct db_result **ret_rows) {
    return db_fault(call->fault, db_query(call->transaction, &statements[statement], params, ret_rows));
}

// ---- from a row to an invitation ----

static bool read_invitation(const struct app_call *call, const struct db_result *rows, int row,
                            struct invitation *ret) {
    struct arena *arena = call->arena;
    bool has_mail = !db_result_is_null(rows, row, MAIL_STATE);
    int64_t expires_at_ms = db_result_get_time_ms(rows, row, EXPIRES_AT);
    *ret = (struct invitation){
        .invitation_id = db_result_get_uuid(rows, row, INVITATION_ID),
        .email = db_result_copy_text(rows, row, EMAIL, arena),
        .state =
            invitation_state_of(db_result_get_char(rows, row, STATE_STORED), expires_at_ms, call->now_ms),
        .generation = db_result_get_int32(rows, row, GENERATION),
        .delivery = has_mail ? db_result_get_char(rows, row, MAIL_STATE) : '\0',
        .delivery_detail = db_result_copy_text(rows, row, MAIL_OUTCOME, arena),
        .expires_at_ms = expires_at_ms,
        .resent_count = db_result_get_int32(rows, row, RESENT_COUNT),
        .resent_at_ms = db_result_get_time_ms_or(rows, row, RESENT_AT, CLOCK_ALWAYS_MS),
        .accepted_at_ms = db_result_get_time_ms_or(rows, row, ACCEPTED_AT, CLOCK_ALWAYS_MS),
        .accepted_by = db_result_get_uuid_or_zero(rows, row, ACCEPTED_BY),
        .member_id = db_result_get_uuid_or_zero(rows, row, MEMBER_ID),
        .created_at_ms = db_result_get_time_ms(rows, row, CREATED_AT),
        .created_by = db_result_copy_text(rows, row, CREATED_BY, arena),
    };
    return ret->email && ret->delivery_detail && ret->created_by &&
           db_row_copy_uuids(rows, row, ROLE_IDS, arena, &ret->role_ids, &ret->role_count) &&
           db_row_copy_prefixes(rows, row, ALLOWED_IPS, arena, &ret->ips);
}

// The row of FIND or LOCK.
static enum status read_found(struct app_call *call, const struct db_result *rows, struct uuid invitation_id,
                              struct invitation **ret_invitation) {
    if (db_result_get_row_count(rows) == 0)
        return fault_set(call->fault, STATUS_NOT_FOUND, "INVITATION_NOT_FOUND", "there is no invitation %s",
                         typeid_of(TYPEID_INVITATION, invitation_id).text);
    struct invitation *invitation = ARENA_NEW(call->arena, struct invitation);
    if (!invitation || !read_invitation(call, rows, 0, invitation))
        return fault_set_no_memory(call->fault);
    *ret_invitation = invitation;
    return STATUS_OK;
}

static enum status find(struct app_call *call, int statement, struct uuid invitation_id,
                        struct invitation **ret_invitation) {
    struct db_params params;
    const struct db_result *rows;
    init_params(&params, call);
    db_params_add_uuid(&params, invitation_id);
    enum status status = query(call, statement, &params, &rows);
    return status == STATUS_OK ? read_found(call, rows, invitation_id, ret_invitation) : status;
}

// ---- creating ----

static enum status refuse_email(struct app_call *call, bool is_member, const char *email) {
    if (is_member)
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "MEMBER_EXISTS",
                         "a member of the company has the address %s", email);
    return fault_set(call->fault, STATUS_ALREADY_EXISTS, "INVITATION_PENDING",
                     "%s is invited already; resend that invitation, or deactivate it first", email);
}

enum status invitation_store_create(struct app_call *call, const struct invitation *invitation) {
    struct db_params params[INSERT + 1];
    struct db_command commands[INSERT + 1];
    for (int i = IS_MEMBER; i <= INSERT; i++) {
        init_params(&params[i], call);
        db_params_add_text(&params[i], bytes_of_text(invitation->email));
        commands[i] = (struct db_command){&statements[i], &params[i], NULL};
    }
    db_params_add_time_ms(&params[FREE_EMAIL], call->now_ms);
    db_params_add_uuid(&params[INSERT], invitation->invitation_id);
    db_params_add_uuid_array(&params[INSERT], invitation->role_ids, invitation->role_count);
    db_params_add_prefix_array(&params[INSERT], invitation->ips.prefixes, invitation->ips.count);
    db_params_add_time_ms(&params[INSERT], invitation->expires_at_ms);
    db_params_add_time_ms(&params[INSERT], invitation->created_at_ms);
    db_params_add_text(&params[INSERT], bytes_of_text(invitation->created_by));

    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_affected_count(commands[INSERT].result) == 0)
        return refuse_email(call, db_result_get_bool(commands[IS_MEMBER].result, 0, 0), invitation->email);
    return STATUS_OK;
}

// ---- reading ----

enum status invitation_store_find(struct app_call *call, struct uuid invitation_id,
                                  struct invitation **ret_invitation) {
    return find(call, FIND, invitation_id, ret_invitation);
}

enum status invitation_store_lock(struct app_call *call, struct uuid invitation_id,
                                  struct invitation **ret_invitation) {
    return find(call, LOCK, invitation_id, ret_invitation);
}

static enum status read_list(struct app_call *call, const struct db_result *rows, int32_t limit,
                             struct invitation_list *ret_list) {
    int found = db_result_get_row_count(rows);
    struct invitation_list list = {.count = (size_t)(found < limit ? found : limit)};
    list.invitations = ARENA_NEW_ARRAY(call->arena, struct invitation, list.count);
    if (!list.invitations)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < list.count; i++)
        if (!read_invitation(call, rows, (int)i, &list.invitations[i]))
            return fault_set_no_memory(call->fault);
    list.has_more = list.count > 0 && db_result_get_int64(rows, 0, FOUND) > (int64_t)list.count;
    *ret_list = list;
    return STATUS_OK;
}

enum status invitation_store_list(struct app_call *call, enum invitation_state state, struct uuid after,
                                  int32_t limit, struct invitation_list *ret_list) {
    struct db_params params;
    const struct db_result *rows;
    init_params(&params, call);
    db_params_add_time_ms(&params, call->now_ms);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    db_params_add_uuid_or_null(&params, after);
    db_params_add_int16(&params, (int16_t)state);
    enum status status = query(call, LIST, &params, &rows);
    return status == STATUS_OK ? read_list(call, rows, limit, ret_list) : status;
}

// ---- moving ----

// $2 and $3 of all that change one.
static void init_change(struct db_params *params, const struct app_call *call,
                        const struct invitation *invitation) {
    init_params(params, call);
    db_params_add_uuid(params, invitation->invitation_id);
}

static enum status forget_secrets(struct app_call *call, const struct invitation *invitation) {
    struct db_params params;
    init_change(&params, call, invitation);
    db_params_add_int32(&params, invitation->generation);
    return query(call, FORGET_SECRETS, &params, NULL);
}

static enum status require_no_member(struct app_call *call, const char *email) {
    struct db_params params;
    const struct db_result *row;
    init_params(&params, call);
    db_params_add_text(&params, bytes_of_text(email));
    enum status status = query(call, IS_MEMBER, &params, &row);
    if (status != STATUS_OK || !db_result_get_bool(row, 0, 0))
        return status;
    return refuse_email(call, true, email);
}

enum status invitation_store_resend(struct app_call *call, const struct invitation *invitation) {
    struct db_params params;
    enum status status = require_no_member(call, invitation->email);
    if (status != STATUS_OK)
        return status;
    init_change(&params, call, invitation);
    db_params_add_int32(&params, invitation->generation);
    db_params_add_time_ms(&params, invitation->expires_at_ms);
    db_params_add_int32(&params, invitation->resent_count);
    db_params_add_time_ms(&params, invitation->resent_at_ms);
    status = db_query(call->transaction, &statements[RESEND], &params, NULL);
    if (status == STATUS_ALREADY_EXISTS)
        return refuse_email(call, false, invitation->email);
    return status == STATUS_OK ? forget_secrets(call, invitation) : db_fault(call->fault, status);
}

enum status invitation_store_deactivate(struct app_call *call, const struct invitation *invitation) {
    struct db_params params;
    init_change(&params, call, invitation);
    db_params_add_int32(&params, invitation->generation);
    enum status status = query(call, DEACTIVATE, &params, NULL);
    return status == STATUS_OK ? forget_secrets(call, invitation) : status;
}

enum status invitation_store_deactivate_of_author(struct app_call *call, const char *author,
                                                  int64_t *ret_count) {
    struct db_params params;
    const struct db_result *row;
    init_params(&params, call);
    db_params_add_text(&params, bytes_of_text(author));
    db_params_add_time_ms(&params, call->now_ms);
    enum status status = query(call, DEACTIVATE_OF_AUTHOR, &params, &row);
    if (status == STATUS_OK)
        *ret_count = db_result_get_int64(row, 0, 0);
    return status;
}

enum status invitation_store_accept(struct app_call *call, const struct invitation *invitation) {
    struct db_params params;
    init_change(&params, call, invitation);
    db_params_add_time_ms(&params, invitation->accepted_at_ms);
    db_params_add_uuid_or_null(&params, invitation->accepted_by);
    db_params_add_uuid(&params, invitation->member_id);
    return query(call, ACCEPT, &params, NULL);
}

// ---- links ----

enum status invitation_store_add_secret(struct app_call *call, const struct invitation *invitation,
                                        const struct digest *digest) {
    struct db_params params;
    init_change(&params, call, invitation);
    db_params_add_int32(&params, invitation->generation);
    db_params_add_bytes(&params, bytes_of(digest->bytes, DIGEST_LENGTH));
    return query(call, ADD_SECRET, &params, NULL);
}

enum status invitation_store_find_by_secret(struct app_call *call, const struct digest *digest,
                                            struct uuid request_id, struct invitation_found **ret_found) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_bytes(&params, bytes_of(digest->bytes, DIGEST_LENGTH));
    db_params_add_uuid_or_null(&params, request_id);
    enum status status = query(call, FIND_BY_SECRET, &params, &row);
    *ret_found = NULL;
    if (status != STATUS_OK || db_result_get_row_count(row) == 0)
        return status;
    struct invitation_found *found = ARENA_NEW(call->arena, struct invitation_found);
    if (!found)
        return fault_set_no_memory(call->fault);
    *found = (struct invitation_found){.company_id = db_result_get_uuid(row, 0, 0),
                                       .invitation_id = db_result_get_uuid(row, 0, 1),
                                       .company_name = db_result_copy_text(row, 0, 2, call->arena),
                                       .email = db_result_copy_text(row, 0, 3, call->arena),
                                       .expires_at_ms = db_result_get_time_ms(row, 0, 4)};
    if (!found->company_name || !found->email)
        return fault_set_no_memory(call->fault);
    *ret_found = found;
    return STATUS_OK;
}

// Each statement sees what was committed before it: the second one what happened while the first one waited.
enum status invitation_store_lock_by_secret(struct app_call *call, struct uuid invitation_id,
                                            const struct digest *digest, struct invitation **ret_invitation) {
    struct db_params lock, has;
    init_params(&lock, call);
    db_params_add_uuid(&lock, invitation_id);
    init_params(&has, call);
    db_params_add_uuid(&has, invitation_id);
    db_params_add_bytes(&has, bytes_of(digest->bytes, DIGEST_LENGTH));
    struct db_command commands[] = {{&statements[LOCK], &lock, NULL}, {&statements[HAS_SECRET], &has, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    *ret_invitation = NULL;
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_row_count(commands[1].result) == 0)
        return STATUS_OK;
    return read_found(call, commands[0].result, invitation_id, ret_invitation);
}

enum status invitation_store_find_company_name(struct app_call *call, const char **ret_name) {
    struct db_params params;
    const struct db_result *row;
    init_params(&params, call);
    enum status status = query(call, FIND_COMPANY_NAME, &params, &row);
    *ret_name = NULL;
    if (status != STATUS_OK || db_result_get_row_count(row) == 0)
        return status;
    *ret_name = db_result_copy_text(row, 0, 0, call->arena);
    return *ret_name ? STATUS_OK : fault_set_no_memory(call->fault);
}
