// How far a load has come: one line in the log every few seconds, and the numbers for whoever watches.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_PROGRESS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/clock.h"

#define SNAPSHOT_PROGRESS_LOG_MS 5000

// Zeroed memory is that of no load.
struct snapshot_progress {
    // Relaxed: for whoever watches.
    _Atomic uint64_t expected_rows; // an estimate; 0 = not known
    _Atomic uint64_t loaded_rows;

    // The loading thread's.
    const struct clock *clock;
    uint64_t logged_ns;
};

// Borrows the clock.
void snapshot_progress_begin(struct snapshot_progress *progress, const struct clock *clock,
                             uint64_t expected_rows);

// One row more. Between begin and the next begin.
void snapshot_progress_add(struct snapshot_progress *progress);

// 0..99; -1 = not known.
int snapshot_progress_get_percent(const struct snapshot_progress *progress);

#endif
