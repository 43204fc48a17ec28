// What a loop counts of Validate. The loop is the only writer; whoever reports adds the loops up with relaxed
// loads.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_COUNTERS_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/app/metrics.h"
#include "services/validator/image/lease.h"

// How a wait for a min_revision ended.
#define VALIDATE_WAIT_TABLE(X)    \
    X(REACHED, "reached")         \
    X(NOT_REACHED, "not_reached") \
    X(UNKNOWN, "unknown")         \
    X(OVERLOADED, "overloaded")   \
    X(CANCELLED, "cancelled")     \
    X(NOT_CURRENT, "not_current")

enum validate_wait_end {
#define VALIDATE_WAIT_ENUM(name, text) VALIDATE_WAIT_##name,
    VALIDATE_WAIT_TABLE(VALIDATE_WAIT_ENUM)
#undef VALIDATE_WAIT_ENUM
        VALIDATE_WAIT_COUNT
};

struct validate_counters {
    _Atomic uint64_t decisions[REASON_COUNT];             // by the reason that the asker was told
    _Atomic uint64_t not_current[LEASE_HISTORY_LOST + 1]; // calls answered UNAVAILABLE, by enum lease_state
    _Atomic uint64_t not_served;                          // calls for those who serve another lane
    _Atomic uint64_t refused_askers;                      // who may not ask at all
    _Atomic uint64_t waits[VALIDATE_WAIT_COUNT];          // for a min_revision
    _Atomic uint64_t parked;                              // that wait now
    _Atomic uint64_t denials_missed;                      // not noted: somebody was listing
};

// By the loop itself.
static inline void validate_count(_Atomic uint64_t *counter, int64_t amount) {
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + (uint64_t)amount, memory_order_relaxed);
}

static inline void validate_count_unparked(struct validate_counters *counters, enum validate_wait_end end) {
    validate_count(&counters->parked, -1);
    validate_count(&counters->waits[end], 1);
}

// Adds `from` to the sums in `to`, which is the caller's alone.
void validate_counters_add(struct validate_counters *to, const struct validate_counters *from);

void validate_counters_write(const struct validate_counters *sums, struct metrics_writer *writer);

#endif
