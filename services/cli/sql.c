#include "services/cli/sql.h"

#include <string.h>

#include "common/db/migrate.h"

#define CONNECT_TIMEOUT_MS 5000
#define ERROR_MAX 400
#define INSUFFICIENT_PRIVILEGE "42501"

static const char *get_url(const struct cli *cli) {
    static const char *const variables[] = {"LATCHKEY_DATABASE_DIRECT_URL", "LATCHKEY_DATABASE_URL"};
    const char *url = options_find_text(&cli->options, "database-direct-url");
    if (!url)
        url = options_find_text(&cli->options, "database-url");
    for (size_t i = 0; i < ARRAY_LENGTH(variables) && !url; i++)
        url = cli_get_variable(cli, variables[i]);
    return url;
}

// A database that nobody has made yet may be there later, as a server may that does not answer.
static enum exit_code get_exit_code(const struct db_connect_failure *failure, enum status status) {
    return failure->kind == DB_CONNECT_NO_DATABASE ? EXIT_CODE_UNAVAILABLE : exit_code_from_status(status);
}

enum exit_code sql_open(struct cli *cli, struct db_connection **ret_connection) {
    const char *url = get_url(cli);
    if (!url || !*url)
        return cli_fail(
            cli, EXIT_CODE_USAGE,
            "no database: put its URL into LATCHKEY_DATABASE_URL or --database-url, such as "
            "postgresql://user@host/database; the password belongs into PGPASSWORD or a passfile");
    char error[ERROR_MAX];
    if (db_url_check(url, error, sizeof(error)) != STATUS_OK)
        return cli_fail(cli, EXIT_CODE_USAGE, "%s", error);
    // why: without prepared statements it also works through a pooler, and nothing here runs twice.
    const struct db_connection_options options = {.url = url,
                                                  .application_name = "latchkey command line",
                                                  .prepare = DB_PREPARE_OFF,
                                                  .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    struct db_connect_failure failure;
    enum status status = db_connection_open(&options, DB_NO_DEADLINE, ret_connection, &failure);
    if (status != STATUS_OK)
        return cli_fail(cli, get_exit_code(&failure, status), "%s", failure.sentence);
    return EXIT_CODE_DONE;
}

enum exit_code sql_check_schema(struct cli *cli, struct db_connection *connection) {
    struct db_migrate_report report;
    enum status status = db_schema_check(connection, db_migrations_get_embedded(), DB_NO_DEADLINE, &report);
    if (status == STATUS_OK)
        return EXIT_CODE_DONE;
    return cli_fail(cli, exit_code_from_status(status), "%s", report.sentence);
}

static enum exit_code tell(struct cli *cli, const struct db_error *error, struct fault *fault,
                           enum status status) {
    if (strcmp(error->sqlstate, INSUFFICIENT_PRIVILEGE) == 0)
        return cli_fail(cli, EXIT_CODE_NOT_ALLOWED,
                        "the database user may not act as " SQL_OWNER_ROLE
                        "; use the one that ran `latchkey migrate`, or let an administrator run: "
                        "GRANT " SQL_OWNER_ROLE " TO that user");
    if (status == STATUS_INTERNAL)
        fault_set(fault, status, NULL,
                  "the database could not do it (SQLSTATE %s); LATCHKEY_LOG_LEVEL=debug shows the statement",
                  error->sqlstate);
    db_fault(fault, status);
    if (fault->status == STATUS_OK)
        fault_set(fault, status, NULL, "%s", status_get_text(status));
    return cli_fail_with_fault(cli, fault);
}

enum exit_code sql_run(struct cli *cli, struct db_connection *connection, sql_work *work, void *context) {
    const struct db_begin_options options = {
        .arena = &cli->arena, .deadline_ns = DB_NO_DEADLINE, .role = SQL_OWNER_ROLE};
    struct db_transaction *transaction;
    struct fault fault;
    fault_init(&fault, &cli->arena);
    enum status status = db_begin(connection, &options, &transaction);
    if (status != STATUS_OK)
        return tell(cli, &(struct db_error){0}, &fault, status);
    status = work(transaction, &fault, context);
    struct db_error error = *db_get_error(transaction);
    if (status == STATUS_OK) {
        status = db_commit(transaction);
        error = *db_get_error(transaction);
    } else {
        db_rollback(transaction);
    }
    if (status == STATUS_OK)
        return EXIT_CODE_DONE;
    return tell(cli, &error, &fault, status);
}
