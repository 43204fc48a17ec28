#include "services/invitation/invitation_store.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/row_list.h"

enum {
    CHECK_EMAILS,
    FREE_EMAILS,
    INSERT,
    FIND,
    LOCK,
    LIST,
    HAS_MEMBER,
    RESEND,
    DEACTIVATE,
    DEACTIVATE_OF_AUTHOR,
    ACCEPT,
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

// The links of an earlier generation than the invitation is of from now on, $3.
#define WITH_LINKS_FORGOTTEN                                                              \
    "WITH forgotten AS (DELETE FROM latchkey.invitation_secret s WHERE s.company_id = $1" \
    " AND s.invitation_id = $2 AND s.generation < $3) "

// invitation_state_of() in SQL; $2 = now.
#define STATE \
    "CASE i.state WHEN 'p' THEN CASE WHEN i.expires_at > $2 THEN 1 ELSE 3 END WHEN 'a' THEN 2 ELSE 4 END"

static const struct db_statement statements[] = {
    [CHECK_EMAILS] =
        {"invitation_check_emails",
         "SELECT " IS_ACTIVE_MEMBER(
             "e.email") ", EXISTS (SELECT FROM latchkey.invitation i"
                        " WHERE i.company_id = $1 AND lower(i.email) = lower(e.email) AND i.holds_email"
                        " AND i.expires_at > $3), min(n) OVER (PARTITION BY lower(e.email))"
                        " FROM unnest($2::text[]) WITH ORDINALITY AS e (email, n) ORDER BY n"},
    [FREE_EMAILS] = {"invitation_free_emails",
                     "UPDATE latchkey.invitation i SET holds_email = false WHERE i.company_id = $1"
                     " AND lower(i.email) = ANY (ARRAY(SELECT lower(email) FROM unnest($2::text[]) AS email))"
                     " AND i.holds_email AND i.expires_at <= $3"},
    // Roles ($5) and prefixes ($7) of all in one row each, with the number of the invitation they belong to.
    [INSERT] = {"invitation_insert",
                "INSERT INTO latchkey.invitation (company_id, email, invitation_id, role_ids, allowed_ips,"
                " expires_at, created_at, created_by) SELECT $1, e.email, e.invitation_id,"
                " coalesce(r.role_ids, '{}'), coalesce(p.prefixes, '{}'), $9, $3, $10"
                " FROM unnest($2::text[], $4::uuid[]) WITH ORDINALITY AS e (email, invitation_id, n)"
                " LEFT JOIN (SELECT n, array_agg(role_id ORDER BY place) AS role_ids"
                " FROM unnest($5::uuid[], $6::bigint[]) WITH ORDINALITY AS given (role_id, n, place)"
                " GROUP BY n) AS r USING (n)"
                " LEFT JOIN (SELECT n, array_agg(prefix ORDER BY place) AS prefixes"
                " FROM unnest($7::cidr[], $8::bigint[]) WITH ORDINALITY AS given (prefix, n, place)"
                " GROUP BY n) AS p USING (n) WHERE NOT " IS_ACTIVE_MEMBER(
                    "e.email") " ON CONFLICT"
                               " (company_id, lower(email)) WHERE holds_email DO NOTHING"},
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
    [HAS_MEMBER] = {"invitation_has_member",
                    "SELECT " IS_ACTIVE_MEMBER(
                        "i.email") " FROM latchkey.invitation i"
                                   " WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [RESEND] = {"invitation_resend",
                WITH_LINKS_FORGOTTEN "UPDATE latchkey.invitation i SET state = 'p', holds_email = true,"
                                     " generation = $3, expires_at = $4, resent_count = $5, resent_at = $6"
                                     " WHERE i.company_id = $1 AND i.invitation_id = $2"},
    [DEACTIVATE] = {"invitation_deactivate",
                    WITH_LINKS_FORGOTTEN "UPDATE latchkey.invitation i SET state = 'd', holds_email = false,"
                                         " generation = $3 WHERE i.company_id = $1 AND i.invitation_id = $2"},
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

static enum status tell_member(struct app_call *call, const char *email) {
    return fault_set(call->fault, STATUS_ALREADY_EXISTS, "MEMBER_EXISTS",
                     "a member of the company has the address %s", email);
}

enum status invitation_store_tell_pending(struct app_call *call, const char *email) {
    return fault_set(call->fault, STATUS_ALREADY_EXISTS, "INVITATION_PENDING",
                     "%s is invited already; resend that invitation, or deactivate it first", email);
}

// $1 to $3 of all that create.
static void init_emails(struct db_params *params, const struct app_call *call, const struct bytes *emails,
                        size_t count) {
    init_params(params, call);
    db_params_add_text_array(params, emails, count);
    db_params_add_time_ms(params, call->now_ms);
}

struct db_command invitation_store_look_for_emails(const struct app_call *call, const struct bytes *emails,
                                                   size_t count, struct db_params *params) {
    init_emails(params, call, emails, count);
    return (struct db_command){&statements[CHECK_EMAILS], params, NULL};
}

enum status invitation_store_check_email(struct app_call *call, const struct db_command *look, size_t i,
                                         const char *email) {
    if (db_result_get_bool(look->result, (int)i, 0))
        return tell_member(call, email);
    return db_result_get_bool(look->result, (int)i, 1) ? invitation_store_tell_pending(call, email)
                                                       : STATUS_OK;
}

size_t invitation_store_get_first_alike(const struct db_command *look, size_t i) {
    return (size_t)db_result_get_int64(look->result, (int)i, 2) - 1;
}

// What the invitations have several of, one after the other, each with the number of its invitation from 1.
struct flat_lists {
    struct bytes *emails;
    struct uuid *ids, *roles;
    struct ip_prefix *prefixes;
    int64_t *role_owners, *prefix_owners;
    size_t role_count, prefix_count;
};

static bool init_flat_lists(struct flat_lists *flat, const struct invitation *invitations, size_t count,
                            struct arena *arena) {
    *flat = (struct flat_lists){0};
    for (size_t i = 0; i < count; i++) {
        flat->role_count += invitations[i].role_count;
        flat->prefix_count += invitations[i].ips.count;
    }
    flat->emails = ARENA_NEW_ARRAY(arena, struct bytes, count);
    flat->ids = ARENA_NEW_ARRAY(arena, struct uuid, count);
    flat->roles = ARENA_NEW_ARRAY(arena, struct uuid, flat->role_count);
    flat->role_owners = ARENA_NEW_ARRAY(arena, int64_t, flat->role_count);
    flat->prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, flat->prefix_count);
    flat->prefix_owners = ARENA_NEW_ARRAY(arena, int64_t, flat->prefix_count);
    return flat->emails && flat->ids && flat->roles && flat->role_owners && flat->prefixes &&
           flat->prefix_owners;
}

static void fill_flat_lists(struct flat_lists *flat, const struct invitation *invitations, size_t count) {
    size_t roles = 0, prefixes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct invitation *invitation = &invitations[i];
        flat->emails[i] = bytes_of_text(invitation->email);
        flat->ids[i] = invitation->invitation_id;
        for (size_t j = 0; j < invitation->role_count; j++, roles++) {
            flat->roles[roles] = invitation->role_ids[j];
            flat->role_owners[roles] = (int64_t)i + 1;
        }
        for (size_t j = 0; j < invitation->ips.count; j++, prefixes++) {
            flat->prefixes[prefixes] = invitation->ips.prefixes[j];
            flat->prefix_owners[prefixes] = (int64_t)i + 1;
        }
    }
}

static void add_flat_lists(struct db_params *params, const struct flat_lists *flat, size_t count) {
    db_params_add_uuid_array(params, flat->ids, count);
    db_params_add_uuid_array(params, flat->roles, flat->role_count);
    db_params_add_int64_array(params, flat->role_owners, flat->role_count);
    db_params_add_prefix_array(params, flat->prefixes, flat->prefix_count);
    db_params_add_int64_array(params, flat->prefix_owners, flat->prefix_count);
}

enum status invitation_store_create(struct app_call *call, const struct invitation *invitations, size_t count,
                                    struct db_command mails) {
    struct flat_lists flat;
    struct db_params free_emails, insert;
    if (!init_flat_lists(&flat, invitations, count, call->arena))
        return fault_set_no_memory(call->fault);
    fill_flat_lists(&flat, invitations, count);
    init_emails(&free_emails, call, flat.emails, count);
    init_emails(&insert, call, flat.emails, count);
    add_flat_lists(&insert, &flat, count);
    db_params_add_time_ms(&insert, invitations[0].expires_at_ms);
    db_params_add_text(&insert, bytes_of_text(invitations[0].created_by));
    struct db_command commands[] = {
        {&statements[FREE_EMAILS], &free_emails, NULL}, {&statements[INSERT], &insert, NULL}, mails};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    return db_result_get_affected_count(commands[1].result) == (int64_t)count ? STATUS_OK : STATUS_ABORTED;
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

static struct db_command look_for(const struct app_call *call, int statement, struct uuid invitation_id,
                                  struct db_params *params) {
    init_params(params, call);
    db_params_add_uuid(params, invitation_id);
    return (struct db_command){&statements[statement], params, NULL};
}

struct db_command invitation_store_look_locking(const struct app_call *call, struct uuid invitation_id,
                                                struct db_params *params) {
    return look_for(call, LOCK, invitation_id, params);
}

enum status invitation_store_read(struct app_call *call, const struct db_command *look,
                                  struct uuid invitation_id, struct invitation **ret_invitation) {
    return read_found(call, look->result, invitation_id, ret_invitation);
}

struct db_command invitation_store_look_for_member(const struct app_call *call, struct uuid invitation_id,
                                                   struct db_params *params) {
    return look_for(call, HAS_MEMBER, invitation_id, params);
}

enum status invitation_store_check_member(struct app_call *call, const struct db_command *look,
                                          const struct invitation *invitation) {
    return db_result_get_bool(look->result, 0, 0) ? tell_member(call, invitation->email) : STATUS_OK;
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

enum status invitation_store_resend(struct app_call *call, const struct invitation *invitation,
                                    struct db_command *mail) {
    struct db_params params;
    init_change(&params, call, invitation);
    db_params_add_int32(&params, invitation->generation);
    db_params_add_time_ms(&params, invitation->expires_at_ms);
    db_params_add_int32(&params, invitation->resent_count);
    db_params_add_time_ms(&params, invitation->resent_at_ms);
    struct db_command commands[] = {{&statements[RESEND], &params, NULL}, *mail};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status == STATUS_ALREADY_EXISTS)
        return invitation_store_tell_pending(call, invitation->email);
    *mail = commands[1];
    return db_fault(call->fault, status);
}

enum status invitation_store_deactivate(struct app_call *call, const struct invitation *invitation) {
    struct db_params *params = ARENA_NEW(call->arena, struct db_params);
    if (!params)
        return fault_set_no_memory(call->fault);
    init_change(params, call, invitation);
    db_params_add_int32(params, invitation->generation);
    db_add_last(call->transaction, &statements[DEACTIVATE], params);
    return STATUS_OK;
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
    struct db_params *params = ARENA_NEW(call->arena, struct db_params);
    if (!params)
        return fault_set_no_memory(call->fault);
    init_change(params, call, invitation);
    db_params_add_time_ms(params, invitation->accepted_at_ms);
    db_params_add_uuid_or_null(params, invitation->accepted_by);
    db_params_add_uuid(params, invitation->member_id);
    db_add_last(call->transaction, &statements[ACCEPT], params);
    return STATUS_OK;
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

// Each statement sees what was committed before it: those behind the first what happened while that waited.
enum status invitation_store_lock_by_secret(struct app_call *call, struct uuid invitation_id,
                                            const struct digest *digest, struct db_command *roles,
                                            struct invitation **ret_invitation) {
    struct db_params lock, has;
    init_params(&has, call);
    db_params_add_uuid(&has, invitation_id);
    db_params_add_bytes(&has, bytes_of(digest->bytes, DIGEST_LENGTH));
    struct db_command commands[] = {
        look_for(call, LOCK, invitation_id, &lock), {&statements[HAS_SECRET], &has, NULL}, *roles};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    *ret_invitation = NULL;
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *roles = commands[2];
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
