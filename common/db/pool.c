#include "common/db/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/condition.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/db/backoff.h"
#include "common/db/cancel_target.h"
#include "common/db/session.h"

#define MS_NS UINT64_C(1000000)

enum slot_state { SLOT_ABSENT, SLOT_OPENING, SLOT_IDLE, SLOT_LEASED, SLOT_STATE_COUNT };

// The arrows of the diagram in pool.h.
static const bool may_move[SLOT_STATE_COUNT][SLOT_STATE_COUNT] = {
    [SLOT_ABSENT] = {[SLOT_OPENING] = true},
    [SLOT_OPENING] = {[SLOT_IDLE] = true, [SLOT_ABSENT] = true},
    [SLOT_IDLE] = {[SLOT_LEASED] = true},
    [SLOT_LEASED] = {[SLOT_IDLE] = true, [SLOT_ABSENT] = true},
};

struct pool_slot {
    enum slot_state state; // the list it is on
    struct pool_slot *previous, *next;
    struct db_connection *connection; // IDLE and LEASED
};

struct slot_list {
    struct pool_slot *first;
    unsigned count;
};

struct db_pool {
    struct db_pool_options options; // const after db_pool_new(), with texts of its own
    char *url, *application_name, *role;
    const struct clock *clock;
    pthread_t opener;
    int stop_fd; // readable when the pool ends

    pthread_mutex_t lock; // all below
    pthread_cond_t has_idle, has_work;
    struct slot_list lists[SLOT_STATE_COUNT];
    struct pool_slot *slots;
    bool is_stopping;
    bool is_down; // the last attempt failed
    uint64_t retry_at_ns;
    struct backoff backoff;
    struct db_connect_failure failure; // of the last attempt
    struct db_pool_statistics statistics;

    unsigned host; // the opener's alone: the host that accepted last
};

static void unlink_slot(struct slot_list *list, struct pool_slot *slot) {
    if (slot->previous)
        slot->previous->next = slot->next;
    else
        list->first = slot->next;
    if (slot->next)
        slot->next->previous = slot->previous;
    list->count--;
}

static void link_slot(struct slot_list *list, struct pool_slot *slot) {
    slot->previous = NULL;
    slot->next = list->first;
    if (list->first)
        list->first->previous = slot;
    list->first = slot;
    list->count++;
}

// The only door between states.
static void move_slot(struct db_pool *pool, struct pool_slot *slot, enum slot_state to) {
    assert(may_move[slot->state][to]);
    unlink_slot(&pool->lists[slot->state], slot);
    slot->state = to;
    link_slot(&pool->lists[to], slot);
}

// `deadline_ns` is on the pool's clock, which in tests may stand still; the condition waits on the kernel's.
static int wait_until(struct db_pool *pool, pthread_cond_t *condition, uint64_t deadline_ns) {
    if (deadline_ns == DB_NO_DEADLINE)
        return pthread_cond_wait(condition, &pool->lock);
    uint64_t now_ns = clock_get_monotonic_ns(pool->clock);
    uint64_t end_ns =
        clock_get_monotonic_ns(clock_get_system()) + (deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    struct timespec end = {.tv_sec = (time_t)(end_ns / 1000000000), .tv_nsec = (long)(end_ns % 1000000000)};
    return pthread_cond_timedwait(condition, &pool->lock, &end);
}

// --- the opener

// While the database is down it goes on trying by itself, so that its return is noticed.
static bool is_wanted(const struct db_pool *pool) {
    if (pool->lists[SLOT_ABSENT].count == 0)
        return false;
    return pool->is_down || pool->statistics.waiting > pool->lists[SLOT_IDLE].count;
}

static bool is_due(const struct db_pool *pool) {
    return !pool->is_down || clock_get_monotonic_ns(pool->clock) >= pool->retry_at_ns;
}

static void note_success(struct db_pool *pool) {
    if (pool->is_down)
        log_event(LOG_LEVEL_INFO, "database is back");
    pool->is_down = false;
    pool->failure = db_connect_explain(DB_CONNECT_NONE, "");
    pool->statistics.opened++;
    backoff_reset(&pool->backoff);
}

static void note_failure(struct db_pool *pool, const struct db_connect_failure *failure) {
    if (!pool->is_down || pool->failure.kind != failure->kind)
        log_event(LOG_LEVEL_WARNING, "database can't be reached", LOG_TEXT("why", failure->sentence));
    pool->is_down = true;
    pool->failure = *failure;
    pool->statistics.failed++;
    if (failure->kind == DB_CONNECT_READ_ONLY)
        backoff_expect(&pool->backoff);
    pool->retry_at_ns =
        clock_get_monotonic_ns(pool->clock) + backoff_next_ms(&pool->backoff, random_get_u64()) * MS_NS;
}

// Comes and goes with the lock held.
static void open_one(struct db_pool *pool) {
    struct pool_slot *slot = pool->lists[SLOT_ABSENT].first;
    move_slot(pool, slot, SLOT_OPENING);
    pthread_mutex_unlock(&pool->lock);
    struct db_connection *connection = NULL;
    struct db_connect_failure failure;
    enum status status = session_open(&pool->options.connection, DB_NO_DEADLINE, pool->stop_fd, &pool->host,
                                      &connection, &failure);
    pthread_mutex_lock(&pool->lock);
    if (status == STATUS_OK) {
        connection->slot = slot;
        slot->connection = connection;
        move_slot(pool, slot, SLOT_IDLE);
        note_success(pool);
        pthread_cond_signal(&pool->has_idle);
    } else {
        move_slot(pool, slot, SLOT_ABSENT);
        note_failure(pool, &failure);
        pthread_cond_broadcast(&pool->has_idle); // everybody learns that it is down
    }
}

static void *run_opener(void *argument) {
    struct db_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_stopping) {
        if (!is_wanted(pool))
            pthread_cond_wait(&pool->has_work, &pool->lock);
        else if (!is_due(pool))
            wait_until(pool, &pool->has_work, pool->retry_at_ns);
        else
            open_one(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

// --- new and free

static bool copy_options(struct db_pool *pool, const struct db_pool_options *options) {
    const struct db_connection_options *from = &options->connection;
    pool->options = *options;
    pool->url = from->url ? strdup(from->url) : NULL;
    pool->application_name = from->application_name ? strdup(from->application_name) : NULL;
    pool->role = from->role ? strdup(from->role) : NULL;
    pool->options.connection.url = pool->url;
    pool->options.connection.application_name = pool->application_name;
    pool->options.connection.role = pool->role;
    return (pool->url || !from->url) && (pool->application_name || !from->application_name) &&
           (pool->role || !from->role);
}

static void init_conditions(struct db_pool *pool) {
    condition_init(&pool->has_idle);
    condition_init(&pool->has_work);
    pthread_mutex_init(&pool->lock, NULL);
}

static bool make_slots(struct db_pool *pool) {
    pool->slots = calloc(pool->options.size, sizeof(*pool->slots));
    for (unsigned i = 0; pool->slots && i < pool->options.size; i++)
        link_slot(&pool->lists[SLOT_ABSENT], &pool->slots[i]);
    return pool->slots != NULL;
}

// What was made before the threads.
static void destroy(struct db_pool *pool) {
    if (pool->stop_fd >= 0)
        close(pool->stop_fd);
    pthread_cond_destroy(&pool->has_idle);
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->slots);
    free(pool->url);
    free(pool->application_name);
    free(pool->role);
    free(pool);
}

enum status db_pool_new(const struct db_pool_options *options, struct db_pool **ret_pool) {
    assert(options->size >= 1 && options->size <= 1000);
    struct db_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return STATUS_NO_MEMORY;
    init_conditions(pool);
    pool->clock = options->connection.clock ? options->connection.clock : clock_get_system();
    pool->failure = db_connect_explain(DB_CONNECT_NONE, "");
    pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!copy_options(pool, options) || !make_slots(pool) || pool->stop_fd < 0 ||
        canceller_use() != STATUS_OK)
        goto fail_objects;
    if (pthread_create(&pool->opener, NULL, run_opener, pool) != 0)
        goto fail_canceller;
    *ret_pool = pool;
    return STATUS_OK;

fail_canceller:
    canceller_leave();
fail_objects:
    destroy(pool);
    return STATUS_NO_MEMORY;
}

void db_pool_free(struct db_pool *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_signal(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    eventfd_write(pool->stop_fd, 1);
    pthread_join(pool->opener, NULL);
    assert(pool->lists[SLOT_LEASED].count == 0 && pool->statistics.waiting == 0);
    for (struct pool_slot *slot = pool->lists[SLOT_IDLE].first; slot; slot = slot->next)
        db_connection_close(slot->connection);
    canceller_leave();
    destroy(pool);
}

// --- lease and return

// Comes and goes with the lock held.
static void retire(struct db_pool *pool, struct pool_slot *slot) {
    struct db_connection *connection = slot->connection;
    slot->connection = NULL;
    move_slot(pool, slot, SLOT_ABSENT);
    pool->statistics.retired++;
    pthread_cond_signal(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    db_connection_close(connection);
    pthread_mutex_lock(&pool->lock);
}

// The most recently used connection that still lives, now LEASED; NULL if there is none.
static struct db_connection *take_idle(struct db_pool *pool) {
    struct pool_slot *slot;
    while ((slot = pool->lists[SLOT_IDLE].first)) {
        move_slot(pool, slot, SLOT_LEASED);
        if (session_is_alive(slot->connection))
            return slot->connection;
        retire(pool, slot);
    }
    return NULL;
}

// Nothing can become idle before the opener succeeds again.
static bool is_hopeless(const struct db_pool *pool) {
    return pool->is_down && pool->lists[SLOT_LEASED].count == 0;
}

static void wait_for_idle(struct db_pool *pool, uint64_t deadline_ns) {
    uint64_t begin_ns = clock_get_monotonic_ns(pool->clock);
    pool->statistics.waiting++;
    pthread_cond_signal(&pool->has_work);
    wait_until(pool, &pool->has_idle, deadline_ns);
    pool->statistics.waiting--;
    pool->statistics.wait_ns += clock_get_monotonic_ns(pool->clock) - begin_ns;
}

static enum status take(struct db_pool *pool, uint64_t deadline_ns, struct db_connection **ret_connection) {
    bool has_waited = false;
    pool->statistics.leases++;
    for (;;) {
        *ret_connection = take_idle(pool);
        if (*ret_connection)
            return STATUS_OK;
        if (is_hopeless(pool))
            return STATUS_UNAVAILABLE;
        if (clock_get_monotonic_ns(pool->clock) >= deadline_ns)
            return STATUS_EXHAUSTED;
        pool->statistics.waits += !has_waited;
        has_waited = true;
        wait_for_idle(pool, deadline_ns);
    }
}

static uint32_t get_retry_ms(const struct db_pool *pool) {
    uint64_t now_ns = clock_get_monotonic_ns(pool->clock);
    return pool->retry_at_ns > now_ns ? (uint32_t)((pool->retry_at_ns - now_ns) / MS_NS) + 1 : 1;
}

// Why a lease was refused, in words for a caller of ours: none of them tells where the database is.
static void tell(const struct db_pool *pool, enum status status, struct fault *fault) {
    bool is_busy = status == STATUS_EXHAUSTED && pool->lists[SLOT_LEASED].count == pool->options.size;
    if (is_busy)
        fault_set(fault, STATUS_UNAVAILABLE, "DATABASE_BUSY",
                  "too many calls wait for the database; try again");
    else
        fault_set(fault, STATUS_UNAVAILABLE, "DATABASE_UNAVAILABLE",
                  "the database is not available now; try again");
    fault_set_retry_after_ms(fault, is_busy ? 1000 : get_retry_ms(pool));
}

enum status db_pool_lease(struct db_pool *pool, uint64_t deadline_ns, struct fault *fault,
                          struct db_connection **ret_connection) {
    struct db_connection *connection = NULL;
    pthread_mutex_lock(&pool->lock);
    enum status status = take(pool, deadline_ns, &connection);
    pool->statistics.exhausted += status == STATUS_EXHAUSTED;
    if (status != STATUS_OK && fault)
        tell(pool, status, fault);
    pthread_mutex_unlock(&pool->lock);
    if (status != STATUS_OK)
        return STATUS_UNAVAILABLE;
    *ret_connection = connection;
    return STATUS_OK;
}

void db_pool_return(struct db_pool *pool, struct db_connection *connection) {
    if (!connection)
        return;
    struct pool_slot *slot = connection->slot;
    assert(slot->connection == connection);
    db_rollback(&connection->transaction);
    pthread_mutex_lock(&pool->lock);
    if (connection->is_broken) {
        retire(pool, slot);
        pthread_cond_broadcast(&pool->has_idle); // it may have been the last hope of those who wait
    } else {
        move_slot(pool, slot, SLOT_IDLE);
        pthread_cond_signal(&pool->has_idle);
    }
    pthread_mutex_unlock(&pool->lock);
}

struct db_connect_failure db_pool_get_failure(struct db_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct db_connect_failure failure = pool->failure;
    pthread_mutex_unlock(&pool->lock);
    return failure;
}

struct db_pool_statistics db_pool_get_statistics(struct db_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct db_pool_statistics statistics = pool->statistics;
    statistics.size = pool->options.size;
    statistics.idle = pool->lists[SLOT_IDLE].count;
    statistics.leased = pool->lists[SLOT_LEASED].count;
    statistics.opening = pool->lists[SLOT_OPENING].count;
    pthread_mutex_unlock(&pool->lock);
    return statistics;
}
