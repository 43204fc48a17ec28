#include "common/app/use_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/app/use_store.h"
#include "common/base/condition.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/db/backoff.h"

#define MS_NS UINT64_C(1000000)
enum { WRITE_TIMEOUT_MS = 30000, LAST_WRITE_TIMEOUT_MS = 5000, AGAIN_MS = 50 };

struct use_loop {
    // The loop's.
    _Alignas(64) struct use_table *active;
    struct loop *loop;
    struct use_log *log;
    bool has_asked; // for a spare table before its time
    bool has_left;  // calls may still end, but no timer is armed any more
    struct timer timer;
    struct loop_task enter, leave;
    _Atomic uint64_t dropped; // relaxed; others read it

    // Under the log's lock, but for the table itself, which is the thread's while it is FULL.
    struct use_table *full, *spare; // one of them is NULL
};

struct use_log {
    struct use_log_options options;
    struct use_store store; // the thread's
    struct use_loop *loops;
    size_t loop_count;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; // a table is full, or all ends
    bool is_stopping;       // under the lock

    _Atomic uint64_t written, failures; // relaxed; the thread's
};

// ---- on the loops ----

static void hand_over(struct use_loop *mine) {
    struct use_log *log = mine->log;
    if (use_table_get_count(mine->active) == 0)
        return;
    pthread_mutex_lock(&log->lock);
    if (mine->spare) {
        mine->full = mine->active;
        mine->active = mine->spare;
        mine->spare = NULL;
        mine->has_asked = false;
        pthread_cond_signal(&log->changed);
    }
    pthread_mutex_unlock(&log->lock);
}

static void arm(struct use_loop *mine) {
    if (mine->has_left)
        return;
    int64_t wait_ms = mine->has_asked ? AGAIN_MS : mine->log->options.flush_interval_ms;
    loop_arm_timer(mine->loop, &mine->timer, loop_get_monotonic_ns(mine->loop) + (uint64_t)wait_ms * MS_NS);
}

static void on_due(struct timer *timer) {
    struct use_loop *mine = CONTAINER_OF(timer, struct use_loop, timer);
    hand_over(mine);
    arm(mine);
}

static void on_enter(struct loop_task *task) {
    arm(CONTAINER_OF(task, struct use_loop, enter));
}

static void on_leave(struct loop_task *task) {
    struct use_loop *mine = CONTAINER_OF(task, struct use_loop, leave);
    mine->has_left = true;
    loop_disarm_timer(mine->loop, &mine->timer);
}

static void ask_for_spare(struct use_loop *mine) {
    mine->has_asked = true;
    hand_over(mine);
    arm(mine);
}

void use_log_note(struct use_loop *mine, const struct use *use) {
    if (UNLIKELY(!use_table_note(mine->active, use)))
        atomic_fetch_add_explicit(&mine->dropped, 1, memory_order_relaxed);
    if (UNLIKELY(use_table_is_filling(mine->active)) && !mine->has_asked)
        ask_for_spare(mine);
}

void use_log_prefetch(const struct use_loop *mine, const struct use *use) {
    use_table_prefetch(mine->active, use);
}

uint16_t use_log_get_by(struct use_loop *mine, struct uuid token_id) {
    return use_table_get_by(mine->active, token_id);
}

// ---- the thread ----

static enum status write_table(struct use_log *log, struct use_table *table, int64_t timeout_ms) {
    uint64_t deadline_ns = clock_get_monotonic_ns(log->options.clock) + (uint64_t)timeout_ms * MS_NS;
    if (!log->options.is_kept) {
        use_table_clear(table);
        return STATUS_OK;
    }
    enum status status = use_store_write(&log->store, table, deadline_ns);
    if (status != STATUS_OK) {
        atomic_fetch_add_explicit(&log->failures, 1, memory_order_relaxed);
        return status;
    }
    atomic_fetch_add_explicit(&log->written, use_table_get_count(table), memory_order_relaxed);
    use_table_clear(table);
    return STATUS_OK;
}

// Under the lock.
static struct use_loop *find_full(struct use_log *log) {
    for (size_t i = 0; i < log->loop_count; i++)
        if (log->loops[i].full)
            return &log->loops[i];
    return NULL;
}

// NULL: all ends.
static struct use_loop *wait_for_full(struct use_log *log) {
    struct use_loop *loop;
    pthread_mutex_lock(&log->lock);
    while (!(loop = find_full(log)) && !log->is_stopping)
        pthread_cond_wait(&log->changed, &log->lock);
    if (log->is_stopping)
        loop = NULL;
    pthread_mutex_unlock(&log->lock);
    return loop;
}

static void give_back(struct use_log *log, struct use_loop *loop) {
    pthread_mutex_lock(&log->lock);
    loop->spare = loop->full;
    loop->full = NULL;
    pthread_mutex_unlock(&log->lock);
}

static void pause_thread(struct use_log *log, uint32_t ms) {
    struct timespec until = condition_get_end(ms);
    int result = 0;
    pthread_mutex_lock(&log->lock);
    while (!log->is_stopping && result == 0)
        result = pthread_cond_timedwait(&log->changed, &log->lock, &until);
    pthread_mutex_unlock(&log->lock);
}

static void *write_uses(void *context) {
    struct use_log *log = context;
    struct backoff backoff = {0};
    struct use_loop *loop;
    while ((loop = wait_for_full(log))) {
        enum status status = write_table(log, loop->full, WRITE_TIMEOUT_MS);
        if (status == STATUS_OK) {
            give_back(log, loop);
            backoff_reset(&backoff);
            continue;
        }
        if (backoff.failures == 0)
            log_event(LOG_LEVEL_WARNING, "uses of tokens can't be written; they are kept for a while",
                      LOG_TEXT("status", status_get_text(status)));
        pause_thread(log, backoff_next_ms(&backoff, random_get_u64()));
    }
    return NULL;
}

// ---- the end ----

// The loops have ended, and the thread: all tables are the caller's.
static void write_rest(struct use_log *log) {
    size_t lost = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < log->loop_count; i++) {
        struct use_table *tables[] = {log->loops[i].full, log->loops[i].active};
        for (size_t j = 0; j < ARRAY_LENGTH(tables); j++) {
            if (!tables[j] || use_table_get_count(tables[j]) == 0)
                continue;
            if (status == STATUS_OK) // a database that is away is not waited for again
                status = write_table(log, tables[j], LAST_WRITE_TIMEOUT_MS);
            lost += use_table_get_count(tables[j]);
        }
    }
    if (lost > 0)
        log_event(LOG_LEVEL_WARNING, "uses of tokens are lost: the database is away",
                  LOG_INTEGER("count", lost), LOG_TEXT("status", status_get_text(status)));
}

static void free_tables(struct use_log *log) {
    for (size_t i = 0; i < log->loop_count; i++) {
        use_table_free(log->loops[i].active);
        use_table_free(log->loops[i].full);
        use_table_free(log->loops[i].spare);
    }
    free(log->loops);
}

void use_log_free(struct use_log *log) {
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->is_stopping = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    write_rest(log);
    use_store_fini(&log->store);
    free_tables(log);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

// ---- the beginning ----

static enum status make_tables(struct use_log *log) {
    size_t count = loop_group_get_count(log->options.loops);
    log->loops = aligned_alloc(_Alignof(struct use_loop), count * sizeof(*log->loops));
    enum status status = log->loops ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct use_loop *mine = &log->loops[log->loop_count++];
        *mine = (struct use_loop){.loop = loop_group_get_loop(log->options.loops, i),
                                  .log = log,
                                  .timer.on_due = on_due,
                                  .enter.run = on_enter,
                                  .leave.run = on_leave};
        status = use_table_new(log->options.capacity, &mine->active);
        if (status == STATUS_OK)
            status = use_table_new(log->options.capacity, &mine->spare);
    }
    return status;
}

static void attach_loops(struct use_log *log) {
    for (size_t i = 0; i < log->loop_count; i++) {
        loop_post(log->loops[i].loop, &log->loops[i].enter);
        loop_add_stop_task(log->loops[i].loop, &log->loops[i].leave);
    }
}

enum status use_log_new(const struct use_log_options *options, struct use_log **ret_log) {
    struct use_log *log = calloc(1, sizeof(*log));
    if (!log)
        return STATUS_NO_MEMORY;
    log->options = *options;
    log->store.options = options->connection;
    log->store.clock = options->clock;
    log->store.server = options->server;
    condition_init(&log->changed);
    pthread_mutex_init(&log->lock, NULL);
    enum status status = make_tables(log);
    if (status == STATUS_OK && pthread_create(&log->thread, NULL, write_uses, log) != 0)
        status = STATUS_EXHAUSTED;
    if (status != STATUS_OK) {
        free_tables(log);
        pthread_cond_destroy(&log->changed);
        pthread_mutex_destroy(&log->lock);
        free(log);
        return status;
    }
    attach_loops(log);
    *ret_log = log;
    return STATUS_OK;
}

struct use_loop *use_log_get_loop(struct use_log *log, size_t index) {
    return &log->loops[index];
}

// ---- metrics ----

void use_log_write_metrics(struct metrics_writer *writer, void *context) {
    struct use_log *log = context;
    uint64_t dropped = 0;
    for (size_t i = 0; i < log->loop_count; i++)
        dropped += atomic_load_explicit(&log->loops[i].dropped, memory_order_relaxed);
    metrics_write_counter(writer, "latchkey_uses_written_total",
                          "Last uses of tokens that have reached the database.", NULL,
                          atomic_load_explicit(&log->written, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_uses_dropped_total",
                          "Uses that found no room until the database had taken those before them.", NULL,
                          dropped);
    metrics_write_counter(writer, "latchkey_use_write_failures_total",
                          "Attempts to write uses that failed; they are repeated.", NULL,
                          atomic_load_explicit(&log->failures, memory_order_relaxed));
}
