// The kernel's clocks through the vDSO, and the one that tests move by hand.
#include "common/base/clock.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

#include "common/base/compiler.h"

static int64_t read_kernel(clockid_t id) {
    struct timespec now;
    int failed = clock_gettime(id, &now);
    assert(!failed);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t read_system_monotonic(const struct clock *clock) {
    (void)clock;
    return (uint64_t)read_kernel(CLOCK_MONOTONIC);
}

static uint64_t read_system_boottime(const struct clock *clock) {
    (void)clock;
    return (uint64_t)read_kernel(CLOCK_BOOTTIME);
}

static int64_t read_system_realtime(const struct clock *clock) {
    (void)clock;
    return read_kernel(CLOCK_REALTIME);
}

const struct clock *clock_get_system(void) {
    static const struct clock system_clock = {
        .read_monotonic_ns = read_system_monotonic,
        .read_boottime_ns = read_system_boottime,
        .read_realtime_ns = read_system_realtime,
    };
    return &system_clock;
}

static const struct clock_manual *get_manual(const struct clock *clock) {
    return CONTAINER_OF(clock, struct clock_manual, clock);
}

static uint64_t read_manual_monotonic(const struct clock *clock) {
    return get_manual(clock)->monotonic_ns;
}

static uint64_t read_manual_boottime(const struct clock *clock) {
    return get_manual(clock)->boottime_ns;
}

static int64_t read_manual_realtime(const struct clock *clock) {
    return get_manual(clock)->realtime_ns;
}

void clock_manual_init(struct clock_manual *manual) {
    *manual = (struct clock_manual){
        .clock =
            {
                .read_monotonic_ns = read_manual_monotonic,
                .read_boottime_ns = read_manual_boottime,
                .read_realtime_ns = read_manual_realtime,
            },
        .monotonic_ns = CLOCK_MANUAL_START_NS,
        .boottime_ns = 2 * CLOCK_MANUAL_START_NS,
        .realtime_ns = CLOCK_MANUAL_START_MS * 1000000,
    };
}

void clock_manual_advance_ms(struct clock_manual *manual, uint64_t ms) {
    manual->monotonic_ns += ms * 1000000;
    manual->boottime_ns += ms * 1000000;
    manual->realtime_ns += (int64_t)(ms * 1000000);
}
