#include "services/validator/follow/hint.h"

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

enum status hint_init(struct hint *hint, const struct db_connection_options *options, const char *channel) {
    enum status status = db_listener_new(options, channel, &hint->listener);
    if (status != STATUS_OK)
        return status;
    atomic_init(&hint->is_stopping, false);
    hint->is_given = false;
    init_lock(hint);
    if (pthread_create(&hint->thread, NULL, listen_for_hints, hint) == 0)
        return STATUS_OK;
    fini_lock(hint);
    db_listener_free(hint->listener);
    return STATUS_EXHAUSTED;
}

void hint_fini(struct hint *hint) {
    pthread_join(hint->thread, NULL);
    db_listener_free(hint->listener);
    fini_lock(hint);
}

void hint_give(struct hint *hint) {
    pthread_mutex_lock(&hint->lock);
    hint->is_given = true;
    pthread_cond_signal(&hint->changed);
    pthread_mutex_unlock(&hint->lock);
}

void hint_stop(struct hint *hint) {
    pthread_mutex_lock(&hint->lock);
    atomic_store_explicit(&hint->is_stopping, true, memory_order_relaxed);
    pthread_cond_signal(&hint->changed);
    pthread_mutex_unlock(&hint->lock);
    db_listener_wake(hint->listener);
}

bool hint_wait(struct hint *hint, uint64_t timeout_ms) {
    struct timespec end = condition_get_end((int64_t)timeout_ms);
    int result = 0;
    pthread_mutex_lock(&hint->lock);
    while (!hint->is_given && !hint_is_stopping(hint) && result == 0)
        result = pthread_cond_timedwait(&hint->changed, &hint->lock, &end);
    bool has_ended = hint->is_given || hint_is_stopping(hint);
    hint->is_given = false;
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
