#include "common/app/outbox.h"

#include <assert.h>

#include "common/app/app.h"
#include "common/app/mail_settings.h"
#include "common/app/mailer.h"
#include "common/base/clock.h"

enum { SENDER_BITS_V4 = 32, SENDER_BITS_V6 = 64 };

enum { CHECK, ADD };

// Each limit in one look into an index: the mail that is the limit's number back still counts until it is an
// hour or a day old. Two calls at once may both take the last place: the limits guard a name among mail
// servers, not money. $1 = company, $2 = recipient, $3 = sender, $4 to $6 = the limits, 0 = none.
#define BUSY_UNTIL(condition, span, limit)                                                \
    "(SELECT m.created_at FROM latchkey.mail_outbox m WHERE m.company_id = $1 AND " limit \
    "::bigint > 0" condition " AND m.created_at > now() - interval '" span "' ORDER BY"   \
    " m.created_at DESC OFFSET greatest(" limit ", 1) - 1 LIMIT 1) + interval '" span "'"

#define BUSY                                                                                                 \
    "SELECT greatest(" BUSY_UNTIL("", "1 hour", "$4") ", " BUSY_UNTIL(                                       \
        " AND lower(m.recipient) = lower($2)", "1 day", "$5") ", " BUSY_UNTIL(" AND m.sender = $3", "1 day", \
                                                                              "$6") ") AS until"

#define WAIT_MS "SELECT coalesce(extract(epoch FROM busy.until - now()) * 1000, 0)::bigint FROM busy"

static const struct db_statement statements[] = {
    [CHECK] = {"outbox_check", "WITH busy AS (" BUSY ") " WAIT_MS},
    [ADD] =
        {"outbox_add",
         "WITH busy AS (" BUSY "), added AS ("
         "INSERT INTO latchkey.mail_outbox (company_id, recipient, sender, mail_id, kind, object_id, detail)"
         " SELECT $1, $2, $3, $7, $8, $9, $10 FROM busy WHERE busy.until IS NULL RETURNING 1) " WAIT_MS},
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

static void init_params(struct db_params *params, const struct app_call *call, const char *recipient) {
    bool is_limited = call->caller != NULL;
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_text(params, bytes_of_text(recipient));
    add_sender(params, call);
    db_params_add_int64(params, is_limited ? mail_settings.company_hourly_max : 0);
    db_params_add_int64(params, is_limited ? mail_settings.recipient_daily_max : 0);
    db_params_add_int64(params, is_limited ? mail_settings.sender_daily_max : 0);
}

static enum status query(struct app_call *call, int statement, const struct db_params *params) {
    const struct db_result *row;
    enum status status = db_query(call->transaction, &statements[statement], params, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    int64_t busy_ms = db_result_get_int64(row, 0, 0);
    if (busy_ms <= 0)
        return STATUS_OK;
    fault_set(
        call->fault, STATUS_EXHAUSTED, "MAIL_LIMIT",
        "too many mails were sent for this company, from this address or to this recipient; try again in "
        "%lld min",
        (long long)(busy_ms / 60000 + 1));
    fault_set_retry_after_ms(call->fault, (uint32_t)busy_ms);
    return STATUS_EXHAUSTED;
}

enum status outbox_add(struct app_call *call, const struct outbox_item *item) {
    struct db_params params;
    assert(mailer_has_kind(item->kind));
    init_params(&params, call, item->recipient);
    db_params_add_uuid(&params, uuid_new(app_get_clock(call->app)));
    db_params_add_text(&params, bytes_of_text(item->kind));
    db_params_add_uuid(&params, item->object_id);
    db_params_add_text(&params, bytes_of_text(item->detail));
    return query(call, ADD, &params);
}

enum status outbox_check_limits(struct app_call *call, const char *recipient) {
    struct db_params params;
    init_params(&params, call, recipient);
    return query(call, CHECK, &params);
}
