#include "common/app/outbox.h"

#include <assert.h>

#include "common/app/app.h"
#include "common/app/mail_settings.h"
#include "common/app/mailer.h"
#include "common/base/clock.h"

enum { SENDER_BITS_V4 = 32, SENDER_BITS_V6 = 64 };

enum { ADD };

// Each limit in one look into an index: the mail that is the limit's number back still counts until it is an
// hour or a day old. Two calls at once may both take the last place: the limits guard a name among mail
// servers, not money.
#define BUSY_UNTIL(condition, span, limit)                                                    \
    "(SELECT m.created_at FROM latchkey.mail_outbox m WHERE m.company_id = $1 AND " condition \
    " AND m.created_at > now() - interval '" span "' ORDER BY m.created_at DESC"              \
    " OFFSET " limit " - 1 LIMIT 1) + interval '" span "'"

static const struct db_statement statements[] = {
    [ADD] =
        {"outbox_add",
         "WITH busy AS (SELECT greatest(" BUSY_UNTIL("$8::bigint > 0", "1 hour", "greatest($8, 1)") "," BUSY_UNTIL(
             "$9::bigint > 0 AND lower(m.recipient) = lower($5)", "1 day",
             "greatest($9, 1)") "," BUSY_UNTIL("$10::bigint > 0 AND m.sender = $7", "1 day",
                                               "greatest($10, 1)") ") AS until),"
                                                                   " added AS ("
                                                                   "INSERT INTO latchkey.mail_outbox (mail_id, company_id, kind, object_id, recipient, detail, sender)"
                                                                   " SELECT $2, $1, $3, $4, $5, $6, $7 FROM busy WHERE busy.until IS NULL RETURNING 1)"
                                                                   " SELECT coalesce(extract(epoch FROM busy.until - now()) * 1000, 0)::bigint FROM busy"},
};

static struct ip_prefix get_sender(const struct app_call *call) {
    if (call->address.family == IP_FAMILY_NONE)
        return (struct ip_prefix){0};
    return ip_prefix_of(&call->address,
                        call->address.family == IP_FAMILY_V4 ? SENDER_BITS_V4 : SENDER_BITS_V6);
}

static void add_sender(struct db_params *params, const struct app_call *call) {
    struct ip_prefix sender = get_sender(call);
    if (sender.address.family == IP_FAMILY_NONE)
        db_params_add_null(params, DB_TYPE_CIDR);
    else
        db_params_add_prefix(params, &sender);
}

static void init_params(struct db_params *params, const struct app_call *call,
                        const struct outbox_item *item) {
    bool is_limited = call->caller != NULL;
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->company_id);
    db_params_add_uuid(params, uuid_new(app_get_clock(call->app)));
    db_params_add_text(params, bytes_of_text(item->kind));
    db_params_add_uuid(params, item->object_id);
    db_params_add_text(params, bytes_of_text(item->recipient));
    db_params_add_text(params, bytes_of_text(item->detail));
    add_sender(params, call);
    db_params_add_int64(params, is_limited ? mail_settings.company_hourly_max : 0);
    db_params_add_int64(params, is_limited ? mail_settings.recipient_daily_max : 0);
    db_params_add_int64(params, is_limited ? mail_settings.sender_daily_max : 0);
}

enum status outbox_add(struct app_call *call, const struct outbox_item *item) {
    struct db_params params;
    const struct db_result *row;
    assert(mailer_has_kind(item->kind));
    init_params(&params, call, item);
    enum status status = db_query(call->transaction, &statements[ADD], &params, &row);
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
