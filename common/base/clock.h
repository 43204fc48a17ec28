// Time as a handle, so that tests own it. Three clocks: `monotonic` for deadlines and time-outs of this
// process, `boottime` (runs on while the machine sleeps) for leases, `realtime` (UTC since 1970) for what
// people wrote down. Instants that are compared with the database's are milliseconds since 1970 in int64_t,
// named `*_at_ms`; "never" is CLOCK_NEVER_MS and "always was" is CLOCK_ALWAYS_MS, so that comparisons need no
// special case.
#ifndef LATCHKEY_COMMON_BASE_CLOCK_H
#define LATCHKEY_COMMON_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER_MS INT64_MAX
#define CLOCK_ALWAYS_MS INT64_MIN

struct clock {
    uint64_t (*read_monotonic_ns)(const struct clock *clock);
    uint64_t (*read_boottime_ns)(const struct clock *clock);
    int64_t (*read_realtime_ns)(const struct clock *clock);
};

// The kernel's clocks; static storage, any thread.
const struct clock *clock_get_system(void);

static inline uint64_t clock_get_monotonic_ns(const struct clock *clock) {
    return clock->read_monotonic_ns(clock);
}

static inline uint64_t clock_get_boottime_ns(const struct clock *clock) {
    return clock->read_boottime_ns(clock);
}

static inline int64_t clock_get_realtime_ms(const struct clock *clock) {
    return clock->read_realtime_ns(clock) / 1000000;
}

// A clock that stands still until a test moves it. One thread, or the test's own locking.
struct clock_manual {
    struct clock clock; // hand out &manual.clock
    uint64_t monotonic_ns, boottime_ns;
    int64_t realtime_ns;
};

// Where it begins: at noon of 2026-01-01 UTC, an hour after the machine started and with an hour of sleep
// before, so that no clock reads zero and none is taken for another.
#define CLOCK_MANUAL_START_MS INT64_C(1767268800000)
#define CLOCK_MANUAL_START_NS UINT64_C(3600000000000)

void clock_manual_init(struct clock_manual *manual);
void clock_manual_advance_ms(struct clock_manual *manual, uint64_t ms); // all three together

#endif
