// Tells people that their access tokens will expire. A notice comes due when the clock passes the moment that
// lies so long before the expiry, so each look begins where the last one ended. The mark and the mail are
// written in one transaction: a server that dies in between has done neither, and another that looks at the
// same time finds the mark.
#include <inttypes.h>
#include <stdio.h>

#include "services/token/housekeeping.h"
#include "services/token/notice_store.h"
#include "services/token/token_rpc.h"

enum { DUE_MAX = 5000 }; // of one look

struct giving {
    const struct due_batch *batch;
    int64_t before_ms;
};

static enum status give(struct app_call *call, void *context) {
    const struct giving *giving = context;
    struct notice_letter *letters;
    size_t count;
    enum status status = notice_store_claim(call, giving->batch, giving->before_ms, &letters, &count);
    char detail[24];
    snprintf(detail, sizeof(detail), "%" PRId64, giving->before_ms);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = outbox_add(call, &(struct outbox_item){.kind = EXPIRY_MAIL_KIND,
                                                        .object_id = letters[i].notice_id,
                                                        .recipient = letters[i].recipient,
                                                        .detail = detail});
    return status;
}

static enum status give_batch(const struct due_work *work, const struct due_batch *batch, void *context) {
    struct giving *giving = context;
    giving->batch = batch;
    return due_run_change(work, batch->company_id, give, giving);
}

// `*ret_is_done`: all that is due of the span has been given.
static enum status look(const struct due_work *work, const struct notice_kind *kind,
                        const struct notice_span *span, bool *ret_is_done) {
    struct giving giving = {.before_ms = kind->before_ms};
    struct due_list list;
    arena_reset(work->run->arena);
    enum status status = notice_store_list_due(work, kind, span, DUE_MAX, &list);
    if (status == STATUS_OK)
        status = due_work_off(work, &list, give_batch, &giving);
    *ret_is_done = status == STATUS_OK && list.id_count < DUE_MAX;
    return status;
}

static enum status give_all(const struct due_work *work, const struct notice_kind *kind) {
    struct notice_span span;
    bool is_done = false;
    enum status status = notice_store_begin(work, kind, &span);
    while (status == STATUS_OK && !is_done && !job_is_stopping(work->run))
        status = look(work, kind, &span, &is_done);
    if (status == STATUS_OK && !job_is_stopping(work->run))
        status = notice_store_end(work, kind, &span);
    return status;
}

static enum status give_notices(struct job_run *run, struct db_connection *connection) {
    const struct housekeeping_settings *settings = &token_limits.housekeeping;
    int64_t early_ms = settings->early_notice_ms, late_ms = settings->late_notice_ms;
    const struct notice_kind kinds[] = {{early_ms, late_ms < early_ms ? late_ms : 0}, {late_ms, 0}};
    struct due_work work = {.run = run, .connection = connection, .system = "notifier"};
    enum status status, failure = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].before_ms > 0 && (status = give_all(&work, &kinds[i])) != STATUS_OK)
            failure = status;
    return failure;
}

static enum status run(struct job_run *run) {
    return job_run_with_database(run, give_notices);
}

const struct app_job expiry_notice_job = {
    .name = "expiry-notices", .period_ms = &token_limits.housekeeping.period_ms, .run = run};
