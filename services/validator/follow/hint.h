// What begins a round before its time: somebody of this process asks for it, or a NOTIFY says that something
// has changed. Hints are coalesced; one that comes while a round is under way begins the next. A thread of
// its own listens, because a listener that tries to connect again may block for seconds, and a lease can't
// wait.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_HINT_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_HINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/db/listen.h"

struct hint {
    atomic_bool is_stopping; // relaxed: read without the lock by whoever is in the middle of something
    pthread_t thread;
    struct db_listener *listener; // NULL = there is none, and no thread
    int wake_fd;                  // an eventfd: readable while a hint is given, or all stops

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_given; // under the lock
};

// Starts to listen on `channel`. Borrows the options and their texts; NULL: hints come from this process
// alone.
MUST_CHECK enum status hint_init(struct hint *hint, const struct db_connection_options *options,
                                 const char *channel);
void hint_fini(struct hint *hint); // after hint_stop()

// Any thread, never block.
void hint_give(struct hint *hint);
void hint_stop(struct hint *hint); // for good: nobody waits any more

static inline bool hint_is_stopping(const struct hint *hint) {
    return atomic_load_explicit(&hint->is_stopping, memory_order_relaxed);
}

// One thread: takes what hints there are without waiting, for who waits for `wake_fd`.
void hint_take(struct hint *hint);

// One thread: returns when the time is over, or, and then true, a hint was given or all stops.
bool hint_wait(struct hint *hint, uint64_t timeout_ms);

// The same, but hints are left for later: a pause after a failure is not to be cut short.
void hint_pause(struct hint *hint, uint64_t timeout_ms);

#endif
