#include "common/app/mailer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/app/mail_queue.h"
#include "common/app/mail_settings.h"
#include "common/app/system_call.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/typeid.h"
#include "common/crypto/secret.h"
#include "common/mail/smtp.h"

enum {
    KINDS_MAX = 16,
    MAILS_PER_ROUND = 1000,
    LEASE_SLACK_MS = 60000, // rendering before and settling after
    SETTLE_ATTEMPTS = 3,
    RETRY_FIRST_MS = 2000,
    RETRY_LONGEST_MS = 600000,
    DOWN_LONGEST_MS = 30000,
    SURVEY_EVERY_MS = 15000,
};

// Made by mailer_open() and const from then on.
static struct {
    const struct mail_kind *kinds[KINDS_MAX];
    struct bytes names[KINDS_MAX];
    size_t count;
    struct mailbox from;
    struct smtp_server *server; // NULL = none is configured
} mailer;

// The job's own thread.
static int down_rounds; // in a row
static uint64_t survey_due_ns;

// Relaxed: written by the job, read by the admin port.
static _Atomic uint64_t sent_count, failed_count, retried_count, dropped_count;
static _Atomic int64_t queued_count, oldest_ms;

// ---- setting up ----

bool mailer_is_needed(const struct app_program *program) {
    for (size_t i = 0; i < program->service_count; i++)
        if (program->services[i]->mail_kind_count > 0 || program->services[i]->sends_mail)
            return true;
    return false;
}

static void gather_kinds(const struct app_program *program) {
    for (size_t i = 0; i < program->service_count; i++)
        for (size_t j = 0; j < program->services[i]->mail_kind_count; j++) {
            assert(mailer.count < KINDS_MAX);
            mailer.kinds[mailer.count] = &program->services[i]->mail_kinds[j];
            mailer.names[mailer.count] = bytes_of_text(mailer.kinds[mailer.count]->name);
            mailer.count++;
        }
}

enum status mailer_open(const struct app_program *program, char *ret_error, size_t error_size) {
    const char *reason;
    gather_kinds(program);
    bool is_read = mailbox_parse(bytes_of_text(mail_settings.mail_from), &mailer.from, &reason);
    assert(is_read); // the setting takes nothing else
    if (!mail_settings.smtp_url || !*mail_settings.smtp_url)
        return STATUS_OK;
    struct smtp_options options = {.url = mail_settings.smtp_url,
                                   .password_file = mail_settings.smtp_password_file,
                                   .ca_file = mail_settings.smtp_ca_file,
                                   .tls = (enum smtp_tls)mail_settings.smtp_tls,
                                   .timeout_ms = mail_settings.smtp_timeout_ms};
    return smtp_server_new(&options, ret_error, error_size, &mailer.server);
}

void mailer_close(void) {
    smtp_server_free(mailer.server);
    mailer.server = NULL;
}

const struct smtp_server *mailer_get_server(void) {
    return mailer.server;
}

const struct mailbox *mailer_get_sender(void) {
    return &mailer.from;
}

static const struct mail_kind *find_kind(const char *name) {
    for (size_t i = 0; i < mailer.count; i++)
        if (bytes_is_text(mailer.names[i], name))
            return mailer.kinds[i];
    return NULL;
}

bool mailer_has_kind(const char *name) {
    return find_kind(name) != NULL;
}

// ---- one mail ----

// On its way through one attempt.
struct delivery {
    struct job_run *run;
    struct smtp_session **session; // of the round; opened by the first mail
    struct arena arena;            // of this mail alone
    struct outbox_mail *mail;
    const struct mail_kind *kind;
    struct mail_content content;
};

static bool is_stopping(void *context) {
    return job_is_stopping(context);
}

// Doubled with every attempt, a quarter more or less so that mails which failed together come apart.
static int64_t get_retry_ms(int attempt) {
    int64_t ms = RETRY_FIRST_MS;
    for (int i = 1; i < attempt && ms < RETRY_LONGEST_MS; i++)
        ms *= 2;
    if (ms > RETRY_LONGEST_MS)
        ms = RETRY_LONGEST_MS;
    return ms - ms / 4 + (int64_t)(random_get_u64() % (uint64_t)(ms / 2 + 1));
}

static void count(enum mail_state state) {
    _Atomic uint64_t *counter = state == MAIL_SENT      ? &sent_count
                                : state == MAIL_FAILED  ? &failed_count
                                : state == MAIL_DROPPED ? &dropped_count
                                                        : &retried_count;
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void log_settlement(const struct outbox_mail *mail, const struct mail_settlement *settlement) {
    char id[UUID_TEXT_LENGTH + 1];
    uuid_format(mail->mail_id, id);
    const char *event = settlement->state == MAIL_SENT      ? "mail sent"
                        : settlement->state == MAIL_FAILED  ? "mail failed"
                        : settlement->state == MAIL_DROPPED ? "mail dropped"
                                                            : "mail put off";
    bool is_well = settlement->state == MAIL_SENT || settlement->state == MAIL_DROPPED;
    log_event(is_well ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, event, LOG_TEXT("mail", id),
              LOG_TEXT("kind", mail->kind),
              LOG_TEXT("company", typeid_of(TYPEID_COMPANY, mail->company_id).text),
              LOG_INTEGER("attempt", mail->attempt), LOG_TEXT("words", settlement->words));
}

// A mail that was sent and could not be marked would be sent again, so this is not given up at once.
static enum status settle(struct delivery *delivery, const struct mail_settlement *settlement) {
    enum status status = STATUS_UNAVAILABLE;
    for (int i = 0; i < SETTLE_ATTEMPTS && status != STATUS_OK; i++)
        status = mail_queue_settle(delivery->run, delivery->mail, settlement, &delivery->arena);
    if (status != STATUS_OK)
        return status;
    count(settlement->state);
    log_settlement(delivery->mail, settlement);
    return STATUS_OK;
}

static enum status settle_as(struct delivery *delivery, enum mail_state state, const char *words) {
    return settle(delivery, &(struct mail_settlement){.state = state, .words = words});
}

// Again later, unless it has been tried for long enough.
static enum status put_off(struct delivery *delivery, const char *words) {
    const struct outbox_mail *mail = delivery->mail;
    int64_t age_ms = clock_get_realtime_ms(app_get_clock(delivery->run->app)) - mail->created_at_ms;
    struct mail_settlement settlement = {
        .state = MAIL_QUEUED, .words = words, .next_in_ms = get_retry_ms(mail->attempt)};
    if (age_ms + settlement.next_in_ms > mail_settings.mail_retry_for_ms)
        settlement.state = MAIL_FAILED;
    return settle(delivery, &settlement);
}

static enum status render_in_call(struct app_call *call, void *context) {
    struct delivery *delivery = context;
    delivery->content = (struct mail_content){0};
    return delivery->kind->render(call, delivery->mail, &delivery->content);
}

static enum status render(struct delivery *delivery) {
    struct app *app = delivery->run->app;
    struct db_connection *connection;
    enum status status = job_lease_database(delivery->run, &connection);
    if (status != STATUS_OK)
        return status;
    struct system_call_options options = {.app = app,
                                          .connection = connection,
                                          .arena = &delivery->arena,
                                          .system = mailer_job.name,
                                          .company_id = delivery->mail->company_id};
    status = system_call_run(&options, render_in_call, delivery);
    db_pool_return(app_get_database(app), connection);
    return status;
}

static void wipe(struct bytes bytes) {
    if (bytes.len > 0)
        secret_wipe((void *)bytes.data, bytes.len);
}

static enum status open_session(struct delivery *delivery, struct smtp_result *ret_result) {
    if (*delivery->session)
        return STATUS_OK;
    enum status status = smtp_session_new(mailer.server, is_stopping, delivery->run, delivery->session);
    if (status != STATUS_OK) {
        ret_result->outcome = SMTP_DOWN;
        snprintf(ret_result->words, sizeof(ret_result->words), "%s",
                 status == STATUS_INVALID ? "the file of --smtp-password-file can't be read"
                                          : status_get_text(status));
    }
    return status;
}

static void send_content(struct delivery *delivery, struct smtp_result *ret_result) {
    struct mail_message message = {.mail_id = delivery->mail->mail_id,
                                   .sent_at_ms = clock_get_realtime_ms(app_get_clock(delivery->run->app)),
                                   .from = &mailer.from,
                                   .to = delivery->mail->recipient,
                                   .content = delivery->content};
    struct buffer bytes = {0};
    enum status status = mail_message_write(&message, &bytes);
    if (status == STATUS_OK) {
        smtp_session_send(*delivery->session, mailer.from.address, delivery->mail->recipient,
                          buffer_get_bytes(&bytes), ret_result);
    } else {
        ret_result->outcome = status == STATUS_INVALID ? SMTP_REFUSED : SMTP_FAILED;
        snprintf(ret_result->words, sizeof(ret_result->words), "%s", status_get_text(status));
    }
    wipe(buffer_get_bytes(&bytes));
    buffer_fini(&bytes);
}

static enum status settle_result(struct delivery *delivery, const struct smtp_result *result) {
    switch (result->outcome) {
    case SMTP_SENT: return settle_as(delivery, MAIL_SENT, result->words);
    case SMTP_REFUSED: return settle_as(delivery, MAIL_FAILED, result->words);
    default: return put_off(delivery, result->words);
    }
}

static enum status deliver(struct delivery *delivery, bool *ret_is_down) {
    struct smtp_result result = {0};
    if (!mailer.server)
        return settle_as(delivery, MAIL_FAILED, "no mail server configured");
    delivery->kind = find_kind(delivery->mail->kind);
    enum status status = render(delivery);
    if (status != STATUS_OK)
        return put_off(delivery, status_get_text(status));
    if (delivery->content.subject.len == 0)
        return settle_as(delivery, MAIL_DROPPED, "there was nothing to send any more");
    if (open_session(delivery, &result) == STATUS_OK)
        send_content(delivery, &result);
    wipe(delivery->content.text);
    wipe(delivery->content.html);
    *ret_is_down = result.outcome == SMTP_DOWN;
    return settle_result(delivery, &result);
}

// ---- a round ----

// *ret_goes_on: there was a mail, and the server is there for the next one.
static enum status send_next(struct job_run *run, struct smtp_session **session, bool *ret_goes_on) {
    struct delivery delivery = {.run = run, .session = session};
    bool is_down = false;
    arena_init(&delivery.arena, 0);
    enum status status =
        mail_queue_take(run, mailer.names, mailer.count, mail_settings.smtp_timeout_ms + LEASE_SLACK_MS,
                        &delivery.arena, &delivery.mail);
    bool has_mail = status == STATUS_OK && delivery.mail;
    if (has_mail) {
        status = deliver(&delivery, &is_down);
        down_rounds = is_down ? down_rounds + 1 : 0;
    }
    *ret_goes_on = has_mail && !is_down;
    arena_fini(&delivery.arena);
    return status;
}

static enum status survey(struct job_run *run) {
    uint64_t now_ns = clock_get_monotonic_ns(app_get_clock(run->app));
    struct mail_backlog backlog;
    if (now_ns < survey_due_ns)
        return STATUS_OK;
    enum status status = mail_queue_survey(run, &backlog);
    if (status != STATUS_OK)
        return status;
    survey_due_ns = now_ns + SURVEY_EVERY_MS * UINT64_C(1000000);
    atomic_store_explicit(&queued_count, backlog.count, memory_order_relaxed);
    atomic_store_explicit(&oldest_ms, backlog.oldest_ms, memory_order_relaxed);
    return STATUS_OK;
}

static int64_t get_pause_ms(void) {
    int64_t ms = mail_settings.mail_poll_ms;
    for (int i = 0; i < down_rounds && ms < DOWN_LONGEST_MS; i++)
        ms *= 2;
    return down_rounds > 0 && ms > DOWN_LONGEST_MS ? DOWN_LONGEST_MS : ms;
}

static enum status run_round(struct job_run *run) {
    struct smtp_session *session = NULL;
    enum status status = STATUS_OK;
    bool goes_on = true;
    for (int i = 0; i < MAILS_PER_ROUND && goes_on && status == STATUS_OK && !job_is_stopping(run); i++)
        status = send_next(run, &session, &goes_on);
    smtp_session_free(session);
    run->next_in_ms = get_pause_ms();
    return status == STATUS_OK ? survey(run) : status;
}

const struct app_job mailer_job = {
    .name = "mailer", .period_ms = &mail_settings.mail_poll_ms, .run = run_round};

// ---- metrics ----

void mailer_write_metrics(struct metrics_writer *writer, void *context) {
    static const struct {
        const char *labels;
        _Atomic uint64_t *counter;
    } outcomes[] = {{"outcome=\"sent\"", &sent_count},
                    {"outcome=\"failed\"", &failed_count},
                    {"outcome=\"put_off\"", &retried_count},
                    {"outcome=\"dropped\"", &dropped_count}};
    (void)context;
    for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++)
        metrics_write_counter(writer, "latchkey_mail_attempts_total",
                              "What became of attempts to send a mail, by this process.", outcomes[i].labels,
                              atomic_load_explicit(outcomes[i].counter, memory_order_relaxed));
    metrics_write_gauge(writer, "latchkey_mail_queued", "Mails that wait, of all processes; at most 10000.",
                        NULL, (double)atomic_load_explicit(&queued_count, memory_order_relaxed));
    metrics_write_gauge(writer, "latchkey_mail_oldest_seconds", "How long the oldest of them waits.", NULL,
                        (double)atomic_load_explicit(&oldest_ms, memory_order_relaxed) / 1000);
}
