#include "common/app/http_watch.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/condition.h"

enum {
    TICK_MS = 250,
    CLOSED_PER_TICK = 50, // who is closed makes work for their owner, and others wait
    CROWD_TICK_MS = 10,   // while there are more
    SETTLED_MS = 1000,    // who has just come is given so long to say something
};

struct http_connection {
    struct http_connection *next, **link;
    int fd;
    enum http_phase phase;
    bool is_over; // it has been shut down, or its call cancelled: once is enough
    uint64_t since_ns;
    struct local_call *call;
};

struct http_watch {
    struct http_watch_options options;
    pthread_t thread;
    _Atomic size_t count;                   // written under `mutex`, read by anybody, relaxed
    _Atomic uint64_t ended[HTTP_END_COUNT]; // relaxed

    pthread_mutex_t mutex;
    pthread_cond_t changed;  // the first connection, or the end
    pthread_cond_t answered; // somebody has been, or is gone
    // Under `mutex`.
    struct http_connection *connections;
    bool is_ending;
};

struct limit {
    int64_t ms; // 0 = none
    enum http_end why;
};

const char *http_end_get_label(enum http_end why) {
    static const char *const labels[] = {
#define LABEL(name, label) label,
        HTTP_END_TABLE(LABEL)
#undef LABEL
    };
    return labels[why];
}

static void count_end(struct http_watch *watch, enum http_end why) {
    atomic_fetch_add_explicit(&watch->ended[why], 1, memory_order_relaxed);
}

static struct limit get_limit(const struct http_watch *watch, enum http_phase phase) {
    switch (phase) {
    case HTTP_IDLE: return (struct limit){watch->options.idle_ms, HTTP_END_IDLE};
    case HTTP_RECEIVING: return (struct limit){watch->options.request_ms, HTTP_END_SLOW_REQUEST};
    case HTTP_ANSWERING: return (struct limit){watch->options.request_ms, HTTP_END_SLOW_READER};
    default: return (struct limit){0}; // a call has its own deadline, and so has work
    }
}

static bool has_gone(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 0) > 0;
}

// True if it is closed.
static bool look_at(struct http_watch *watch, struct http_connection *connection, uint64_t now_ns) {
    uint64_t age_ms = now_ns > connection->since_ns ? (now_ns - connection->since_ns) / 1000000 : 0;
    struct limit limit = get_limit(watch, connection->phase);
    if (connection->phase == HTTP_ASKED && age_ms >= TICK_MS / 2 && has_gone(connection->fd)) {
        connection->is_over = true;
        count_end(watch, HTTP_END_CLIENT_GONE);
        local_call_cancel(connection->call);
    } else if (limit.ms > 0 && age_ms >= (uint64_t)limit.ms) {
        connection->is_over = true;
        count_end(watch, limit.why);
        shutdown(connection->fd, SHUT_RDWR); // its owner reads the end, and closes
        return true;
    }
    return false;
}

// Returns when to look again.
static uint32_t look_at_all(struct http_watch *watch) {
    uint64_t now_ns = clock_get_monotonic_ns(watch->options.clock);
    size_t closed = 0;
    for (struct http_connection *at = watch->connections; at && closed < CLOSED_PER_TICK; at = at->next)
        if (!at->is_over)
            closed += look_at(watch, at, now_ns);
    return closed < CLOSED_PER_TICK ? TICK_MS : CROWD_TICK_MS;
}

static void *run(void *context) {
    struct http_watch *watch = context;
    uint32_t tick_ms = TICK_MS;
    pthread_mutex_lock(&watch->mutex);
    while (!watch->is_ending) {
        if (!watch->connections) {
            pthread_cond_wait(&watch->changed, &watch->mutex);
            continue;
        }
        struct timespec until = condition_get_end(tick_ms);
        pthread_cond_timedwait(&watch->changed, &watch->mutex, &until);
        tick_ms = look_at_all(watch);
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

enum status http_watch_new(const struct http_watch_options *options, struct http_watch **ret_watch) {
    struct http_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return STATUS_NO_MEMORY;
    watch->options = *options;
    pthread_mutex_init(&watch->mutex, NULL);
    condition_init(&watch->changed);
    condition_init(&watch->answered);
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        pthread_cond_destroy(&watch->answered);
        pthread_cond_destroy(&watch->changed);
        pthread_mutex_destroy(&watch->mutex);
        free(watch);
        return STATUS_EXHAUSTED;
    }
    *ret_watch = watch;
    return STATUS_OK;
}

void http_watch_free(struct http_watch *watch) {
    if (!watch)
        return;
    pthread_mutex_lock(&watch->mutex);
    watch->is_ending = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->answered);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->mutex);
    free(watch);
}

static struct http_connection *find_longest_idle(const struct http_watch *watch) {
    struct http_connection *found = NULL;
    for (struct http_connection *at = watch->connections; at; at = at->next)
        if (at->phase == HTTP_IDLE && !at->is_over && (!found || at->since_ns < found->since_ns))
            found = at;
    return found;
}

static bool evict(struct http_watch *watch) {
    uint64_t now_ns = clock_get_monotonic_ns(watch->options.clock);
    pthread_mutex_lock(&watch->mutex);
    struct http_connection *found = find_longest_idle(watch);
    bool is_settled = found && now_ns - found->since_ns >= SETTLED_MS * UINT64_C(1000000);
    if (is_settled) {
        found->is_over = true;
        shutdown(found->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&watch->mutex);
    return is_settled;
}

// why some more than the limit: what was evicted takes a moment to close.
bool http_watch_admits(struct http_watch *watch) {
    size_t count = http_watch_get_count(watch), max = watch->options.connections_max;
    if (count < max)
        return true;
    bool is_admitted = count < max + HTTP_WATCH_SLACK(max) && evict(watch);
    count_end(watch, is_admitted ? HTTP_END_EVICTED : HTTP_END_TOO_MANY_CONNECTIONS);
    return is_admitted;
}

struct http_connection *http_watch_add(struct http_watch *watch, int fd) {
    struct http_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    connection->fd = fd;
    connection->since_ns = clock_get_monotonic_ns(watch->options.clock);
    pthread_mutex_lock(&watch->mutex);
    connection->next = watch->connections;
    connection->link = &watch->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    else
        pthread_cond_signal(&watch->changed);
    watch->connections = connection;
    atomic_fetch_add_explicit(&watch->count, 1, memory_order_relaxed);
    pthread_mutex_unlock(&watch->mutex);
    return connection;
}

void http_watch_remove(struct http_watch *watch, struct http_connection *connection) {
    if (!connection)
        return;
    pthread_mutex_lock(&watch->mutex);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    atomic_fetch_sub_explicit(&watch->count, 1, memory_order_relaxed);
    pthread_cond_signal(&watch->answered);
    pthread_mutex_unlock(&watch->mutex);
    free(connection);
}

void http_watch_enter(struct http_watch *watch, struct http_connection *connection, enum http_phase phase,
                      struct local_call *call) {
    if (!connection)
        return;
    uint64_t now_ns = clock_get_monotonic_ns(watch->options.clock);
    pthread_mutex_lock(&watch->mutex);
    connection->phase = phase;
    connection->since_ns = now_ns;
    connection->call = call;
    connection->is_over = false;
    if (phase != HTTP_ANSWERING)
        pthread_cond_signal(&watch->answered);
    pthread_mutex_unlock(&watch->mutex);
}

void http_watch_cancel_all(struct http_watch *watch) {
    pthread_mutex_lock(&watch->mutex);
    for (struct http_connection *at = watch->connections; at; at = at->next) {
        if (at->phase != HTTP_ASKED || at->is_over)
            continue;
        at->is_over = true;
        local_call_cancel(at->call);
    }
    pthread_mutex_unlock(&watch->mutex);
}

static bool is_answering(const struct http_watch *watch) {
    for (const struct http_connection *at = watch->connections; at; at = at->next)
        if (at->phase == HTTP_ANSWERING)
            return true;
    return false;
}

void http_watch_wait_answered(struct http_watch *watch, uint32_t ms) {
    struct timespec until = condition_get_end(ms);
    int result = 0;
    pthread_mutex_lock(&watch->mutex);
    while (is_answering(watch) && result == 0)
        result = pthread_cond_timedwait(&watch->answered, &watch->mutex, &until);
    pthread_mutex_unlock(&watch->mutex);
}

size_t http_watch_get_count(const struct http_watch *watch) {
    return atomic_load_explicit(&watch->count, memory_order_relaxed);
}

uint64_t http_watch_get_ended(const struct http_watch *watch, enum http_end why) {
    return atomic_load_explicit(&watch->ended[why], memory_order_relaxed);
}
