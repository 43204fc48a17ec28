// Metrics in the Prometheus text format (version 0.0.4). The parts of a server keep their own counters as
// relaxed atomics and register a source that writes them when somebody asks; nothing is locked or formatted
// while calls are served.
#ifndef LATCHKEY_COMMON_APP_METRICS_H
#define LATCHKEY_COMMON_APP_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

struct metrics;

// Where a source writes; valid during its call.
struct metrics_writer {
    struct buffer *to;
    const char *family; // the name whose HELP and TYPE were written last
};

typedef void (*metrics_source)(struct metrics_writer *writer, void *context);

MUST_CHECK enum status metrics_new(struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics); // takes NULL

// Before the admin port listens. Sources are asked in the order of registration; `context` outlives the
// metrics.
MUST_CHECK enum status metrics_register(struct metrics *metrics, metrics_source source, void *context);

// Everything, from any thread. `to` is failed when memory ran out.
void metrics_write(const struct metrics *metrics, struct buffer *to);

// One sample. `labels` is the text between the braces without them: constant names and values that need no
// escaping; NULL = none. All samples of one family are written one after the other.
void metrics_write_counter(struct metrics_writer *writer, const char *name, const char *help,
                           const char *labels, uint64_t value);
void metrics_write_seconds_total(struct metrics_writer *writer, const char *name, const char *help,
                                 const char *labels, uint64_t ns); // a counter of seconds
void metrics_write_gauge(struct metrics_writer *writer, const char *name, const char *help,
                         const char *labels, double value);

// A histogram as somebody counted it.
struct metrics_buckets {
    const uint64_t *bounds_ns; // inclusive upper bounds, ascending
    const uint64_t *counts;    // one for each bound and one for what is above; not cumulative
    size_t bound_count;
    uint64_t sum_ns;
};

void metrics_write_buckets(struct metrics_writer *writer, const char *name, const char *help,
                           const char *labels, const struct metrics_buckets *buckets);

// A histogram of our own counting: 10 us to 10 s.
#define HISTOGRAM_BUCKETS 20

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS + 1]; // the last one for what is above all bounds
    _Atomic uint64_t sum_ns;
};

// Any thread, no lock.
void histogram_add_ns(struct histogram *histogram, uint64_t ns);

void metrics_write_histogram(struct metrics_writer *writer, const char *name, const char *help,
                             const char *labels, const struct histogram *histogram);

#endif
