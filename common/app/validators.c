#include "common/app/validators.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/fence.h"
#include "common/base/condition.h"
#include "common/base/log.h"
#include "common/db/array.h"
#include "common/db/transaction.h"

enum {
    // While somebody waits: at first, because validators usually follow within milliseconds; then after an
    // eighth of the time since the last change, so that the wait is never longer than need be by more.
    POLL_MIN_MS = 2,
    POLL_MAX_MS = 50,
    POLL_PART = 8,
    QUERY_TIMEOUT_MS = 2000,
};

enum { NOTIFY, READ, EXPIRE };

static const struct db_statement statements[] = {
    [NOTIFY] = {"validators_notify", "NOTIFY latchkey_change"},
    [READ] = {"validators_read",
              "SELECT instance, name || CASE lagging WHEN '' THEN '' ELSE ' (fed: ' || lagging || ')' END,"
              " renewal, lease_ms, positions FROM latchkey.validator"},
    [EXPIRE] = {"validators_expire", "SELECT latchkey.validator_expire($1, $2)"},
};

struct validators {
    struct db_pool *pool;
    const struct clock *clock;
    pthread_t thread;
    struct fence fence; // the thread's

    // Under `lock`.
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct validators_waiter *waiters;
    bool is_wake_wanted;
    bool is_ending; // nobody waits any more
    bool is_stopping;

    // Relaxed: counters for metrics.
    _Atomic uint64_t wakes, waits, waits_confirmed, readings, expired;
    _Atomic unsigned live;
};

static uint64_t now_ns(const struct validators *validators) {
    return clock_get_monotonic_ns(validators->clock);
}

// ---- readings of the leases ----

static struct fence_row read_row(const struct db_result *rows, int i) {
    struct fence_row row = {.instance = db_result_get_uuid(rows, i, 0),
                            .name = db_result_get_text(rows, i, 1),
                            .renewal = db_result_get_int64(rows, i, 2),
                            .lease_ms = db_result_get_int32(rows, i, 3)};
    struct db_array positions = db_result_get_array(rows, i, 4, DB_TYPE_INT64);
    for (int lane = 0;
         lane < LANE_COUNT && db_array_next_int64(&positions, FENCE_NOT_SERVED, &row.positions[lane]); lane++)
        ;
    return row;
}

static enum status read_leases(struct validators *validators, struct db_connection *connection,
                               struct arena *arena) {
    struct db_begin_options options = {
        .arena = arena, .deadline_ns = now_ns(validators) + QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    struct db_command command = {&statements[READ], NULL, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    if (status != STATUS_OK)
        return status;

    fence_begin_reading(&validators->fence);
    for (int i = 0; i < db_result_get_row_count(command.result) && status == STATUS_OK; i++) {
        struct fence_row row = read_row(command.result, i);
        status = fence_add_row(&validators->fence, &row, now_ns(validators));
    }
    if (status != STATUS_OK) // a reading without some of them must not count as one
        return status;
    fence_end_reading(&validators->fence);
    atomic_fetch_add_explicit(&validators->readings, 1, memory_order_relaxed);
    return STATUS_OK;
}

// Deletes the row of a lease that has run out. True when the row is gone.
static bool expire(struct validators *validators, struct db_connection *connection, struct arena *arena,
                   const struct fence_validator *validator) {
    struct db_begin_options options = {
        .arena = arena, .deadline_ns = now_ns(validators) + QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    struct db_params params;
    db_params_init(&params, arena);
    db_params_add_uuid(&params, validator->row.instance);
    db_params_add_int64(&params, validator->row.renewal);
    struct db_command command = {&statements[EXPIRE], &params, NULL};
    if (db_execute(connection, &options, &command, 1) != STATUS_OK ||
        !db_result_get_bool(command.result, 0, 0))
        return false;
    atomic_fetch_add_explicit(&validators->expired, 1, memory_order_relaxed);
    log_event(LOG_LEVEL_WARNING, "a validator's lease has run out", LOG_TEXT("validator", validator->name));
    return true;
}

// Rows that run out leave the fence with the next reading, which sees that they are gone.
static bool expire_run_out(struct validators *validators, struct db_connection *connection,
                           struct arena *arena) {
    bool is_any_gone = false;
    for (size_t i = 0; i < validators->fence.count; i++) {
        const struct fence_validator *validator = &validators->fence.validators[i];
        if (fence_has_run_out(validator, now_ns(validators)))
            is_any_gone |= expire(validators, connection, arena, validator);
    }
    return is_any_gone;
}

static enum status read_fence(struct validators *validators, struct db_connection *connection) {
    struct arena arena;
    arena_init(&arena, 0);
    enum status status = read_leases(validators, connection, &arena);
    if (status == STATUS_OK && expire_run_out(validators, connection, &arena))
        status = read_leases(validators, connection, &arena);
    arena_fini(&arena);
    return status;
}

// ---- waiters ----

static void name_lagging(const struct fence *fence, struct validators_waiter *waiter) {
    struct validators_answer *answer = &waiter->answer;
    size_t lagging = answer->live - answer->confirmed;
    size_t capacity = lagging < VALIDATORS_LAGGING_MAX ? lagging : VALIDATORS_LAGGING_MAX;
    answer->lagging = ARENA_NEW_ARRAY(waiter->arena, char *, capacity);
    for (size_t i = 0; answer->lagging && i < fence->count && answer->lagging_count < capacity; i++) {
        if (fence_has_applied(&fence->validators[i], waiter->revision))
            continue;
        char *name = arena_copy_text(waiter->arena, fence->validators[i].name);
        if (!name)
            return;
        answer->lagging[answer->lagging_count++] = name;
    }
}

// `is_current`: the fence was read after the waiter had come, so after its commit.
static void answer_waiter(struct validators *validators, struct validators_waiter *waiter, bool is_current) {
    struct fence_answer seen = fence_count(&validators->fence, waiter->revision);
    waiter->answer = (struct validators_answer){.live = seen.live,
                                                .confirmed = seen.confirmed,
                                                .all_confirmed = is_current && seen.live == seen.confirmed};
    name_lagging(&validators->fence, waiter);
    atomic_fetch_add_explicit(&validators->waits, 1, memory_order_relaxed);
    if (waiter->answer.all_confirmed)
        atomic_fetch_add_explicit(&validators->waits_confirmed, 1, memory_order_relaxed);
    waiter->on_answer(waiter);
}

static bool is_done(const struct validators *validators, const struct validators_waiter *waiter,
                    bool is_read) {
    struct fence_answer seen = fence_count(&validators->fence, waiter->revision);
    bool is_confirmed = is_read && waiter->is_ripe && seen.live == seen.confirmed;
    return is_confirmed || now_ns(validators) >= waiter->until_ns || validators->is_ending;
}

// Takes those whose wait is over off the list and answers them outside of the lock.
static void answer_waiters(struct validators *validators, bool is_read) {
    struct validators_waiter *done = NULL;
    pthread_mutex_lock(&validators->lock);
    for (struct validators_waiter **link = &validators->waiters; *link;) {
        struct validators_waiter *waiter = *link;
        if (!is_done(validators, waiter, is_read)) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->next = done;
        done = waiter;
    }
    pthread_mutex_unlock(&validators->lock);

    while (done) {
        struct validators_waiter *next = done->next;
        answer_waiter(validators, done, is_read && done->is_ripe);
        done = next;
    }
}

// ---- the thread ----

struct work {
    bool wake;
    bool poll;
    bool stop;
};

// Sleeps until there is something to do. Who waits now has come before the reading that follows.
static struct work take_work(struct validators *validators, unsigned poll_ms) {
    struct timespec end = condition_get_end(poll_ms);
    pthread_mutex_lock(&validators->lock);
    if (validators->waiters && !validators->is_wake_wanted && !validators->is_stopping)
        pthread_cond_timedwait(&validators->changed, &validators->lock, &end);
    while (!validators->waiters && !validators->is_wake_wanted && !validators->is_stopping)
        pthread_cond_wait(&validators->changed, &validators->lock);

    struct work work = {validators->is_wake_wanted, validators->waiters != NULL, validators->is_stopping};
    validators->is_wake_wanted = false;
    for (struct validators_waiter *waiter = validators->waiters; waiter; waiter = waiter->next)
        waiter->is_ripe = true;
    pthread_mutex_unlock(&validators->lock);
    return work;
}

static void notify(struct validators *validators, struct db_connection *connection) {
    struct arena arena;
    arena_init(&arena, 0);
    struct db_begin_options options = {
        .arena = &arena, .deadline_ns = now_ns(validators) + QUERY_TIMEOUT_MS * UINT64_C(1000000)};
    struct db_command command = {&statements[NOTIFY], NULL, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    arena_fini(&arena);
    atomic_fetch_add_explicit(&validators->wakes, 1, memory_order_relaxed);
    if (status != STATUS_OK) // only a hint: validators poll as well
        log_event(LOG_LEVEL_WARNING, "waking the validators failed",
                  LOG_TEXT("status", status_get_text(status)));
}

// True when the leases were read.
static bool do_work(struct validators *validators, struct work work) {
    struct db_connection *connection;
    uint64_t deadline_ns = now_ns(validators) + QUERY_TIMEOUT_MS * UINT64_C(1000000);
    if (db_pool_lease(validators->pool, deadline_ns, NULL, &connection) != STATUS_OK)
        return false;
    if (work.wake)
        notify(validators, connection);
    bool is_read = work.poll && read_fence(validators, connection) == STATUS_OK;
    db_pool_return(validators->pool, connection);
    atomic_store_explicit(&validators->live, (unsigned)validators->fence.count, memory_order_relaxed);
    return is_read;
}

static unsigned get_poll_ms(const struct validators *validators, uint64_t changed_ns) {
    uint64_t poll_ms = (now_ns(validators) - changed_ns) / 1000000 / POLL_PART;
    if (poll_ms < POLL_MIN_MS)
        return POLL_MIN_MS;
    return poll_ms < POLL_MAX_MS ? (unsigned)poll_ms : POLL_MAX_MS;
}

static void *run(void *context) {
    struct validators *validators = context;
    uint64_t changed_ns = now_ns(validators);
    for (struct work work = {0}; !work.stop;) {
        work = take_work(validators, get_poll_ms(validators, changed_ns));
        if (work.wake)
            changed_ns = now_ns(validators);
        bool is_read = (work.wake || work.poll) && do_work(validators, work);
        answer_waiters(validators, is_read);
    }
    return NULL;
}

// ---- public ----

enum status validators_new(struct db_pool *pool, const struct clock *clock,
                           struct validators **ret_validators) {
    struct validators *validators = calloc(1, sizeof(*validators));
    if (!validators)
        return STATUS_NO_MEMORY;
    validators->pool = pool;
    validators->clock = clock;
    condition_init(&validators->changed);
    pthread_mutex_init(&validators->lock, NULL);
    if (pthread_create(&validators->thread, NULL, run, validators) != 0) {
        pthread_mutex_destroy(&validators->lock);
        pthread_cond_destroy(&validators->changed);
        free(validators);
        return STATUS_EXHAUSTED;
    }
    *ret_validators = validators;
    return STATUS_OK;
}

void validators_end_waits(struct validators *validators) {
    if (!validators)
        return;
    pthread_mutex_lock(&validators->lock);
    validators->is_ending = true;
    pthread_cond_signal(&validators->changed);
    pthread_mutex_unlock(&validators->lock);
}

void validators_free(struct validators *validators) {
    if (!validators)
        return;
    pthread_mutex_lock(&validators->lock);
    validators->is_stopping = true;
    pthread_cond_signal(&validators->changed);
    pthread_mutex_unlock(&validators->lock);
    pthread_join(validators->thread, NULL);
    fence_fini(&validators->fence);
    pthread_mutex_destroy(&validators->lock);
    pthread_cond_destroy(&validators->changed);
    free(validators);
}

void validators_wake(struct validators *validators) {
    pthread_mutex_lock(&validators->lock);
    validators->is_wake_wanted = true;
    pthread_cond_signal(&validators->changed);
    pthread_mutex_unlock(&validators->lock);
}

void validators_wait(struct validators *validators, struct validators_waiter *waiter) {
    waiter->is_ripe = false;
    waiter->answer = (struct validators_answer){0};
    pthread_mutex_lock(&validators->lock);
    waiter->next = validators->waiters;
    validators->waiters = waiter;
    pthread_cond_signal(&validators->changed);
    pthread_mutex_unlock(&validators->lock);
}

void validators_write_metrics(struct metrics_writer *writer, void *context) {
    struct validators *validators = context;
    metrics_write_counter(writer, "latchkey_validator_wakes_total", "Notifications sent to the validators.",
                          NULL, atomic_load_explicit(&validators->wakes, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_validator_waits_total", "Calls that waited for the validators.",
                          NULL, atomic_load_explicit(&validators->waits, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_validator_waits_confirmed_total",
                          "Of those, calls whose change every validator has confirmed.", NULL,
                          atomic_load_explicit(&validators->waits_confirmed, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_validator_lease_readings_total",
                          "Times that the leases were read.", NULL,
                          atomic_load_explicit(&validators->readings, memory_order_relaxed));
    metrics_write_counter(writer, "latchkey_validator_leases_expired_total",
                          "Leases that ran out and whose rows were deleted.", NULL,
                          atomic_load_explicit(&validators->expired, memory_order_relaxed));
    metrics_write_gauge(writer, "latchkey_validators_live", "Validators at the last reading.", NULL,
                        atomic_load_explicit(&validators->live, memory_order_relaxed));
}
