#include "common/db/listen.h"

#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/db/backoff.h"
#include "common/db/exchange.h"
#include "common/db/session.h"

#define MS_NS UINT64_C(1000000)
#define LISTEN_WAIT_NS UINT64_C(5000000000)
#define CHANNEL_MAX 63 // NAMEDATALEN - 1

struct db_listener {
    struct db_connection_options options;
    const struct clock *clock;
    char sql[sizeof("LISTEN ") + CHANNEL_MAX];
    struct db_statement statement;
    struct db_connection *connection; // NULL while there is none
    unsigned host;
    struct backoff backoff;
    uint64_t retry_at_ns;
    int wake_fd; // any thread writes
};

enum status db_listener_new(const struct db_connection_options *options, const char *channel,
                            struct db_listener **ret_listener) {
    assert(strlen(channel) <= CHANNEL_MAX &&
           strspn(channel, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(channel));
    struct db_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return STATUS_NO_MEMORY;
    listener->options = *options;
    listener->options.prepare = DB_PREPARE_OFF; // its one statement runs once
    listener->clock = options->clock ? options->clock : clock_get_system();
    snprintf(listener->sql, sizeof(listener->sql), "LISTEN %s", channel);
    listener->statement = (struct db_statement){"listen", listener->sql};
    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->wake_fd < 0) {
        free(listener);
        return STATUS_NO_MEMORY;
    }
    *ret_listener = listener;
    return STATUS_OK;
}

void db_listener_free(struct db_listener *listener) {
    if (!listener)
        return;
    db_connection_close(listener->connection);
    close(listener->wake_fd);
    free(listener);
}

void db_listener_wake(struct db_listener *listener) {
    eventfd_write(listener->wake_fd, 1);
}

static void drop(struct db_listener *listener) {
    db_connection_close(listener->connection);
    listener->connection = NULL;
    listener->retry_at_ns = clock_get_monotonic_ns(listener->clock) +
                            backoff_next_ms(&listener->backoff, random_get_u64()) * MS_NS;
}

static bool listen_on(struct db_listener *listener) {
    struct exchange_step step = {.statement = &listener->statement};
    struct exchange_failure failure;
    uint64_t deadline_ns = clock_get_monotonic_ns(listener->clock) + LISTEN_WAIT_NS;
    if (exchange_run(listener->connection, &step, 1, deadline_ns, &failure) != STATUS_OK)
        return false;
    PQclear(step.result);
    backoff_reset(&listener->backoff);
    return true;
}

// True: it listens now, and may have missed something before.
static bool connect_again(struct db_listener *listener) {
    struct db_connect_failure failure;
    if (clock_get_monotonic_ns(listener->clock) < listener->retry_at_ns)
        return false;
    enum status status = session_open(&listener->options, DB_NO_DEADLINE, listener->wake_fd, &listener->host,
                                      &listener->connection, &failure);
    if (status == STATUS_OK && listen_on(listener))
        return true;
    log_event(LOG_LEVEL_DEBUG, "can't listen", LOG_TEXT("why", status == STATUS_OK ? "" : failure.sentence));
    if (status != STATUS_OK && failure.kind == DB_CONNECT_READ_ONLY)
        backoff_expect(&listener->backoff);
    drop(listener);
    return false;
}

// Everything that has arrived, as one.
static bool take_notifications(struct db_listener *listener) {
    bool is_notified = false;
    PGnotify *notification;
    while ((notification = PQnotifies(listener->connection->pg))) {
        is_notified = true;
        PQfreemem(notification);
    }
    return is_notified;
}

static bool take_wake(struct db_listener *listener) {
    eventfd_t count;
    return eventfd_read(listener->wake_fd, &count) == 0;
}

static int get_remaining_ms(const struct db_listener *listener, uint64_t end_ns) {
    uint64_t now_ns = clock_get_monotonic_ns(listener->clock);
    if (!listener->connection && listener->retry_at_ns < end_ns)
        end_ns = listener->retry_at_ns;
    return end_ns > now_ns ? (int)((end_ns - now_ns) / MS_NS) + 1 : 0;
}

static void wait_for_events(struct db_listener *listener, uint64_t end_ns) {
    int socket = listener->connection ? PQsocket(listener->connection->pg) : -1;
    struct pollfd fds[] = {{.fd = listener->wake_fd, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
    poll(fds, 2, get_remaining_ms(listener, end_ns));
    if (fds[1].revents == 0 || !listener->connection)
        return;
    if (PQconsumeInput(listener->connection->pg) != 1) {
        log_event(LOG_LEVEL_INFO, "the listening connection is lost");
        drop(listener);
    }
}

enum db_listen_event db_listener_wait(struct db_listener *listener, uint32_t timeout_ms) {
    uint64_t end_ns = clock_get_monotonic_ns(listener->clock) + timeout_ms * MS_NS;
    for (;;) {
        if (take_wake(listener))
            return DB_LISTEN_WOKEN;
        if (!listener->connection && connect_again(listener))
            return DB_LISTEN_NOTIFIED;
        if (listener->connection && take_notifications(listener))
            return DB_LISTEN_NOTIFIED;
        if (clock_get_monotonic_ns(listener->clock) >= end_ns)
            return DB_LISTEN_TIMED_OUT;
        wait_for_events(listener, end_ns);
    }
}
