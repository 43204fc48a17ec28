//   QUIET --db_cancel--> QUEUED --thread takes it--> SENDING --sent--> QUIET
//     ^                    |
//     +------unbind--------+
//
// One lock for all, held for a few instructions: a call takes it twice, and the helper thread not while it
// sends.
#include "common/db/cancel_target.h"

#include <assert.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/condition.h"
#include "common/base/log.h"

#define SEND_WAIT_MS 2000

enum target_state { TARGET_QUIET, TARGET_QUEUED, TARGET_SENDING };

struct db_cancel_target {
    PGcancel *request;
    enum target_state state;
    bool is_orphaned; // its connection is closed: the thread frees it when it has sent
    struct db_cancel_target *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t has_work, has_sent;
    pthread_t thread;
    unsigned users; // under `users_lock`
    pthread_mutex_t users_lock;
    bool is_running, is_stopping; // from here on under `lock`
    bool is_sending;
    struct db_cancel_target *first, **last;
} canceller = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .users_lock = PTHREAD_MUTEX_INITIALIZER,
    .last = &canceller.first,
};

static void enqueue(struct db_cancel_target *target) {
    target->state = TARGET_QUEUED;
    target->next = NULL;
    *canceller.last = target;
    canceller.last = &target->next;
    pthread_cond_signal(&canceller.has_work);
}

static void dequeue(struct db_cancel_target *target) {
    struct db_cancel_target **link = &canceller.first;
    while (*link != target)
        link = &(*link)->next;
    *link = target->next;
    if (canceller.last == &target->next)
        canceller.last = link;
    target->state = TARGET_QUIET;
}

static void destroy(struct db_cancel_target *target) {
    PQfreeCancel(target->request);
    free(target);
}

// Also what runs when the thread is ended while it sends.
static void end_sending(void *context) {
    struct db_cancel_target *target = context;
    pthread_mutex_lock(&canceller.lock);
    canceller.is_sending = false;
    target->state = TARGET_QUIET;
    if (target->is_orphaned)
        destroy(target);
    pthread_cond_broadcast(&canceller.has_sent);
    pthread_mutex_unlock(&canceller.lock);
}

// PQcancel() waits for a silent server without end, and is the one place where the thread may be ended: it
// holds no memory there, only a socket, which the end of the process closes.
static void send_to_server(PGcancel *request) {
    char error[256] = "";
    int ignored;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &ignored);
    bool is_sent = PQcancel(request, error, sizeof(error));
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
    if (!is_sent)
        log_event(LOG_LEVEL_WARNING, "a statement could not be cancelled", LOG_TEXT("error", error));
}

// Comes and goes with the lock held.
static void send_cancel(struct db_cancel_target *target) {
    target->state = TARGET_SENDING;
    canceller.is_sending = true;
    pthread_mutex_unlock(&canceller.lock);
    pthread_cleanup_push(end_sending, target);
    send_to_server(target->request);
    pthread_cleanup_pop(1);
    pthread_mutex_lock(&canceller.lock);
}

static void *run_canceller(void *unused) {
    (void)unused;
    int ignored;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
    pthread_mutex_lock(&canceller.lock);
    while (!canceller.is_stopping) {
        struct db_cancel_target *target = canceller.first;
        if (!target) {
            pthread_cond_wait(&canceller.has_work, &canceller.lock);
            continue;
        }
        dequeue(target);
        send_cancel(target);
    }
    pthread_mutex_unlock(&canceller.lock);
    return NULL;
}

static bool start(void) {
    condition_init(&canceller.has_sent);
    condition_init(&canceller.has_work);

    pthread_mutex_lock(&canceller.lock);
    canceller.is_stopping = false;
    canceller.is_running = pthread_create(&canceller.thread, NULL, run_canceller, NULL) == 0;
    bool is_running = canceller.is_running;
    pthread_mutex_unlock(&canceller.lock);
    return is_running;
}

// Under the lock.
static bool is_stuck(void) {
    struct timespec end = condition_get_end(SEND_WAIT_MS);
    int error = 0;
    while (canceller.is_sending && error == 0)
        error = pthread_cond_timedwait(&canceller.has_sent, &canceller.lock, &end);
    return canceller.is_sending;
}

static void stop(void) {
    pthread_mutex_lock(&canceller.lock);
    canceller.is_stopping = true;
    canceller.is_running = false;
    pthread_cond_signal(&canceller.has_work);
    if (is_stuck())
        pthread_cancel(canceller.thread);
    pthread_mutex_unlock(&canceller.lock);
    pthread_join(canceller.thread, NULL);
    assert(!canceller.first);
    pthread_cond_destroy(&canceller.has_work);
    pthread_cond_destroy(&canceller.has_sent);
}

enum status canceller_use(void) {
    pthread_mutex_lock(&canceller.users_lock);
    bool is_running = canceller.users > 0 || start();
    if (is_running)
        canceller.users++;
    pthread_mutex_unlock(&canceller.users_lock);
    return is_running ? STATUS_OK : STATUS_NO_MEMORY;
}

void canceller_leave(void) {
    pthread_mutex_lock(&canceller.users_lock);
    if (--canceller.users == 0)
        stop();
    pthread_mutex_unlock(&canceller.users_lock);
}

struct db_cancel_target *cancel_target_new(struct pg_conn *pg) {
    struct db_cancel_target *target = calloc(1, sizeof(*target));
    if (!target)
        return NULL;
    target->request = PQgetCancel(pg);
    if (!target->request) {
        free(target);
        return NULL;
    }
    return target;
}

void cancel_target_free(struct db_cancel_target *target) {
    if (!target)
        return;
    pthread_mutex_lock(&canceller.lock);
    assert(target->state != TARGET_QUEUED);
    target->is_orphaned = target->state == TARGET_SENDING;
    bool is_mine = !target->is_orphaned;
    pthread_mutex_unlock(&canceller.lock);
    if (is_mine)
        destroy(target);
}

bool cancel_target_bind(struct db_cancel_target *target, struct db_cancellation *cancellation) {
    pthread_mutex_lock(&canceller.lock);
    assert(!cancellation->target);
    bool is_cancelled = cancellation->is_cancelled;
    if (!is_cancelled)
        cancellation->target = target;
    cancellation->is_committing = false; // what was run before has failed
    pthread_mutex_unlock(&canceller.lock);
    return !is_cancelled;
}

static void wait_until_sent(struct db_cancel_target *target) {
    struct timespec end = condition_get_end(SEND_WAIT_MS);
    int error = 0;
    while (target->state == TARGET_SENDING && error == 0)
        error = pthread_cond_timedwait(&canceller.has_sent, &canceller.lock, &end);
}

bool cancel_target_unbind(struct db_cancel_target *target, struct db_cancellation *cancellation) {
    pthread_mutex_lock(&canceller.lock);
    cancellation->target = NULL;
    if (target->state == TARGET_QUEUED)
        dequeue(target);
    wait_until_sent(target);
    bool is_quiet = target->state == TARGET_QUIET;
    pthread_mutex_unlock(&canceller.lock);
    return is_quiet;
}

bool cancel_target_begin_commit(struct db_cancellation *cancellation) {
    pthread_mutex_lock(&canceller.lock);
    bool is_cancelled = cancellation->is_cancelled;
    cancellation->is_committing = !is_cancelled;
    pthread_mutex_unlock(&canceller.lock);
    return !is_cancelled;
}

bool db_cancel(struct db_cancellation *cancellation) {
    pthread_mutex_lock(&canceller.lock);
    bool is_first = !cancellation->is_cancelled;
    cancellation->is_cancelled = true;
    if (is_first && cancellation->target && canceller.is_running)
        enqueue(cancellation->target);
    bool is_in_time = !cancellation->is_committing;
    pthread_mutex_unlock(&canceller.lock);
    return is_in_time;
}

bool db_is_cancelled(const struct db_cancellation *cancellation) {
    pthread_mutex_lock(&canceller.lock);
    bool is_cancelled = cancellation->is_cancelled;
    pthread_mutex_unlock(&canceller.lock);
    return is_cancelled;
}
