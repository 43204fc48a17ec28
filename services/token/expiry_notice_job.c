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

// One company's failure keeps nobody else's notices.
static enum status give_list(const struct due_work *work, const struct notice_kind *kind,
                             const struct due_list *list) {
    enum status status, failure = STATUS_OK;
    for (size_t i = 0; i < list->count && !job_is_stopping(work->run); i++) {
        struct giving giving = {&list->batches[i], kind->before_ms};
        if ((status = due_run(work, list->batches[i].company_id, give, &giving)) != STATUS_OK)
            failure = status;
    }
    return failure;
}

// `*ret_is_done`: all that is due of the span has been given.
static enum status look(const struct due_work *work, const struct notice_kind *kind,
                        const struct notice_span *span, bool *ret_is_done) {
    struct arena arena;
    struct due_list list;
    arena_init(&arena, 0);
    enum status status = notice_store_list_due(work, kind, span, DUE_MAX, &arena, &list);
    if (status == STATUS_OK)
        status = give_list(work, kind, &list);
    *ret_is_done = status == STATUS_OK && list.id_count < DUE_MAX;
    arena_fini(&arena);
    return status;
}

static enum status give_all(const struct due_work *work, const struct notice_kind *kind) {
    struct notice_span span;
    struct arena *arena = work->run->arena;
    bool is_done = false;
    enum status status = notice_store_begin(work, kind, arena, &span);
    while (status == STATUS_OK && !is_done && !job_is_stopping(work->run))
        status = look(work, kind, &span, &is_done);
    if (status == STATUS_OK && !job_is_stopping(work->run))
        status = notice_store_end(work, kind, &span, arena);
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
