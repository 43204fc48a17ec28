#include "common/app/outbox.h"

#include <assert.h>

#include "common/app/app.h"
#include "common/app/mail_settings.h"
#include "common/app/mailer.h"
#include "common/base/clock.h"

enum { SENDER_BITS_V4 = 32, SENDER_BITS_V6 = 64 };

enum { ADD, FIND_ROOM, ADD_MANY };

// How many mails a limit leaves, and for how long the oldest that counts still does: a mail counts until it
// is an hour or a day old, and no more of them are looked at in the index than the limit is. Two calls at
// once may both take the last place: the limits guard a name among mail servers, not money. $1 = company, $2
// = recipients, $3 = sender, $4 to $6 = the limits, 0 = none.
#define SCOPE(name, condition, span, limit)                                                              \
    "LATERAL (SELECT " limit " - count(*) AS room, (extract(epoch FROM coalesce(min(created_at), now())" \
    " + interval '" span "' - now()) * 1000)::bigint AS wait_ms FROM (SELECT m.created_at"               \
    " FROM latchkey.mail_outbox m WHERE m.company_id = $1 AND " limit "::bigint > 0" condition           \
    " AND m.created_at > now() - interval '" span "' ORDER BY m.created_at DESC LIMIT " limit            \
    ") AS sent) " name
#define SCOPES                                                                            \
    SCOPE("company", "", "1 hour", "$4")                                                  \
    ", " SCOPE("recipient", " AND lower(m.recipient) = lower(wanted.recipient)", "1 day", \
               "$5") ", " SCOPE("sender", " AND m.sender = $3", "1 day", "$6")
// How long the limits keep a mail waiting; 0 = they do not.
#define SCOPE_MS(name, limit) \
    "CASE WHEN " limit " > 0 AND " name ".room <= 0 THEN " name ".wait_ms ELSE 0 END"
#define BUSY_MS \
    "greatest(" SCOPE_MS("company", "$4") ", " SCOPE_MS("recipient", "$5") ", " SCOPE_MS("sender", "$6") ")"

static const struct db_statement statements[] = {
    [ADD] =
        {"outbox_add",
         "WITH busy AS (SELECT " BUSY_MS " AS ms FROM (VALUES ($2::text)) AS wanted (recipient), " SCOPES "),"
         " added AS (INSERT INTO latchkey.mail_outbox (company_id, recipient, sender, mail_id, kind,"
         " object_id, detail) SELECT $1, $2, $3, $7, $8, $9, $10 FROM busy WHERE busy.ms <= 0 RETURNING 1)"
         " SELECT busy.ms FROM busy"},
    [FIND_ROOM] = {"outbox_find_room",
                   "SELECT company.room, company.wait_ms, recipient.room, recipient.wait_ms, sender.room,"
                   " sender.wait_ms FROM unnest($2::text[]) WITH ORDINALITY AS wanted (recipient, n), " SCOPES
                   " ORDER BY wanted.n"},
    [ADD_MANY] =
        {"outbox_add_many",
         "INSERT INTO latchkey.mail_outbox (company_id, sender, recipient, mail_id, kind, object_id, detail)"
         " SELECT $1, $2, * FROM unnest($3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[])"},
};

static void add_sender(struct db_params *params, const struct app_call *call) {
    unsigned bits = call->address.family == IP_FAMILY_V4 ? SENDER_BITS_V4 : SENDER_BITS_V6;
    if (call->address.family == IP_FAMILY_NONE) {
        db_params_add_null(params, DB_TYPE_CIDR);
        return;
    }
    struct ip_prefix sender = ip_prefix_of(&call->address, bits);
    db_params_add_prefix(params, &sender);
}

// The limits by scope, in the order of $4 to $6 and of the columns of FIND_ROOM, two for each. What the
// system sends by itself has none.
enum scope { COMPANY, RECIPIENT, SENDER, SCOPE_COUNT };
#define ROOM_COLUMN(scope) ((int)(scope)*2)
#define WAIT_COLUMN(scope) ((int)(scope)*2 + 1)

static int64_t get_limit(const struct app_call *call, enum scope scope) {
    const int64_t limits[] = {[COMPANY] = mail_settings.company_hourly_max,
                              [RECIPIENT] = mail_settings.recipient_daily_max,
                              [SENDER] = mail_settings.sender_daily_max};
    return call->caller ? limits[scope] : 0;
}

static void add_terms(struct db_params *params, const struct app_call *call) {
    add_sender(params, call);
    for (enum scope scope = 0; scope < SCOPE_COUNT; scope++)
        db_params_add_int64(params, get_limit(call, scope));
}

static enum status tell_limit(struct app_call *call, int64_t busy_ms) {
    fault_set(
        call->fault, STATUS_EXHAUSTED, "MAIL_LIMIT",
        "too many mails were sent for this company, from this address or to this recipient; try again in "
        "%lld min",
        (long long)(busy_ms / 60000 + 1));
    fault_set_retry_after_ms(call->fault, (uint32_t)busy_ms);
    return STATUS_EXHAUSTED;
}

// ---- one ----

struct db_command outbox_command_adding(struct app_call *call, const struct outbox_item *item,
                                        struct db_params *params) {
    assert(mailer_has_kind(item->kind));
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text(params, bytes_of_text(item->recipient));
    add_terms(params, call);
    db_params_add_uuid(params, uuid_new(app_get_clock(call->app)));
    db_params_add_text(params, bytes_of_text(item->kind));
    db_params_add_uuid(params, item->object_id);
    db_params_add_text(params, bytes_of_text(item->detail));
    return (struct db_command){&statements[ADD], params, NULL};
}

enum status outbox_read_added(struct app_call *call, const struct db_command *command) {
    int64_t busy_ms = db_result_get_int64(command->result, 0, 0);
    return busy_ms > 0 ? tell_limit(call, busy_ms) : STATUS_OK;
}

enum status outbox_add(struct app_call *call, const struct outbox_item *item) {
    struct db_params params;
    struct db_command command = outbox_command_adding(call, item, &params);
    enum status status = db_query_batch(call->transaction, &command, 1);
    return status == STATUS_OK ? outbox_read_added(call, &command) : db_fault(call->fault, status);
}

// ---- many ----

struct db_command outbox_look_for_room(struct app_call *call, const struct bytes *recipients, size_t count,
                                       struct db_params *params) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text_array(params, recipients, count);
    add_terms(params, call);
    return (struct db_command){&statements[FIND_ROOM], params, NULL};
}

// A recipient takes one place at most: what others of the call have taken is none of theirs.
static int64_t get_wait_ms(const struct app_call *call, const struct outbox_room *room, size_t i,
                           enum scope scope) {
    int64_t taken = scope == RECIPIENT ? 0 : room->taken;
    if (get_limit(call, scope) == 0 || db_result_get_int64(room->rows, (int)i, ROOM_COLUMN(scope)) > taken)
        return 0;
    return db_result_get_int64(room->rows, (int)i, WAIT_COLUMN(scope));
}

enum status outbox_take_place(struct app_call *call, struct outbox_room *room, size_t i) {
    int64_t busy_ms = 0;
    for (enum scope scope = 0; scope < SCOPE_COUNT; scope++) {
        int64_t wait_ms = get_wait_ms(call, room, i, scope);
        busy_ms = wait_ms > busy_ms ? wait_ms : busy_ms;
    }
    if (busy_ms > 0)
        return tell_limit(call, busy_ms);
    room->taken++;
    return STATUS_OK;
}

struct db_command outbox_command_adding_many(struct app_call *call, const struct outbox_item *items,
                                             size_t count, struct db_params *params) {
    struct bytes *recipients = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct bytes *kinds = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct bytes *details = ARENA_NEW_ARRAY(call->arena, struct bytes, count);
    struct uuid *mails = ARENA_NEW_ARRAY(call->arena, struct uuid, count);
    struct uuid *objects = ARENA_NEW_ARRAY(call->arena, struct uuid, count);
    if (!recipients || !kinds || !details || !mails || !objects)
        return (struct db_command){0};
    for (size_t i = 0; i < count; i++) {
        assert(mailer_has_kind(items[i].kind));
        recipients[i] = bytes_of_text(items[i].recipient);
        mails[i] = uuid_new(app_get_clock(call->app));
        kinds[i] = bytes_of_text(items[i].kind);
        objects[i] = items[i].object_id;
        details[i] = bytes_of_text(items[i].detail);
    }
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    add_sender(params, call);
    db_params_add_text_array(params, recipients, count);
    db_params_add_uuid_array(params, mails, count);
    db_params_add_text_array(params, kinds, count);
    db_params_add_uuid_array(params, objects, count);
    db_params_add_text_array(params, details, count);
    return (struct db_command){&statements[ADD_MANY], params, NULL};
}
