#include "services/validator/follow/snapshot_progress.h"

#include "common/base/log.h"

enum { LOOK_ROWS = 4096 }; // a power of two: so seldom the clock is read

void snapshot_progress_begin(struct snapshot_progress *progress, const struct clock *clock,
                             uint64_t expected_rows) {
    progress->clock = clock;
    progress->logged_ns = clock_get_monotonic_ns(clock);
    atomic_store_explicit(&progress->loaded_rows, 0, memory_order_relaxed);
    atomic_store_explicit(&progress->expected_rows, expected_rows, memory_order_relaxed);
}

static void look(struct snapshot_progress *progress, uint64_t rows) {
    uint64_t now_ns = clock_get_monotonic_ns(progress->clock);
    if (now_ns - progress->logged_ns < SNAPSHOT_PROGRESS_LOG_MS * UINT64_C(1000000))
        return;
    progress->logged_ns = now_ns;
    log_event(LOG_LEVEL_INFO, "loading", LOG_INTEGER("rows", rows),
              LOG_INTEGER("percent", snapshot_progress_get_percent(progress)));
}

// why no atomic addition: nobody else adds.
void snapshot_progress_add(struct snapshot_progress *progress) {
    uint64_t rows = atomic_load_explicit(&progress->loaded_rows, memory_order_relaxed) + 1;
    atomic_store_explicit(&progress->loaded_rows, rows, memory_order_relaxed);
    if (rows % LOOK_ROWS == 0)
        look(progress, rows);
}

int snapshot_progress_get_percent(const struct snapshot_progress *progress) {
    uint64_t expected = atomic_load_explicit(&progress->expected_rows, memory_order_relaxed);
    uint64_t loaded = atomic_load_explicit(&progress->loaded_rows, memory_order_relaxed);
    if (expected == 0)
        return -1;
    return loaded < expected ? (int)(loaded * 100 / expected) : 99;
}
