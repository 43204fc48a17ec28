// What a follower tells of itself: to operators why it does not serve, to the log each change of that, and to
// Prometheus its numbers. The follower's thread writes, any thread asks.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_STATUS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_STATUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/image/validator.h"

#define FOLLOWER_TROUBLE_MAX 767

struct follower_status {
    const struct validator *validator; // borrows, as the clock
    const struct clock *clock;
    struct lane_set lanes; // that are served
    struct snapshot_progress progress;

    // Relaxed: for metrics.
    _Atomic uint64_t rounds, changes, loads, failures;
    _Atomic uint64_t load_ns; // how long the last one took
    _Atomic uint64_t behind;  // changes in the log, not yet applied, when it was last looked at
    _Atomic uint64_t tokens, companies, members, roles, policies, token_bytes, list_bytes;
    struct histogram round_duration;

    pthread_mutex_t lock;
    bool is_in_trouble;                     // under the lock
    char trouble[FOLLOWER_TROUBLE_MAX + 1]; // under the lock: what was logged last; "" = all is well
};

void follower_status_init(struct follower_status *status, const struct validator *validator,
                          const struct clock *clock);
void follower_status_fini(struct follower_status *status);

// The follower's thread: what is wrong now, as one sentence. Logged when it is another than before.
void follower_status_set_trouble(struct follower_status *status, const char *format, ...) PRINTF_LIKE(2, 3);
void follower_status_clear_trouble(struct follower_status *status);

// The follower's thread: whatever was wrong is not known to be so any more.
void follower_status_begin_load(struct follower_status *status);

// The follower's thread, after a round.
void follower_status_note_image(struct follower_status *status, const struct image *image);

void follower_status_write_unready(struct follower_status *status, struct buffer *to);
void follower_status_write_metrics(struct metrics_writer *writer, struct follower_status *status);

#endif
