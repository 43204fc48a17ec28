// One transaction for each file: take the lock, look what is there, apply the next one, record it. Whoever
// comes second waits for the lock and then finds it done. A lock that ends with its transaction needs no
// session, so that this also works through a pooler.
#include "common/db/migrate.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/db/session.h"

#define NUMBER_LENGTH 4
#define INSUFFICIENT_PRIVILEGE "42501"

enum {
    STATEMENT_LOCK,
    STATEMENT_FIND_TABLE,
    STATEMENT_MAKE_SCHEMA,
    STATEMENT_MAKE_TABLE,
    STATEMENT_ADD_COLUMN,
    STATEMENT_LIST,
    STATEMENT_RECORD
};

static const struct db_statement statements[] = {
    // The number is "latchkey" in ASCII.
    [STATEMENT_LOCK] = {"migrate_lock", "SELECT pg_advisory_xact_lock(7809651199139603833)"},
    [STATEMENT_FIND_TABLE] = {"migrate_find_table",
                              "SELECT to_regclass('latchkey.migration') IS NOT NULL, EXISTS (SELECT FROM "
                              "pg_attribute WHERE attrelid = to_regclass('latchkey.migration')"
                              " AND attname = 'breaks_before')"},
    [STATEMENT_MAKE_SCHEMA] = {"migrate_make_schema", "CREATE SCHEMA IF NOT EXISTS latchkey"},
    [STATEMENT_MAKE_TABLE] =
        {"migrate_make_table",
         "CREATE TABLE latchkey.migration (number integer PRIMARY KEY, name text NOT NULL,"
         " sha256 bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), breaks_before integer)"},
    // What an earlier latchkey has made. Only where it is missing: it locks out who starts meanwhile.
    [STATEMENT_ADD_COLUMN] = {"migrate_add_column",
                              "ALTER TABLE latchkey.migration ADD COLUMN breaks_before integer"},
    // By way of JSON, which does not mind that the column is not there yet. Unknown means all before it.
    [STATEMENT_LIST] = {"migrate_list",
                        "SELECT number, name, sha256, coalesce((to_jsonb(m) ->> 'breaks_before')::integer,"
                        " number) FROM latchkey.migration m ORDER BY number"},
    [STATEMENT_RECORD] =
        {"migrate_record",
         "INSERT INTO latchkey.migration (number, name, sha256, breaks_before) VALUES ($1, $2, $3, $4)"},
};

// One look at the database, or one step of a migration.
struct run {
    struct db_connection *connection;
    struct db_migrations migrations;
    uint64_t deadline_ns;
    struct arena arena;
    struct db_transaction *transaction;
    struct db_migrate_report *report;
};

struct db_migrations db_migrations_get_embedded(void) {
    return (struct db_migrations){schema_files, schema_file_count};
}

static unsigned get_number(const struct schema_file *file) {
    uint64_t number = 0;
    for (size_t i = 0; i < NUMBER_LENGTH; i++) {
        assert(file->name[i] >= '0' && file->name[i] <= '9');
        number = number * 10 + (uint64_t)(file->name[i] - '0');
    }
    return (unsigned)number;
}

static enum status begin(struct run *run, enum db_access access) {
    struct db_begin_options options = {
        .arena = &run->arena, .deadline_ns = run->deadline_ns, .access = access};
    return db_begin(run->connection, &options, &run->transaction);
}

static enum status query(struct run *run, int statement, const struct db_result **ret_result) {
    return db_query(run->transaction, &statements[statement], NULL, ret_result);
}

PRINTF_LIKE(2, 3) static enum status refuse(struct run *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(run->report->sentence, sizeof(run->report->sentence), format, args);
    va_end(args);
    return STATUS_FAILED_PRECONDITION;
}

struct found {
    bool has_table, has_column;
};

static enum status find_table(struct run *run, struct found *ret_found) {
    const struct db_result *result;
    enum status status = query(run, STATEMENT_FIND_TABLE, &result);
    if (status == STATUS_OK)
        *ret_found = (struct found){db_result_get_bool(result, 0, 0), db_result_get_bool(result, 0, 1)};
    return status;
}

static enum status make_table(struct run *run, struct found found) {
    if (found.has_column)
        return STATUS_OK;
    if (found.has_table)
        return query(run, STATEMENT_ADD_COLUMN, NULL);
    enum status status = query(run, STATEMENT_MAKE_SCHEMA, NULL);
    return status == STATUS_OK ? query(run, STATEMENT_MAKE_TABLE, NULL) : status;
}

// The columns of STATEMENT_LIST.
enum { NUMBER, NAME, SHA256, BREAKS_BEFORE };

// A row of the record beyond our own files.
static enum status look_at_newer(struct run *run, const struct db_result *recorded, int row) {
    unsigned own =
        run->migrations.count > 0 ? get_number(&run->migrations.files[run->migrations.count - 1]) : 0;
    if (db_result_get_int32(recorded, row, BREAKS_BEFORE) > (int)own)
        return refuse(run, "this database was migrated by a newer latchkey (%.*s); run that version",
                      BYTES_FORMAT(db_result_get_text(recorded, row, NAME)));
    return STATUS_OK;
}

// Row `row` of the record against our file of the same place.
static enum status compare_row(struct run *run, const struct db_result *recorded, int row) {
    int number = db_result_get_int32(recorded, row, NUMBER);
    struct bytes name = db_result_get_text(recorded, row, NAME);
    const struct schema_file *file = &run->migrations.files[row];
    if (number != (int)get_number(file) || !bytes_is_text(name, file->name))
        return refuse(run,
                      "the database has migration %.*s where this latchkey has %s; they are not of one line",
                      BYTES_FORMAT(name), file->name);
    struct digest digest;
    digest_sha256(bytes_of_text(file->text), &digest);
    if (!bytes_is_equal(db_result_get_bytes(recorded, row, SHA256),
                        bytes_of(digest.bytes, sizeof(digest.bytes))))
        return refuse(run, "migration %s was edited after it had landed in this database; restore its text",
                      file->name);
    return STATUS_OK;
}

static enum status compare(struct run *run, size_t *ret_recorded) {
    const struct db_result *recorded;
    enum status status = query(run, STATEMENT_LIST, &recorded);
    if (status != STATUS_OK)
        return status;
    int count = db_result_get_row_count(recorded), own = (int)run->migrations.count;
    run->report->is_newer = count > own;
    if (count > 0)
        run->report->number = (unsigned)db_result_get_int32(recorded, count - 1, NUMBER);
    // The newer ones first: that they leave us behind explains more than a difference further down.
    for (int row = own; status == STATUS_OK && row < count; row++)
        status = look_at_newer(run, recorded, row);
    for (int row = 0; status == STATUS_OK && row < count && row < own; row++)
        status = compare_row(run, recorded, row);
    if (status == STATUS_OK)
        *ret_recorded = (size_t)count;
    return status;
}

// --- applying a file

static const char *or_empty(const char *text) {
    return text ? text : "";
}

// A deadlock with those who work meanwhile, a lock that was not had in time, an administrator's cancellation,
// memory: no fault of the file's.
static bool may_pass(enum status status) {
    return status == STATUS_ABORTED || status == STATUS_UNAVAILABLE;
}

static enum status refuse_file(struct run *run, const struct schema_file *file, const PGresult *result) {
    const char *hint = or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
    const char *detail = or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum status status = transaction_note_error(run->transaction, sqlstate);
    if (sqlstate_is_fatal(sqlstate))
        return status;
    enum status refused = refuse(run, "migration %s failed and was undone: %s%s%s%s%s", file->name,
                                 or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
                                 detail[0] ? ". " : "", detail, hint[0] ? ". " : "", hint);
    return may_pass(status) ? STATUS_UNAVAILABLE : refused;
}

// Reads every result of the script; the first error decides.
static enum status receive_script(struct run *run, const struct schema_file *file) {
    enum status outcome = STATUS_OK;
    for (;;) {
        PGresult *result = NULL;
        enum status status = session_get_result(run->connection, run->deadline_ns, &result);
        if (status != STATUS_OK)
            return status;
        if (!result)
            return outcome;
        ExecStatusType kind = PQresultStatus(result);
        if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && outcome == STATUS_OK)
            outcome = refuse_file(run, file, result);
        PQclear(result);
    }
}

static enum status run_script(struct run *run, const struct schema_file *file) {
    enum status status = session_begin_simple(run->connection, file->text);
    if (status != STATUS_OK)
        return status;
    status = receive_script(run, file);
    enum status end = run->connection->is_broken ? STATUS_UNAVAILABLE : session_end_simple(run->connection);
    return status == STATUS_OK ? end : status;
}

static enum status record(struct run *run, const struct schema_file *file) {
    struct digest digest;
    struct db_params params;
    digest_sha256(bytes_of_text(file->text), &digest);
    db_params_init(&params, &run->arena);
    db_params_add_int32(&params, (int32_t)get_number(file));
    db_params_add_text(&params, bytes_of_text(file->name));
    db_params_add_bytes(&params, bytes_of(digest.bytes, sizeof(digest.bytes)));
    db_params_add_int32(&params, (int32_t)file->breaks_before);
    return db_query(run->transaction, &statements[STATEMENT_RECORD], &params, NULL);
}

static enum status apply(struct run *run, const struct schema_file *file) {
    enum status status = run_script(run, file);
    if (status == STATUS_OK)
        status = record(run, file);
    return status;
}

static enum status lock_and_compare(struct run *run, size_t *ret_recorded) {
    struct found found = {0};
    enum status status = query(run, STATEMENT_LOCK, NULL);
    if (status == STATUS_OK)
        status = find_table(run, &found);
    if (status == STATUS_OK)
        status = make_table(run, found);
    return status == STATUS_OK ? compare(run, ret_recorded) : status;
}

// Applies the next file, or finds that there is none.
static enum status step(struct run *run, const char **ret_applied) {
    size_t recorded = 0;
    enum status status = begin(run, DB_READ_WRITE);
    if (status != STATUS_OK)
        return status;
    status = lock_and_compare(run, &recorded);
    const struct schema_file *file =
        recorded < run->migrations.count ? &run->migrations.files[recorded] : NULL;
    if (status == STATUS_OK && file)
        status = apply(run, file);
    if (status != STATUS_OK) {
        db_rollback(run->transaction);
        return status;
    }
    status = db_commit(run->transaction);
    if (status == STATUS_OK && file) {
        run->report->applied++;
        run->report->number = get_number(file);
        *ret_applied = file->name;
    }
    return status;
}

static enum status explain(struct run *run, enum status status) {
    if (status == STATUS_OK || run->report->sentence[0] != '\0')
        return status;
    const char *sqlstate = db_get_error(&run->connection->transaction)->sqlstate;
    if (strcmp(sqlstate, INSUFFICIENT_PRIVILEGE) == 0) {
        refuse(run, "the database user may not read or change latchkey's schema; use the user that owns the "
                    "database, or the one that migrated it before");
        return STATUS_PERMISSION_DENIED;
    }
    snprintf(run->report->sentence, sizeof(run->report->sentence),
             "the schema could not be read or changed: %s (SQLSTATE %s)", status_get_text(status),
             sqlstate[0] ? sqlstate : "none");
    return may_pass(status) ? STATUS_UNAVAILABLE : status;
}

enum status db_migrate(struct db_connection *connection, struct db_migrations migrations,
                       uint64_t deadline_ns, void (*on_applied)(const char *name),
                       struct db_migrate_report *ret_report) {
    *ret_report = (struct db_migrate_report){0};
    struct run run = {
        .connection = connection, .migrations = migrations, .deadline_ns = deadline_ns, .report = ret_report};
    enum status status;
    const char *applied;
    do {
        applied = NULL;
        arena_init(&run.arena, 0);
        status = explain(&run, step(&run, &applied));
        arena_fini(&run.arena);
        if (applied && on_applied)
            on_applied(applied);
    } while (status == STATUS_OK && applied);
    return status;
}

static enum status check(struct run *run) {
    struct found found = {0};
    size_t recorded = 0;
    enum status status = find_table(run, &found);
    if (status == STATUS_OK && !found.has_table)
        return refuse(run, "the database has no latchkey schema yet; run `latchkey migrate`");
    if (status == STATUS_OK)
        status = compare(run, &recorded);
    if (status == STATUS_OK && recorded < run->migrations.count)
        return refuse(run, "the database has schema %04u and this latchkey needs %s; run `latchkey migrate`",
                      run->report->number, run->migrations.files[run->migrations.count - 1].name);
    return status;
}

enum status db_schema_check(struct db_connection *connection, struct db_migrations migrations,
                            uint64_t deadline_ns, struct db_migrate_report *ret_report) {
    *ret_report = (struct db_migrate_report){0};
    struct run run = {
        .connection = connection, .migrations = migrations, .deadline_ns = deadline_ns, .report = ret_report};
    arena_init(&run.arena, 0);
    enum status status = begin(&run, DB_READ_ONLY);
    if (status == STATUS_OK) {
        status = check(&run);
        db_rollback(run.transaction);
    }
    status = explain(&run, status);
    arena_fini(&run.arena);
    return status;
}
