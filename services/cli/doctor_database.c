#include "services/cli/doctor_database.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/base/typeid.h"
#include "common/db/connection.h"
#include "common/db/migrate.h"
#include "services/cli/answer.h"
#include "services/cli/sql.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    OLDEST_VERSION = 140000,
    LANE_COUNT = 65,
    SERVER_COUNT = 4, // those that keep a pool of connections
    BEHIND_MAX = 1000,
    MAIL_WAIT_MAX_MS = 600000,
    SKEW_WARN_MS = 1000,
    SKEW_FAIL_MS = 5000, // past it validators are not ready (--max-clock-skew)
};

static const char *format_span(struct doctor *doctor, int64_t ms) {
    char text[TIME_TEXT_SPAN_MAX + 1];
    time_text_format_span(ms, text);
    return cli_format(doctor->cli, "%s", text);
}

// ---- judgements ----

static void judge_server(struct doctor *doctor, const struct database_facts *facts) {
    const char *version = cli_format(doctor->cli, "PostgreSQL %" PRId64, facts->version / 10000);
    if (facts->version < OLDEST_VERSION)
        doctor_tell(doctor, VERDICT_FAIL, "version", "upgrade it to PostgreSQL 14 or later", "%s", version);
    else
        doctor_tell(doctor, VERDICT_OK, "version", NULL, "%s", version);
    if (facts->is_in_recovery)
        doctor_tell(doctor, VERDICT_FAIL, "primary",
                    "name all hosts in the URL, so that the primary is taken",
                    "this host is a standby, which takes no writes");
}

// An acknowledged write is one that a crash, or the loss of a host, does not undo.
static void judge_durability(struct doctor *doctor, const struct database_facts *facts) {
    if (!facts->keeps_fsync || !facts->keeps_full_pages)
        doctor_tell(doctor, VERDICT_FAIL, "durability", "set fsync = on and full_page_writes = on",
                    "a crash of the host can ruin the database: fsync or full_page_writes is off");
    if (strcmp(facts->synchronous_commit, "off") == 0)
        doctor_tell(doctor, VERDICT_FAIL, "durability", "set synchronous_commit = on",
                    "writes are acknowledged that a crash undoes: synchronous_commit is off");
    else if (facts->standbys > 0 &&
             (!facts->has_synchronous_standbys || strcmp(facts->synchronous_commit, "local") == 0))
        doctor_tell(doctor, VERDICT_WARN, "durability",
                    "name them in synchronous_standby_names, with synchronous_commit = on",
                    "a failover may lose acknowledged writes: of %" PRId64 " standbys none is synchronous",
                    facts->standbys);
    else if (facts->keeps_fsync && facts->keeps_full_pages)
        doctor_tell(doctor, VERDICT_OK, "durability", NULL,
                    "synchronous_commit is %s, %" PRId64 " standbys%s", facts->synchronous_commit,
                    facts->standbys, facts->has_synchronous_standbys ? ", some of them synchronous" : "");
}

static void judge_connections(struct doctor *doctor, const struct app_settings *settings,
                              const struct database_facts *facts) {
    int64_t wanted = SERVER_COUNT * settings->database_pool_size;
    enum verdict verdict = facts->free_connections <= settings->database_pool_size ? VERDICT_FAIL
                           : facts->all_connections < wanted                       ? VERDICT_WARN
                                                                                   : VERDICT_OK;
    doctor_tell(doctor, verdict, "connections",
                verdict == VERDICT_OK ? NULL : "raise max_connections, or lower --database-pool-size",
                "%" PRId64 " of %" PRId64 " are free; a server takes up to %" PRId64
                " (--database-pool-size), and there are %d servers",
                facts->free_connections, facts->all_connections, settings->database_pool_size, SERVER_COUNT);
}

static void judge_deployment(struct doctor *doctor, const struct database_facts *facts) {
    if (facts->lanes != LANE_COUNT)
        doctor_tell(doctor, VERDICT_FAIL, "lanes", "restore latchkey.change_lane; nothing may delete from it",
                    "there are %" PRId64 " lanes of the change log in place of %d", facts->lanes, LANE_COUNT);
    else
        doctor_tell(doctor, VERDICT_OK, "lanes", NULL, "all %d are there", LANE_COUNT);
    if (!facts->has_operator)
        doctor_tell(doctor, VERDICT_WARN, "operator", "run `latchkey bootstrap`",
                    "there is no operator yet, who makes companies");
    if (facts->loss_reports > 0 || !facts->is_timeline_accepted)
        doctor_tell(
            doctor, VERDICT_FAIL, "history",
            "run `latchkey recover`: until it is settled no validator admits anybody",
            "acknowledged changes may be missing: %" PRId64 " reports of validators, timeline %" PRId64 " %s",
            facts->loss_reports, facts->timeline, facts->is_timeline_accepted ? "accepted" : "not accepted");
    else
        doctor_tell(doctor, VERDICT_OK, "history", NULL, "timeline %" PRId64 ", nothing is missing",
                    facts->timeline);
}

static void judge_validator(struct doctor *doctor, const struct validator_facts *validator) {
    if (validator->silent_ms > validator->lease_ms)
        doctor_tell(
            doctor, VERDICT_WARN, "validator",
            "see its log and /readyz; a row that a killed one left goes with the next confirmed change",
            "%s has not renewed its lease for %s: it was killed, or can't reach the database",
            validator->name, format_span(doctor, validator->silent_ms));
    else if (validator->behind > BEHIND_MAX)
        doctor_tell(doctor, VERDICT_WARN, "validator", "see its log, and how busy its machine is",
                    "%s is %" PRId64 " changes behind", validator->name, validator->behind);
    else
        doctor_tell(doctor, VERDICT_OK, "validator", NULL, "%s is %" PRId64 " changes behind, renewed %s ago",
                    validator->name, validator->behind, format_span(doctor, validator->silent_ms));
}

static void judge_served(struct doctor *doctor, const struct database_facts *facts) {
    if (facts->unserved[0])
        doctor_tell(doctor, VERDICT_FAIL, "served", "start validators that serve them (--lanes)",
                    "nobody decides about companies of the lanes %s", facts->unserved);
    else if (facts->fewest_servers == facts->most_servers)
        doctor_tell(doctor, VERDICT_OK, "served", NULL, "each lane by %" PRId64 " validators",
                    facts->fewest_servers);
    else
        doctor_tell(doctor, VERDICT_OK, "served", NULL, "each lane by %" PRId64 " to %" PRId64 " validators",
                    facts->fewest_servers, facts->most_servers);
}

static void judge_validators(struct doctor *doctor, const struct database_facts *facts) {
    if (facts->validator_count == 0)
        doctor_tell(doctor, VERDICT_WARN, "validator", "start latchkeyd or a latchkey-validator",
                    "none follows this database");
    for (size_t i = 0; i < facts->validator_count; i++)
        judge_validator(doctor, &facts->validators[i]);
    if (facts->validator_count > 0)
        judge_served(doctor, facts);
}

static void judge_mail(struct doctor *doctor, const struct database_facts *facts) {
    if (facts->oldest_mail_ms > MAIL_WAIT_MAX_MS)
        doctor_tell(doctor, VERDICT_WARN, "mails",
                    "see the mail server's answer below, and the servers' logs",
                    "%" PRId64 " wait, the oldest for %s", facts->queued_mails,
                    format_span(doctor, facts->oldest_mail_ms));
    else
        doctor_tell(doctor, VERDICT_OK, "mails", NULL, "%" PRId64 " wait", facts->queued_mails);
}

static void judge_whitelists(struct doctor *doctor, const struct database_facts *facts) {
    for (size_t i = 0; i < facts->locked_out_count; i++)
        doctor_tell(doctor, VERDICT_WARN, "whitelist",
                    "as the operator: latchkey whitelist add ADDRESS, or disable, --operator --company ID",
                    "the whitelist of %s is on and lets nobody in",
                    typeid_of(TYPEID_COMPANY, facts->locked_out[i]).text);
    if (facts->locked_out_count == 0)
        doctor_tell(doctor, VERDICT_OK, "whitelist", NULL, "no company has locked itself out");
}

void doctor_database_judge(struct doctor *doctor, const struct app_settings *settings,
                           const struct database_facts *facts) {
    judge_server(doctor, facts);
    judge_durability(doctor, facts);
    judge_connections(doctor, settings, facts);
    judge_deployment(doctor, facts);
    judge_validators(doctor, facts);
    judge_mail(doctor, facts);
    judge_whitelists(doctor, facts);
}

void doctor_database_judge_clock(struct doctor *doctor, int64_t skew_ms, int64_t doubt_ms) {
    int64_t least_ms = llabs(skew_ms) - doubt_ms;
    enum verdict verdict = least_ms > SKEW_FAIL_MS   ? VERDICT_FAIL
                           : least_ms > SKEW_WARN_MS ? VERDICT_WARN
                                                     : VERDICT_OK;
    doctor_tell(doctor, verdict, "clock",
                verdict == VERDICT_OK ? NULL : "let NTP set both clocks; validators refuse past 5 s",
                "this machine is %" PRId64 " ms %s the database, give or take %" PRId64 " ms",
                (int64_t)llabs(skew_ms), skew_ms < 0 ? "behind" : "ahead of", doubt_ms);
}

// ---- looking ----

static const char *find_url(const struct cli *cli, const struct app_settings *settings) {
    const char *url = options_find_text(&cli->options, "database-direct-url");
    if (!url)
        url = options_find_text(&cli->options, "database-url");
    return url ? url : settings->database_direct_url;
}

static enum status open_database(struct doctor *doctor, const struct app_settings *settings,
                                 struct db_connection **ret_connection) {
    const struct db_connection_options options = {.url = find_url(doctor->cli, settings),
                                                  .application_name = "latchkey doctor",
                                                  .prepare = DB_PREPARE_OFF,
                                                  .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    struct db_connect_failure failure;
    enum status status = db_connection_open(&options, DB_NO_DEADLINE, ret_connection, &failure);
    if (status == STATUS_OK)
        doctor_tell(doctor, VERDICT_OK, "database", NULL, "it can be reached");
    else
        doctor_tell(doctor, VERDICT_FAIL, "database", NULL, "%s", failure.sentence);
    return status;
}

static enum status look_at_schema(struct doctor *doctor, struct db_connection *connection) {
    struct db_migrate_report report;
    enum status status = db_schema_check(connection, db_migrations_get_embedded(), DB_NO_DEADLINE, &report);
    if (status == STATUS_OK)
        doctor_tell(doctor, VERDICT_OK, "schema", NULL, "%04u, %s", report.number,
                    report.is_newer ? "a newer version's, on which this one works"
                                    : "as this version has it");
    else
        doctor_tell(doctor, VERDICT_FAIL, "schema", NULL, "%s",
                    report.sentence[0] ? report.sentence : status_get_text(status));
    return status;
}

static enum status look_at_clock(struct doctor *doctor, struct db_transaction *transaction) {
    const struct clock *clock = clock_get_system();
    int64_t database_ms, before_ms = clock_get_realtime_ms(clock);
    enum status status = doctor_store_read_clock(transaction, &database_ms);
    int64_t after_ms = clock_get_realtime_ms(clock), doubt_ms = (after_ms - before_ms) / 2 + 1;
    if (status == STATUS_OK)
        doctor_database_judge_clock(doctor, before_ms + doubt_ms - 1 - database_ms, doubt_ms);
    return status;
}

static enum status look_inside(struct doctor *doctor, const struct app_settings *settings,
                               struct db_connection *connection) {
    const struct db_begin_options options = {.arena = &doctor->cli->arena,
                                             .deadline_ns = DB_NO_DEADLINE,
                                             .access = DB_READ_ONLY,
                                             .role = SQL_OWNER_ROLE};
    struct db_transaction *transaction;
    struct database_facts facts = {0};
    enum status status = db_begin(connection, &options, &transaction);
    if (status != STATUS_OK)
        return status;
    status = doctor_store_read(transaction, &doctor->cli->arena, &facts);
    if (status == STATUS_OK)
        doctor_database_judge(doctor, settings, &facts);
    if (status == STATUS_OK)
        status = look_at_clock(doctor, transaction);
    db_rollback(transaction);
    return status;
}

void doctor_database_look(struct doctor *doctor, const struct app_settings *settings) {
    struct db_connection *connection;
    if (open_database(doctor, settings, &connection) != STATUS_OK)
        return;
    enum status status = look_at_schema(doctor, connection);
    if (status == STATUS_OK && (status = look_inside(doctor, settings, connection)) != STATUS_OK)
        doctor_tell(doctor, VERDICT_FAIL, "database",
                    "use the database user that ran `latchkey migrate`; LATCHKEY_LOG_LEVEL=debug shows more",
                    "it can't be looked at: %s", status_get_text(status));
    db_connection_close(connection);
}
