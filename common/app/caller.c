#include "common/app/caller.h"

#include <string.h>

#include "common/app/caller_claim.h"
#include "common/app/ip_rows.h"
#include "common/app/refusal.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/db/array.h"
#include "common/db/row_list.h"
#include "common/ip/prefix_list.h"

#define LOGINS_CREATE "latchkey.logins.create"

enum { FIND_CALLER, LOOK_AGAIN, FIND_COMPANY };

#define CALLER_SQL                                                                               \
    "SELECT token_id, company_id, c.lane, member_id, kind, label, channels, permissions,"        \
    " allowed_domains, allowed_ips, not_before, expires_at, secret_expires_at, suspended,"       \
    " suspended_until, deactivated_at, company_suspended, company_is_operator, member_removed,"  \
    " member_email, member_allowed_ips, member_permissions, whitelist_enabled, whitelist_scope," \
    " matched, matched_expires_at, database_now, l.head, l.mark"                                 \
    " FROM latchkey.caller($1, $2) c CROSS JOIN latchkey.change_lane l WHERE l.lane = 64"

static const struct db_statement statements[] = {
    [FIND_CALLER] = {"caller_find", CALLER_SQL},
    [LOOK_AGAIN] = {"caller_look_again", CALLER_SQL},
    [FIND_COMPANY] = {"caller_find_company",
                      "SELECT lane, suspended FROM latchkey.company WHERE company_id = $1"},
};

// Columns of CALLER_SQL.
enum {
    TOKEN_ID,
    COMPANY_ID,
    LANE,
    MEMBER_ID,
    KIND,
    LABEL,
    CHANNELS,
    PERMISSIONS,
    ALLOWED_DOMAINS,
    ALLOWED_IPS,
    NOT_BEFORE,
    EXPIRES_AT,
    SECRET_EXPIRES_AT,
    SUSPENDED,
    SUSPENDED_UNTIL,
    DEACTIVATED_AT,
    COMPANY_SUSPENDED,
    COMPANY_IS_OPERATOR,
    MEMBER_REMOVED,
    MEMBER_EMAIL,
    MEMBER_ALLOWED_IPS,
    MEMBER_PERMISSIONS,
    WHITELIST_ENABLED,
    WHITELIST_SCOPE,
    MATCHED,
    MATCHED_EXPIRES_AT,
    DATABASE_NOW,
    DEPLOYMENT_HEAD,
    DEPLOYMENT_MARK,
};

// ---- from rows to the subject of a decision ----

// The set that the grants of a text[] stand for; grants that cover nothing any more are passed over.
static struct permission_set *read_grants(const struct db_result *row, int column,
                                          const struct permission_catalogue *catalogue, struct arena *arena) {
    struct permission_set *set =
        permission_set_new_in_arena(arena, permission_catalogue_get_limit(catalogue));
    struct db_array grants = db_result_get_array(row, 0, column, DB_TYPE_TEXT);
    struct bytes grant;
    while (set && db_array_next_text(&grants, &grant)) {
        bool covers_any = permission_catalogue_expand(catalogue, grant, set);
        (void)covers_any;
    }
    return set;
}

// What does not depend on lists of addresses.
static bool read_subject(struct caller *caller, const struct db_result *row, struct arena *arena) {
    struct access_subject *subject = &caller->subject;
    int64_t token_end_ms = db_result_get_time_ms_or(row, 0, EXPIRES_AT, CLOCK_NEVER_MS);
    int64_t secret_end_ms = db_result_get_time_ms_or(row, 0, SECRET_EXPIRES_AT, CLOCK_NEVER_MS);
    char kind = db_result_get_char(row, 0, KIND);
    *subject = (struct access_subject){
        .not_before_ms = db_result_get_time_ms_or(row, 0, NOT_BEFORE, CLOCK_ALWAYS_MS),
        .expires_at_ms = token_end_ms < secret_end_ms ? token_end_ms : secret_end_ms,
        .suspended_until_ms = db_result_get_time_ms_or(row, 0, SUSPENDED_UNTIL, CLOCK_NEVER_MS),
        .kind = kind == 'a'   ? TOKEN_KIND_ACCESS
                : kind == 'l' ? TOKEN_KIND_LOGIN
                              : TOKEN_KIND_NONE,
        .channels = (uint8_t)db_result_get_int16(row, 0, CHANNELS),
        .whitelist_scope = (uint8_t)db_result_get_int16(row, 0, WHITELIST_SCOPE),
        .is_company_suspended = db_result_get_bool(row, 0, COMPANY_SUSPENDED),
        .is_member_removed = db_result_get_bool(row, 0, MEMBER_REMOVED),
        .is_deactivated = !db_result_is_null(row, 0, DEACTIVATED_AT),
        .is_suspended = db_result_get_bool(row, 0, SUSPENDED),
        .is_whitelist_enabled = db_result_get_bool(row, 0, WHITELIST_ENABLED),
        .is_company_owned = db_result_is_null(row, 0, MEMBER_ID),
        .granted = read_grants(row, PERMISSIONS, caller->catalogue, arena),
    };
    if (!subject->is_company_owned) {
        subject->owner = read_grants(row, MEMBER_PERMISSIONS, caller->catalogue, arena);
        if (!subject->owner)
            return false;
    }
    return subject->granted != NULL;
}

static bool read_groups_of(const struct db_result *row, int column, struct arena *arena,
                           struct group_list *ret_list) {
    struct bytes *grants;
    size_t count;
    return db_row_copy_texts(row, 0, column, arena, &grants, &count) &&
           group_list_pick(grants, count, arena, ret_list);
}

// What the caller holds of permissions to come. A log-in has no grants of its own, a company's token no
// owner.
static bool read_groups(struct caller *caller, const struct db_result *row, struct arena *arena) {
    struct group_list granted, owners;
    if (caller->subject.is_company_owned)
        return read_groups_of(row, PERMISSIONS, arena, &caller->groups);
    if (caller->subject.kind == TOKEN_KIND_LOGIN)
        return read_groups_of(row, MEMBER_PERMISSIONS, arena, &caller->groups);
    return read_groups_of(row, PERMISSIONS, arena, &granted) &&
           read_groups_of(row, MEMBER_PERMISSIONS, arena, &owners) &&
           group_list_intersect(&granted, &owners, arena, &caller->groups);
}

static bool read_bounds(struct caller *caller, const struct db_result *row, struct arena *arena) {
    return ip_rows_read(row, 0, ALLOWED_IPS, arena, &caller->allowed_ips, &caller->allowed_ip_count) &&
           ip_rows_read(row, 0, MEMBER_ALLOWED_IPS, arena, &caller->member_ips, &caller->member_ip_count) &&
           db_row_copy_texts(row, 0, ALLOWED_DOMAINS, arena, &caller->allowed_domains,
                             &caller->allowed_domain_count) &&
           read_groups(caller, row, arena);
}

static struct caller *read_caller(const struct db_result *row, const struct permission_catalogue *catalogue,
                                  const struct caller_credentials *credentials, const char *permission,
                                  struct arena *arena) {
    struct caller *caller = ARENA_NEW(arena, struct caller);
    if (!caller)
        return NULL;
    *caller = (struct caller){
        .company_id = db_result_get_uuid(row, 0, COMPANY_ID),
        .lane = (uint8_t)db_result_get_int16(row, 0, LANE),
        .token_id = db_result_get_uuid(row, 0, TOKEN_ID),
        .member_id = db_result_get_uuid_or_zero(row, 0, MEMBER_ID),
        .home_company_id = db_result_get_uuid(row, 0, COMPANY_ID),
        .is_operator_company = db_result_get_bool(row, 0, COMPANY_IS_OPERATOR),
        .token_label = db_result_copy_text(row, 0, LABEL, arena),
        .member_email = db_result_copy_text(row, 0, MEMBER_EMAIL, arena),
        .digest = credentials->digest,
        .permission = permission,
        .address = credentials->address,
        .now_ms = db_result_get_time_ms(row, 0, DATABASE_NOW),
        .catalogue = catalogue,
    };
    bool is_read = caller->token_label && caller->member_email && read_subject(caller, row, arena) &&
                   read_bounds(caller, row, arena);
    return is_read ? caller : NULL;
}

// ---- the decision ----

// NULL, no restriction, where the list is empty.
static bool make_set(const struct ip_prefix *ips, size_t count, struct arena *arena,
                     const struct ip_set **ret_set) {
    *ret_set = NULL;
    return count == 0 || ip_rows_make_set(ips, NULL, count, arena, ret_set);
}

static bool read_sets(const struct caller *caller, const struct db_result *row, struct arena *arena,
                      struct access_subject *subject) {
    return ip_rows_read_matched(row, 0, MATCHED, arena, &subject->company_ips) &&
           make_set(caller->allowed_ips, caller->allowed_ip_count, arena, &subject->token_ips) &&
           make_set(caller->member_ips, caller->member_ip_count, arena, &subject->member_ips);
}

static enum status decide(const struct caller *caller, const struct db_result *row, struct arena *arena,
                          enum reason *ret_reason) {
    struct access_subject subject = caller->subject;
    if (!read_sets(caller, row, arena, &subject))
        return STATUS_NO_MEMORY;
    const char *permission = caller->permission;
    uint32_t wanted = permission ? permission_catalogue_find_id(caller->catalogue, bytes_of_text(permission))
                                 : PERMISSION_ID_NONE;
    *ret_reason = access_decide(&subject, &(struct access_request){.now_ms = caller->now_ms,
                                                                   .address = caller->address,
                                                                   .channel = CHANNEL_API,
                                                                   .permissions = &wanted,
                                                                   .permission_count = permission ? 1 : 0});
    return STATUS_OK;
}

// ---- acting for another company ----

// The right to make log-ins is one over companies by its nature: what checks people for all of them, and
// holds that right from the operator, need not be able to run the deployment (docs/decisions/0015).
static enum status require_acting(const struct caller *caller, const struct caller_question *question) {
    bool makes_logins = question->permission && strcmp(question->permission, LOGINS_CREATE) == 0;
    if (makes_logins && caller->is_operator_company) // that it holds the permission has been decided
        return STATUS_OK;
    return caller_require(caller, "latchkey.operate", question->fault);
}

static enum status act_for(struct caller *caller, const struct caller_question *question) {
    struct bytes company = question->credentials->company;
    struct fault *fault = question->fault;
    struct uuid company_id;
    if (!typeid_parse(company, TYPEID_COMPANY, &company_id))
        return fault_set(fault, STATUS_INVALID, "INVALID_ARGUMENT",
                         "the metadata latchkey-company is not a company's id; type one such as cmp_01j...");
    if (uuid_is_equal(company_id, caller->home_company_id))
        return STATUS_OK;
    enum status status = require_acting(caller, question);
    if (status != STATUS_OK)
        return status;

    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, question->arena);
    db_params_add_uuid(&params, company_id);
    db_set_company(question->transaction, company_id);
    if ((status = db_query(question->transaction, &statements[FIND_COMPANY], &params, &row)) != STATUS_OK)
        return db_fault(fault, status);
    if (db_result_get_row_count(row) == 0)
        return fault_set(fault, STATUS_NOT_FOUND, "COMPANY_NOT_FOUND", "there is no company %.*s",
                         BYTES_FORMAT(company));
    caller->company_id = company_id;
    caller->lane = (uint8_t)db_result_get_int16(row, 0, 0);
    caller->is_acting = true;
    return STATUS_OK;
}

// ---- public ----

static void init_params(struct db_params *params, const struct digest *digest,
                        const struct ip_address *address, struct arena *arena) {
    db_params_init(params, arena);
    db_params_add_bytes(params, bytes_of(digest->bytes, DIGEST_LENGTH));
    db_params_add_address(params, address);
}

static enum status find(const struct caller_question *question, const struct db_result **ret_row) {
    const struct caller_credentials *credentials = question->credentials;
    struct db_params params;
    init_params(&params, &credentials->digest, &credentials->address, question->arena);
    enum status status = db_query(question->transaction, &statements[FIND_CALLER], &params, ret_row);
    if (status != STATUS_OK)
        return db_fault(question->fault, status);
    if (db_result_get_row_count(*ret_row) == 0)
        return refusal_set(question->fault, REASON_UNKNOWN, &credentials->address, question->permission);
    return STATUS_OK;
}

enum status caller_authenticate(const struct caller_question *question,
                                const struct deployment **ret_deployment, struct caller **ret_caller) {
    const struct caller_credentials *credentials = question->credentials;
    struct fault *fault = question->fault;
    const struct db_result *row;
    enum status status = find(question, &row);
    if (status != STATUS_OK)
        return status;
    status = deployment_hold(question->deployments, question->transaction,
                             db_result_get_int64(row, 0, DEPLOYMENT_HEAD),
                             db_result_get_int64(row, 0, DEPLOYMENT_MARK), question->arena, ret_deployment);
    if (status != STATUS_OK)
        return db_fault(fault, status);

    struct caller *caller =
        read_caller(row, (*ret_deployment)->catalogue, credentials, question->permission, question->arena);
    enum reason reason = REASON_UNSPECIFIED;
    if (!caller || decide(caller, row, question->arena, &reason) != STATUS_OK)
        return fault_set_no_memory(fault);
    // Whose it is comes before where it is used, and for what: a page of somebody else's learns that first.
    if (reason_is_of_use(reason))
        status = caller_claim_check(credentials->claim, caller_get_author(caller).text, fault);
    if (status != STATUS_OK)
        return status;
    if (reason != REASON_OK)
        return refusal_set(fault, reason, &credentials->address, question->permission);

    if (credentials->company.len > 0)
        status = act_for(caller, question);
    if (status != STATUS_OK)
        return status;
    db_set_company(question->transaction, caller->company_id);
    *ret_caller = caller;
    return STATUS_OK;
}

struct db_command caller_look_again(const struct caller *caller, struct db_params *params,
                                    struct arena *arena) {
    init_params(params, &caller->digest, &caller->address, arena);
    return (struct db_command){&statements[LOOK_AGAIN], params, NULL};
}

// In the order of the lists: somebody who writes one anew without changing it makes a call begin anew.
static bool has_same_ips(const struct caller *a, const struct caller *b) {
    const struct prefix_list a_own = {a->allowed_ips, a->allowed_ip_count},
                             b_own = {b->allowed_ips, b->allowed_ip_count},
                             a_members = {a->member_ips, a->member_ip_count},
                             b_members = {b->member_ips, b->member_ip_count};
    return prefix_list_is_equal(&a_own, &b_own) && prefix_list_is_equal(&a_members, &b_members);
}

// Whose it is, and what bounds what it makes or lets others do, but for the permissions of the moment.
static bool has_same_bounds(const struct caller *a, const struct caller *b) {
    return uuid_is_equal(a->member_id, b->member_id) && a->subject.channels == b->subject.channels &&
           a->subject.expires_at_ms == b->subject.expires_at_ms &&
           bytes_list_is_equal(a->allowed_domains, a->allowed_domain_count, b->allowed_domains,
                               b->allowed_domain_count) &&
           has_same_ips(a, b) && group_list_is_equal(&a->groups, &b->groups);
}

enum status caller_check_after_change(const struct caller *caller, const struct db_command *look,
                                      enum caller_end end, struct arena *arena, struct fault *fault) {
    const struct caller_credentials credentials = {.digest = caller->digest, .address = caller->address};
    if (db_result_get_row_count(look->result) == 0)
        return STATUS_ABORTED;
    struct caller *now =
        read_caller(look->result, caller->catalogue, &credentials, caller->permission, arena);
    if (!now)
        return fault_set_no_memory(fault);
    if (end == CALLER_ENDED_ITSELF)
        now->subject.is_deactivated = false;
    enum reason reason = REASON_UNSPECIFIED;
    if (decide(now, look->result, arena, &reason) != STATUS_OK)
        return fault_set_no_memory(fault);
    const struct permission_set *could = caller_get_permissions(caller, arena);
    const struct permission_set *may = caller_get_permissions(now, arena);
    if (!could || !may)
        return fault_set_no_memory(fault);
    bool is_same = reason == REASON_OK && has_same_bounds(now, caller) && permission_set_is_equal(may, could);
    return is_same ? STATUS_OK : STATUS_ABORTED;
}

enum status caller_check_again(const struct caller *caller, const struct db_command *look,
                               struct arena *arena, struct fault *fault) {
    return caller_check_after_change(caller, look, CALLER_NOT_ENDED, arena, fault);
}

bool caller_has_permission(const struct caller *caller, const char *permission) {
    uint32_t id = permission_catalogue_find_id(caller->catalogue, bytes_of_text(permission));
    return access_has_permission(&caller->subject, id);
}

enum status caller_require(const struct caller *caller, const char *permission, struct fault *fault) {
    if (caller_has_permission(caller, permission))
        return STATUS_OK;
    return refusal_set(fault, REASON_PERMISSION_MISSING, &caller->address, permission);
}

const struct permission_set *caller_get_permissions(const struct caller *caller, struct arena *arena) {
    return access_get_permissions(&caller->subject, permission_catalogue_get_limit(caller->catalogue), arena);
}

struct typeid caller_get_author(const struct caller *caller) {
    return uuid_is_zero(caller->member_id) ? typeid_of(TYPEID_TOKEN, caller->token_id)
                                           : typeid_of(TYPEID_MEMBER, caller->member_id);
}
