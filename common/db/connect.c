// Opening a connection: each host in turn, each with its own time-out, then our session settings.
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/db/end.h"
#include "common/db/exchange.h"
#include "common/db/hosts.h"
#include "common/db/session.h"

#define DEFAULT_CONNECT_TIMEOUT_MS 5000
#define PLACE_MAX 255

// One attempt at opening a connection, over all hosts.
struct attempt {
    const struct db_connection_options *options;
    const struct clock *clock;
    uint64_t deadline_ns;
    int stop_fd;
    struct db_connect_failure failure; // the most telling so far
};

enum status db_url_check(const char *url, char *ret_error, size_t error_size) {
    struct hosts *hosts;
    enum status status = hosts_parse(url, "", &hosts);
    if (status == STATUS_OK)
        hosts_free(hosts);
    else
        snprintf(ret_error, error_size, "the connection string can't be parsed: %s", DB_URL_HINT);
    return status;
}

static void describe_place(PGconn *pg, char ret_place[PLACE_MAX + 1]) {
    const char *database = PQdb(pg), *host = PQhost(pg), *port = PQport(pg);
    snprintf(ret_place, PLACE_MAX + 1, "the database %s at %s:%s", database ? database : "", host ? host : "",
             port ? port : "");
}

// What an operator has to mend is told first, whatever the other hosts say; then that one of them is a
// standby.
static void note_failure(struct attempt *attempt, PGconn *pg, enum db_connect_failure_kind kind) {
    enum db_connect_failure_kind told = attempt->failure.kind;
    bool is_to_mend = db_connect_failure_is_permanent(kind);
    if (db_connect_failure_is_permanent(told) || (told == DB_CONNECT_READ_ONLY && !is_to_mend))
        return;
    char place[PLACE_MAX + 1];
    describe_place(pg, place);
    attempt->failure = db_connect_explain(kind, place);
    log_event(LOG_LEVEL_DEBUG, "connection attempt failed", LOG_TEXT("why", PQerrorMessage(pg)));
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static int get_remaining_ms(const struct clock *clock, uint64_t end_ns) {
    uint64_t now_ns = clock_get_monotonic_ns(clock);
    if (end_ns <= now_ns)
        return 0;
    uint64_t ms = (end_ns - now_ns) / 1000000 + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

// False: the time is up, or the process stops.
static bool wait_for_server(const struct attempt *attempt, PGconn *pg, short events, uint64_t end_ns) {
    struct pollfd fds[3] = {{.fd = PQsocket(pg), .events = events},
                            {.fd = attempt->stop_fd, .events = POLLIN}};
    int count = db_end_poll(attempt->options->end, fds, 2, get_remaining_ms(attempt->clock, end_ns));
    return count != 0 && !(fds[1].revents & POLLIN);
}

// Until when the server must have done its next part: the handshake, or the settings.
static uint64_t get_end_ns(const struct attempt *attempt) {
    uint32_t timeout_ms = attempt->options->connect_timeout_ms;
    uint64_t timeout_ns = (timeout_ms ? timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS) * UINT64_C(1000000);
    return earlier(attempt->deadline_ns, clock_get_monotonic_ns(attempt->clock) + timeout_ns);
}

static bool shake_hands(struct attempt *attempt, PGconn *pg) {
    uint64_t end_ns = get_end_ns(attempt);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED || PQstatus(pg) == CONNECTION_BAD) {
            note_failure(attempt, pg, db_connect_classify(PQerrorMessage(pg)));
            return false;
        }
        if (!wait_for_server(attempt, pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, end_ns)) {
            note_failure(attempt, pg, DB_CONNECT_TIMED_OUT);
            return false;
        }
        next = PQconnectPoll(pg);
    }
    return true;
}

static void on_notice(void *context, const PGresult *notice) {
    struct db_connection *connection = context;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    // FATAL comes as a notice when the server ends an idle connection.
    bool is_grave = severity && (strcmp(severity, "WARNING") == 0 || strcmp(severity, "FATAL") == 0);
    if (!is_grave)
        return;
    connection->has_warned = true;
    log_event(LOG_LEVEL_WARNING, "PostgreSQL warns", LOG_TEXT("message", message),
              LOG_TEXT("sqlstate", PQresultErrorField(notice, PG_DIAG_SQLSTATE)));
}

// why the role is tried and not kept: behind a pooler the session is anybody's next, so each transaction sets
// it (transaction.c). why a question first and no SET ROLE that fails: in a database without our schema the
// role may not exist, and then the schema is what is told. why jit is off: array parameters make the planner
// expect much work, and compiling costs seconds where running takes milliseconds. why single statements may
// write whatever the database's default is: a validator's lease is renewed by one, and must not depend on
// more than a transaction does.
static const struct db_statement begin_session = {
    "session_begin",
    "SELECT to_regnamespace('latchkey') IS NULL, (SELECT set_config('role', $1, true)"
    " FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')),"
    " set_config('jit', 'off', false), set_config('default_transaction_read_only', 'off', false)"};

static enum db_connect_failure_kind judge_role(const PGresult *result) {
    enum { LACKS_SCHEMA, ROLE };
    if (!PQgetisnull(result, 0, ROLE))
        return DB_CONNECT_NONE;
    return PQgetvalue(result, 0, LACKS_SCHEMA)[0] ? DB_CONNECT_NO_SCHEMA : DB_CONNECT_NO_ROLE;
}

static enum db_connect_failure_kind try_role(struct attempt *attempt, struct db_connection *connection,
                                             struct arena *arena) {
    struct db_params params;
    db_params_init(&params, arena);
    db_params_add_text(&params, bytes_of_text(attempt->options->role));
    struct exchange_step step = {.statement = &begin_session, .params = &params};
    struct exchange_failure failure;
    if (exchange_run(connection, &step, 1, get_end_ns(attempt), &failure) != STATUS_OK)
        return failure.verdict == EXCHANGE_REFUSED ? DB_CONNECT_NO_ROLE : DB_CONNECT_OTHER;
    enum db_connect_failure_kind kind = judge_role(step.result);
    PQclear(step.result);
    return kind;
}

static bool check_session(struct attempt *attempt, struct db_connection *connection) {
    if (!attempt->options->role || connection->prepare == DB_PREPARE_OFF)
        return true;
    struct arena arena;
    arena_init(&arena, 0);
    enum db_connect_failure_kind kind = try_role(attempt, connection, &arena);
    arena_fini(&arena);
    if (kind != DB_CONNECT_NONE)
        note_failure(attempt, connection->pg, kind);
    return kind == DB_CONNECT_NONE;
}

// Takes `pg`, also on failure.
static struct db_connection *adopt(struct attempt *attempt, PGconn *pg) {
    struct db_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        note_failure(attempt, pg, DB_CONNECT_NO_MEMORY);
        PQfinish(pg);
        return NULL;
    }
    connection->pg = pg;
    connection->clock = attempt->clock;
    connection->end = attempt->options->end;
    connection->prepare = attempt->options->prepare;
    connection->role = attempt->options->role;
    connection->transaction.connection = connection;
    connection->cancel_target = cancel_target_new(pg);
    PQsetNoticeReceiver(pg, on_notice, connection);
    bool is_set = connection->cancel_target && PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) == 1;
    if (!is_set)
        note_failure(attempt, pg, DB_CONNECT_NO_MEMORY);
    if (is_set && check_session(attempt, connection))
        return connection;
    db_connection_close(connection);
    return NULL;
}

static struct db_connection *try_host(struct attempt *attempt, struct hosts *hosts, unsigned i) {
    const struct hosts_keywords *keywords = hosts_select(hosts, i);
    PGconn *pg = PQconnectStartParams(keywords->names, keywords->values, 0);
    if (!pg) {
        attempt->failure = db_connect_explain(DB_CONNECT_NO_MEMORY, "the database");
        return NULL;
    }
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE); // with SQLSTATE: see db_connect_classify()
    if (shake_hands(attempt, pg))
        return adopt(attempt, pg);
    PQfinish(pg);
    return NULL;
}

static bool has_time(const struct attempt *attempt) {
    struct pollfd stop = {.fd = attempt->stop_fd, .events = POLLIN};
    return clock_get_monotonic_ns(attempt->clock) < attempt->deadline_ns && poll(&stop, 1, 0) == 0;
}

enum status session_open(const struct db_connection_options *options, uint64_t deadline_ns, int stop_fd,
                         unsigned *host, struct db_connection **ret_connection,
                         struct db_connect_failure *ret_failure) {
    struct attempt attempt = {.options = options,
                              .clock = options->clock ? options->clock : clock_get_system(),
                              .deadline_ns = deadline_ns,
                              .stop_fd = stop_fd,
                              .failure = db_connect_explain(DB_CONNECT_NONE, "")};
    struct hosts *hosts;
    enum status status =
        hosts_parse(options->url, options->application_name ? options->application_name : "latchkey", &hosts);
    if (status != STATUS_OK) {
        *ret_failure = db_connect_explain(
            status == STATUS_INVALID ? DB_CONNECT_BAD_URL : DB_CONNECT_NO_MEMORY, "the database");
        return status;
    }
    struct db_connection *connection = NULL;
    unsigned count = hosts_get_count(hosts), first = *host % count;
    for (unsigned i = 0; i < count && !connection; i++) {
        *host = (first + i) % count;
        if (i == 0 || has_time(&attempt))
            connection = try_host(&attempt, hosts, *host);
    }
    hosts_free(hosts);
    if (!connection) {
        *ret_failure = attempt.failure;
        return db_connect_failure_get_status(attempt.failure.kind);
    }
    *ret_connection = connection;
    return STATUS_OK;
}

enum status db_connection_open(const struct db_connection_options *options, uint64_t deadline_ns,
                               struct db_connection **ret_connection,
                               struct db_connect_failure *ret_failure) {
    unsigned host = 0;
    return session_open(options, deadline_ns, -1, &host, ret_connection, ret_failure);
}
