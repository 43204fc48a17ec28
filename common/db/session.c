// Waiting on a connection's socket, and what is true of it between two uses. libpq is in non-blocking mode
// throughout: every wait is a poll(2) with a deadline, so that a dead network can't hold a thread.
#include "common/db/session.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/db/end.h"

bool db_connection_is_broken(const struct db_connection *connection) {
    return connection->is_broken;
}

void db_connection_close(struct db_connection *connection) {
    if (!connection)
        return;
    db_rollback(&connection->transaction);
    cancel_target_free(connection->cancel_target);
    free(connection->prepared.statements);
    PQfinish(connection->pg);
    free(connection);
}

void session_break(struct db_connection *connection, const char *why) {
    if (!connection->is_broken)
        log_event(LOG_LEVEL_WARNING, "database connection given up", LOG_TEXT("why", why),
                  LOG_TEXT("host", PQhost(connection->pg)));
    connection->is_broken = true;
}

bool session_is_alive(struct db_connection *connection) {
    struct pollfd socket = {.fd = PQsocket(connection->pg), .events = POLLIN};
    if (connection->is_broken || PQstatus(connection->pg) != CONNECTION_OK)
        return false;
    // Idle means silent: what can be read now is the end, or a farewell of a server that shuts down. (A
    // notice or a changed parameter may come too; to drop the connection then costs little.)
    return poll(&socket, 1, 0) == 0;
}

// For poll(2): rounded up, so that it does not wake a moment before the deadline.
static int get_remaining_ms(const struct clock *clock, uint64_t deadline_ns) {
    if (deadline_ns == DB_NO_DEADLINE)
        return -1;
    uint64_t now_ns = clock_get_monotonic_ns(clock);
    if (deadline_ns <= now_ns)
        return 0;
    uint64_t ms = (deadline_ns - now_ns) / 1000000 + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static enum status lose(struct db_connection *connection) {
    session_break(connection, "connection lost");
    return STATUS_UNAVAILABLE;
}

// Drains both directions as far as they go without waiting. A dead connection is an error only once nothing
// is left to read: the server's last words tell why.
static bool move_bytes(struct db_connection *connection) {
    bool has_read = PQconsumeInput(connection->pg) == 1;
    return has_read && PQflush(connection->pg) >= 0;
}

// Until the socket is readable (and writes out what libpq still holds), until the deadline and no longer than
// the process has. DEADLINE_EXCEEDED or UNAVAILABLE leave the connection broken.
static enum status wait_for_bytes(struct db_connection *connection, uint64_t deadline_ns) {
    int unsent = PQflush(connection->pg);
    struct pollfd fds[2] = {
        {.fd = PQsocket(connection->pg), .events = (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN)}};
    if (fds[0].fd < 0)
        return lose(connection);
    int count;
    do {
        count = db_end_poll(connection->end, fds, 1, get_remaining_ms(connection->clock, deadline_ns));
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        session_break(connection, "no answer in time");
        return STATUS_DEADLINE_EXCEEDED;
    }
    return move_bytes(connection) ? STATUS_OK : lose(connection);
}

enum status session_get_result(struct db_connection *connection, uint64_t deadline_ns,
                               PGresult **ret_result) {
    while (PQisBusy(connection->pg)) {
        enum status status = wait_for_bytes(connection, deadline_ns);
        // Lost: libpq hands out what it has read, then a result that says so.
        if (status == STATUS_UNAVAILABLE)
            break;
        if (status != STATUS_OK)
            return status;
    }
    *ret_result = PQgetResult(connection->pg);
    if (PQstatus(connection->pg) != CONNECTION_OK)
        session_break(connection, "connection lost");
    return STATUS_OK;
}

enum status session_get_copy_data(struct db_connection *connection, uint64_t deadline_ns, char **ret_data,
                                  size_t *ret_len) {
    for (;;) {
        char *data = NULL;
        int len = PQgetCopyData(connection->pg, &data, 1);
        if (len > 0) {
            *ret_data = data;
            *ret_len = (size_t)len;
            return STATUS_OK;
        }
        if (len == -1) {
            *ret_data = NULL;
            *ret_len = 0;
            return STATUS_OK;
        }
        if (len == -2)
            return lose(connection);
        enum status status = wait_for_bytes(connection, deadline_ns);
        if (status != STATUS_OK)
            return status;
    }
}

enum status session_begin_simple(struct db_connection *connection, const char *sql) {
    if (PQexitPipelineMode(connection->pg) != 1 || PQsendQuery(connection->pg, sql) != 1)
        return lose(connection);
    return STATUS_OK;
}

enum status session_end_simple(struct db_connection *connection) {
    return PQenterPipelineMode(connection->pg) == 1 ? STATUS_OK : lose(connection);
}
