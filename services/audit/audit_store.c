#include "services/audit/audit_store.h"

#include <assert.h>
#include <string.h>

#include "common/base/clock.h"

enum { PLAN_AFRESH, FIND_SPAN, LIST, READ, FIND_HEAD };

// In the order of the enum below.
#define COLUMNS                                                                                            \
    "e.event_id, e.company_id, e.actor_member, e.actor_token, e.actor_operator, e.actor_system, e.action," \
    " e.object_id, e.before::text, e.after::text, e.request_id, e.count, e.person, e.number,"              \
    " (extract(epoch FROM e.at) * 1000000)::bigint, e.previous_hash, e.hash,"                              \
    " p.salt, p.email, p.user_agent, p.client_ip, p.before::text, p.after::text"                           \
    " FROM latchkey.audit_event e LEFT JOIN latchkey.audit_person p"                                       \
    " ON p.company_id = e.company_id AND p.number = e.number WHERE e.company_id = $1"

// The number of the first event that is not older than a time.
#define FIRST_NOT_OLDER(time)                                                                         \
    "coalesce((SELECT x.number FROM latchkey.audit_event x WHERE x.company_id = $1 AND x.at >= " time \
    " ORDER BY x.at, x.number LIMIT 1), 9223372036854775807)"

static const struct db_statement statements[] = {
    // why: which index serves a list depends on which of its filters are set, so a plan made for all of
    // them at once would be made for none.
    [PLAN_AFRESH] = {"audit_plan_afresh", "SET LOCAL plan_cache_mode = force_custom_plan"},
    // why: time never runs backwards in a chain, so a span of time is a range of numbers, which every index
    // has
    // last. In one statement with the list row-level security keeps it from the index.
    [FIND_SPAN] =
        {"audit_find_span",
         "SELECT CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE " FIRST_NOT_OLDER(
             "$2") " END, CASE WHEN $3::timestamptz IS NULL THEN 9223372036854775807 ELSE " FIRST_NOT_OLDER("$3") " END"},
    [LIST] = {"audit_list", "SELECT " COLUMNS " AND e.number >= $3 AND e.number < $4"
                            " AND ($5::uuid IS NULL OR e.actor_member = $5)"
                            " AND ($6::uuid IS NULL OR e.actor_token = $6)"
                            " AND ($7 = '' OR e.action = $7)"
                            " AND ($8 = '' OR e.kind = $8)"
                            " AND ($9 = '' OR (e.object_id = $9 AND e.object_id <> ''))"
                            " ORDER BY e.number DESC LIMIT $2"},
    [READ] = {"audit_read", "SELECT " COLUMNS " AND e.number BETWEEN $2 AND $3 ORDER BY e.number LIMIT $4"},
    [FIND_HEAD] = {"audit_find_head",
                   "SELECT h.number, h.hash, coalesce((SELECT e.number FROM latchkey.audit_event e"
                   " WHERE e.company_id = $1 ORDER BY e.number DESC LIMIT 1), 0)"
                   " FROM (SELECT $1 AS company_id) AS company"
                   " LEFT JOIN latchkey.audit_head h USING (company_id)"},
};

enum {
    EVENT_ID,
    COMPANY_ID,
    ACTOR_MEMBER,
    ACTOR_TOKEN,
    ACTOR_OPERATOR,
    ACTOR_SYSTEM,
    ACTION,
    OBJECT_ID,
    BEFORE,
    AFTER,
    REQUEST_ID,
    COUNT,
    PERSON,
    NUMBER,
    AT,
    PREVIOUS_HASH,
    HASH,
    SALT,
    EMAIL,
    USER_AGENT,
    CLIENT_IP,
    PERSON_BEFORE,
    PERSON_AFTER,
};

// ---- from rows to records ----

static struct digest read_digest(const struct db_result *rows, int row, int column) {
    struct digest digest = {{0}};
    struct bytes bytes = db_result_get_bytes(rows, row, column);
    assert(bytes.len == DIGEST_LENGTH); // a check of the schema's
    memcpy(digest.bytes, bytes.data, DIGEST_LENGTH);
    return digest;
}

static void read_event(const struct db_result *rows, int row, struct audit_event *ret_event) {
    *ret_event = (struct audit_event){
        .event_id = db_result_get_uuid(rows, row, EVENT_ID),
        .company_id = db_result_get_uuid(rows, row, COMPANY_ID),
        .actor = {.member_id = db_result_get_uuid_or_zero(rows, row, ACTOR_MEMBER),
                  .token_id = db_result_get_uuid_or_zero(rows, row, ACTOR_TOKEN),
                  .operator_company_id = db_result_get_uuid_or_zero(rows, row, ACTOR_OPERATOR),
                  .system = db_result_get_text(rows, row, ACTOR_SYSTEM)},
        .action = db_result_get_text(rows, row, ACTION),
        .object_id = db_result_get_text(rows, row, OBJECT_ID),
        .before = db_result_get_text(rows, row, BEFORE),
        .after = db_result_get_text(rows, row, AFTER),
        .request_id = db_result_get_uuid_or_zero(rows, row, REQUEST_ID),
        .count = db_result_get_int64(rows, row, COUNT),
        .has_person = !db_result_is_null(rows, row, PERSON),
    };
    if (ret_event->has_person)
        ret_event->person = read_digest(rows, row, PERSON);
}

static void read_person(const struct db_result *rows, int row, struct audit_record *record) {
    struct ip_prefix address = db_result_get_prefix_or_none(rows, row, CLIENT_IP);
    if (address.address.family != IP_FAMILY_NONE)
        ip_address_format(&address.address, record->client_ip);
    record->person = (struct audit_person){.salt = db_result_get_bytes(rows, row, SALT),
                                           .email = db_result_get_text(rows, row, EMAIL),
                                           .user_agent = db_result_get_text(rows, row, USER_AGENT),
                                           .client_ip = bytes_of_text(record->client_ip),
                                           .before = db_result_get_text(rows, row, PERSON_BEFORE),
                                           .after = db_result_get_text(rows, row, PERSON_AFTER)};
}

void audit_rows_get(const struct audit_rows *rows, int row, struct audit_record *ret_record) {
    const struct db_result *from = rows->rows;
    *ret_record = (struct audit_record){
        .number = db_result_get_int64(from, row, NUMBER),
        .at_us = db_result_get_int64(from, row, AT),
        .previous_hash = read_digest(from, row, PREVIOUS_HASH),
        .hash = read_digest(from, row, HASH),
        .is_person_there = !db_result_is_null(from, row, SALT),
    };
    read_event(from, row, &ret_record->event);
    if (ret_record->is_person_there)
        read_person(from, row, ret_record);
}

// ---- public ----

// Numbers from `first` up to, and without, `end`.
struct span {
    int64_t first, end;
};

static enum status find_span(struct app_call *call, const struct audit_filter *filter,
                             struct span *ret_span) {
    struct db_params params;
    const struct db_result *row;
    *ret_span = (struct span){0, INT64_MAX};
    if (filter->since_ms == CLOCK_ALWAYS_MS && filter->until_ms == CLOCK_NEVER_MS)
        return STATUS_OK;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_time_ms_or_null(&params, filter->since_ms);
    db_params_add_time_ms_or_null(&params, filter->until_ms);
    enum status status = db_query(call->transaction, &statements[FIND_SPAN], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_span = (struct span){db_result_get_int64(row, 0, 0), db_result_get_int64(row, 0, 1)};
    return STATUS_OK;
}

static void init_list(struct db_params *params, const struct app_call *call,
                      const struct audit_filter *filter, struct span span, int32_t limit) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_int64(params, limit);
    db_params_add_int64(params, span.first);
    db_params_add_int64(params, span.end);
    db_params_add_uuid_or_null(params, filter->member_id);
    db_params_add_uuid_or_null(params, filter->token_id);
    db_params_add_text(params, filter->action);
    db_params_add_text(params, filter->kind);
    db_params_add_text(params, filter->object_id);
}

enum status audit_store_list(struct app_call *call, const struct audit_filter *filter, int64_t before,
                             int32_t limit, struct audit_rows *ret_rows) {
    struct span span;
    struct db_params params;
    enum status status = find_span(call, filter, &span);
    if (status != STATUS_OK)
        return status;
    if (before > 0 && before < span.end)
        span.end = before;
    init_list(&params, call, filter, span, limit);
    struct db_command commands[] = {{&statements[PLAN_AFRESH], NULL, NULL},
                                    {&statements[LIST], &params, NULL}};
    status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_rows = (struct audit_rows){commands[1].result, db_result_get_row_count(commands[1].result)};
    return STATUS_OK;
}

enum status audit_store_read(struct app_call *call, int64_t from, int64_t to, int32_t limit,
                             struct audit_rows *ret_rows) {
    struct db_params params;
    const struct db_result *rows;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    db_params_add_int64(&params, from);
    db_params_add_int64(&params, to);
    db_params_add_int64(&params, limit);
    enum status status = db_query(call->transaction, &statements[READ], &params, &rows);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_rows = (struct audit_rows){rows, db_result_get_row_count(rows)};
    return STATUS_OK;
}

enum status audit_store_get_head(struct app_call *call, struct audit_head *ret_head,
                                 int64_t *ret_last_number) {
    struct db_params params;
    const struct db_result *row;
    db_params_init(&params, call->arena);
    db_params_add_uuid(&params, call->company_id);
    enum status status = db_query(call->transaction, &statements[FIND_HEAD], &params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_head = (struct audit_head){0};
    if (!db_result_is_null(row, 0, 0)) {
        ret_head->number = db_result_get_int64(row, 0, 0);
        ret_head->hash = read_digest(row, 0, 1);
    }
    *ret_last_number = db_result_get_int64(row, 0, 2);
    return STATUS_OK;
}
