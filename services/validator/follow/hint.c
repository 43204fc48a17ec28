#include "services/validator/follow/hint.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/condition.h"

enum { LISTEN_WAIT_MS = 60000 };

static void *listen_for_hints(void *context) {
    struct hint *hint = context;
    while (!hint_is_stopping(hint))
        if (db_listener_wait(hint->listener, LISTEN_WAIT_MS) == DB_LISTEN_NOTIFIED)
            hint_give(hint);
    return NULL;
}

static void init_lock(struct hint *hint) {
    condition_init(&hint->changed);
    pthread_mutex_init(&hint->lock, NULL);
}

static void fini_lock(struct hint *hint) {
    pthread_mutex_destroy(&hint->lock);
    pthread_cond_destroy(&hint->changed);
}

static enum status start_listening(struct hint *hint, const struct db_connection_options *options,
                                   const char *channel) {
    enum status status = db_listener_new(options, channel, &hint->listener);
    if (status != STATUS_OK)
        return status;
    if (pthread_create(&hint->thread, NULL, listen_for_hints, hint) == 0)
        return STATUS_OK;
    db_listener_free(hint->listener);
    return STATUS_EXHAUSTED;
}

enum status hint_init(struct hint *hint, const struct db_connection_options *options, const char *channel) {
    *hint = (struct hint){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (hint->wake_fd < 0)
        return STATUS_EXHAUSTED;
    init_lock(hint);
    enum status status = options ? start_listening(hint, options, channel) : STATUS_OK;
    if (status == STATUS_OK)
        return STATUS_OK;
    fini_lock(hint);
    close(hint->wake_fd);
    return status;
}

void hint_fini(struct hint *hint) {
    if (hint->listener)
        pthread_join(hint->thread, NULL);
    db_listener_free(hint->listener);
    fini_lock(hint);
    close(hint->wake_fd);
}

// Under the lock.
static void wake(struct hint *hint) {
    const uint64_t one = 1;
    (void)!write(hint->wake_fd, &one, sizeof(one)); // full is readable, too
    pthread_cond_signal(&hint->changed);
}

// Under the lock.
static void forget(struct hint *hint) {
    uint64_t count;
    bool has_woken = hint->is_given && !hint_is_stopping(hint);
    hint->is_given = false;
    if (has_woken)
        (void)!read(hint->wake_fd, &count, sizeof(count));
}

void hint_give(struct hint *hint) {
    pthread_mutex_lock(&hint->lock);
    if (!hint->is_given)
        wake(hint);
    hint->is_given = true;
    pthread_mutex_unlock(&hint->lock);
}

void hint_stop(struct hint *hint) {
    pthread_mutex_lock(&hint->lock);
    atomic_store_explicit(&hint->is_stopping, true, memory_order_relaxed);
    wake(hint);
    pthread_mutex_unlock(&hint->lock);
    if (hint->listener)
        db_listener_wake(hint->listener);
}

void hint_take(struct hint *hint) {
    pthread_mutex_lock(&hint->lock);
    forget(hint);
    pthread_mutex_unlock(&hint->lock);
}

bool hint_wait(struct hint *hint, uint64_t timeout_ms) {
    struct timespec end = condition_get_end((int64_t)timeout_ms);
    int result = 0;
    pthread_mutex_lock(&hint->lock);
    while (!hint->is_given && !hint_is_stopping(hint) && result == 0)
        result = pthread_cond_timedwait(&hint->changed, &hint->lock, &end);
    bool has_ended = hint->is_given || hint_is_stopping(hint);
    forget(hint);
    pthread_mutex_unlock(&hint->lock);
    return has_ended;
}

void hint_pause(struct hint *hint, uint64_t timeout_ms) {
    struct timespec end = condition_get_end((int64_t)timeout_ms);
    int result = 0;
    pthread_mutex_lock(&hint->lock);
    while (!hint_is_stopping(hint) && result == 0)
        result = pthread_cond_timedwait(&hint->changed, &hint->lock, &end);
    pthread_mutex_unlock(&hint->lock);
}
