#include "tests/integration/db/database.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

#define AWAIT_MS 20000
#define AWAIT_STEP_MS 10

static PGconn *connect_plainly(const char *url) {
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    return pg;
}

static void ignore_notice(void *unused, const PGresult *notice) {
    (void)unused, (void)notice;
}

static PGresult *execute(PGconn *pg, const char *sql) {
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    return result;
}

void database_run(const char *url, const char *sql) {
    PGconn *pg = connect_plainly(url);
    PQclear(execute(pg, sql));
    PQfinish(pg);
}

// False when there is no row.
static bool find_answer(const char *url, const char *sql, int64_t *ret_answer) {
    PGconn *pg = connect_plainly(url);
    PGresult *result = execute(pg, sql);
    bool is_found = PQntuples(result) > 0;
    if (is_found)
        *ret_answer = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(pg);
    return is_found;
}

int64_t database_ask(const char *url, const char *sql) {
    int64_t answer;
    if (!find_answer(url, sql, &answer))
        fail_msg("%s has no row", sql);
    return answer;
}

void database_await(const char *url, const char *sql, int64_t wanted) {
    int64_t answer;
    for (int waited_ms = 0; !find_answer(url, sql, &answer) || answer != wanted; waited_ms += AWAIT_STEP_MS) {
        if (waited_ms > AWAIT_MS)
            fail_msg("%s did not become %lld", sql, (long long)wanted);
        poll(NULL, 0, AWAIT_STEP_MS);
    }
}

static void append_keyword(char *to, const char *keyword, const char *value) {
    size_t len = strlen(to);
    len += (size_t)snprintf(to + len, DATABASE_URL_MAX - len, "%s%s='", len ? " " : "", keyword);
    for (; *value && len + 3 < DATABASE_URL_MAX; value++) {
        if (*value == '\'' || *value == '\\')
            to[len++] = '\\';
        to[len++] = *value;
    }
    snprintf(to + len, DATABASE_URL_MAX - len, "'");
}

void database_url_with(const char *url, const char *keyword, const char *value,
                       char ret_url[DATABASE_URL_MAX + 1]) {
    char made[DATABASE_URL_MAX + 1] = "";
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    assert_non_null(options);
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (option->val && strcmp(option->keyword, keyword) != 0)
            append_keyword(made, option->keyword, option->val);
    append_keyword(made, keyword, value);
    PQconninfoFree(options);
    memcpy(ret_url, made, sizeof(made));
}

static const char *get_server(void) {
    const char *url = getenv("LATCHKEY_TEST_DATABASE_URL");
    if (!url)
        fail_msg("LATCHKEY_TEST_DATABASE_URL is not set; see tests/lib/with_postgres.py");
    return url;
}

struct database database_new(void) {
    static unsigned count;
    struct database database;
    char sql[128];
    snprintf(database.name, sizeof(database.name), "latchkey_db_%d_%u", (int)getpid(), count++);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", database.name);
    database_run(get_server(), sql);
    database_url_with(get_server(), "dbname", database.name, database.url);
    return database;
}

// False while autovacuum is in it, whose process is a superuser's: nobody else may end it.
static bool try_to_drop(PGconn *pg, const char *sql) {
    PGresult *result = PQexec(pg, sql);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool is_in_use = sqlstate && strcmp(sqlstate, "42501") == 0;
    if (!is_in_use && PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    PQclear(result);
    return !is_in_use;
}

void database_drop(const struct database *database) {
    char sql[128];
    snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", database->name);
    PGconn *pg = connect_plainly(get_server());
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    for (int waited_ms = 0; !try_to_drop(pg, sql); waited_ms += AWAIT_STEP_MS) {
        if (waited_ms > AWAIT_MS)
            fail_msg("%s: autovacuum does not end", sql);
        poll(NULL, 0, AWAIT_STEP_MS);
    }
    PQfinish(pg);
}

uint64_t deadline_in_ms(uint64_t ms) {
    return clock_get_monotonic_ns(clock_get_system()) + ms * UINT64_C(1000000);
}

struct db_connection *database_open(const char *url) {
    struct db_connection_options options = {.url = url, .application_name = "test"};
    struct db_connection *connection = NULL;
    struct db_connect_failure failure;
    if (db_connection_open(&options, deadline_in_ms(10000), &connection, &failure) != STATUS_OK)
        fail_msg("%s", failure.sentence);
    return connection;
}

int32_t get_backend(struct db_transaction *transaction) {
    static const struct db_statement statement = {"test_backend", "SELECT pg_backend_pid()"};
    const struct db_result *result;
    assert_int_equal(db_query(transaction, &statement, NULL, &result), STATUS_OK);
    return db_result_get_int32(result, 0, 0);
}
