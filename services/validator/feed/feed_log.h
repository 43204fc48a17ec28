// The last runs of a feed, which all who are fed read at their own pace: each run once, however many they
// are. Bounded in bytes: the oldest make room, and who has not come past them can't go on.
//
// Runs have numbers that ascend without a gap. Not locked: its owner is (feed.c).
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_LOG_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/image.h"

// Where a feed stands after a run.
struct feed_point {
    int64_t seqs[LANE_COUNT], marks[LANE_COUNT];
};

struct feed_point feed_point_of(const struct image *image);

// Immutable but for its count.
struct feed_run {
    _Atomic uint32_t references;
    struct feed_point after;
    size_t rows_len; // of these bytes, which are the messages with rows; the others say what was applied
    size_t len;
    uint8_t bytes[];
};

struct feed_log {
    size_t bytes_max;
    struct feed_point start; // before the first one
    struct feed_run **runs;  // of a ring, by the low bits of their numbers
    size_t capacity;
    uint64_t first, end; // numbers of those that are held: first <= number < end
    size_t size_bytes;
};

// Without runs, at that point.
void feed_log_init(struct feed_log *log, size_t bytes_max);
void feed_log_fini(struct feed_log *log);

// Forgets all runs; numbers go on.
void feed_log_restart(struct feed_log *log, const struct feed_point *start);

// Copies the bytes. The newest run is held whatever its size. NO_MEMORY.
MUST_CHECK enum status feed_log_add(struct feed_log *log, struct bytes rows, struct bytes applied,
                                    const struct feed_point *after);

const struct feed_point *feed_log_get_point(const struct feed_log *log); // after the newest run

// The number of the run that follows `point`; false where the log does not go back to it.
MUST_CHECK bool feed_log_find(const struct feed_log *log, const struct feed_point *point,
                              uint64_t *ret_number);

// One that is held, with a reference more. Any thread may give that back.
struct feed_run *feed_log_take(const struct feed_log *log, uint64_t number);
void feed_run_release(struct feed_run *run); // takes NULL

#endif
