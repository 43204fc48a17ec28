#include "common/app/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct source {
    metrics_source write;
    void *context;
};

struct metrics {
    struct source *sources;
    size_t count;
};

// Upper bounds in ns, inclusive.
static const uint64_t bounds_ns[HISTOGRAM_BUCKETS] = {
    10000,     25000,     50000,     75000,      100000,     250000,     500000,
    750000,    1000000,   2500000,   5000000,    10000000,   25000000,   50000000,
    100000000, 250000000, 500000000, 1000000000, 2500000000, 10000000000};

enum status metrics_new(struct metrics **ret_metrics) {
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return STATUS_NO_MEMORY;
    *ret_metrics = metrics;
    return STATUS_OK;
}

void metrics_free(struct metrics *metrics) {
    if (!metrics)
        return;
    free(metrics->sources);
    free(metrics);
}

enum status metrics_register(struct metrics *metrics, metrics_source source, void *context) {
    struct source *grown = realloc(metrics->sources, (metrics->count + 1) * sizeof(*grown));
    if (!grown)
        return STATUS_NO_MEMORY;
    grown[metrics->count++] = (struct source){source, context};
    metrics->sources = grown;
    return STATUS_OK;
}

void metrics_write(const struct metrics *metrics, struct buffer *to) {
    for (size_t i = 0; i < metrics->count; i++) {
        struct metrics_writer writer = {.to = to};
        metrics->sources[i].write(&writer, metrics->sources[i].context);
    }
}

static void begin_family(struct metrics_writer *writer, const char *name, const char *type,
                         const char *help) {
    if (writer->family && strcmp(writer->family, name) == 0)
        return;
    writer->family = name;
    buffer_append_format(writer->to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_name(struct metrics_writer *writer, const char *name, const char *labels) {
    buffer_append_text(writer->to, name);
    if (labels && *labels)
        buffer_append_format(writer->to, "{%s}", labels);
}

void metrics_write_counter(struct metrics_writer *writer, const char *name, const char *help,
                           const char *labels, uint64_t value) {
    begin_family(writer, name, "counter", help);
    write_name(writer, name, labels);
    buffer_append_format(writer->to, " %" PRIu64 "\n", value);
}

void metrics_write_seconds_total(struct metrics_writer *writer, const char *name, const char *help,
                                 const char *labels, uint64_t ns) {
    begin_family(writer, name, "counter", help);
    write_name(writer, name, labels);
    buffer_append_format(writer->to, " %.15g\n", (double)ns / 1e9);
}

void metrics_write_gauge(struct metrics_writer *writer, const char *name, const char *help,
                         const char *labels, double value) {
    begin_family(writer, name, "gauge", help);
    write_name(writer, name, labels);
    buffer_append_format(writer->to, " %.17g\n", value);
}

void metrics_write_buckets(struct metrics_writer *writer, const char *name, const char *help,
                           const char *labels, const struct metrics_buckets *buckets) {
    begin_family(writer, name, "histogram", help);
    const char *own = labels ? labels : "", *comma = *own ? "," : "";
    const char *open = *own ? "{" : "", *close = *own ? "}" : "";
    uint64_t count = 0;
    for (size_t i = 0; i < buckets->bound_count; i++) {
        count += buckets->counts[i];
        buffer_append_format(writer->to, "%s_bucket{%s%sle=\"%.6g\"} %" PRIu64 "\n", name, own, comma,
                             (double)buckets->bounds_ns[i] / 1e9, count);
    }
    count += buckets->counts[buckets->bound_count];
    buffer_append_format(writer->to, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, own, comma, count);
    buffer_append_format(writer->to, "%s_sum%s%s%s %.15g\n", name, open, own, close,
                         (double)buckets->sum_ns / 1e9);
    buffer_append_format(writer->to, "%s_count%s%s%s %" PRIu64 "\n", name, open, own, close, count);
}

void histogram_add_ns(struct histogram *histogram, uint64_t ns) {
    size_t i = 0;
    while (i < HISTOGRAM_BUCKETS && ns > bounds_ns[i])
        i++;
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, ns, memory_order_relaxed);
}

void metrics_write_histogram(struct metrics_writer *writer, const char *name, const char *help,
                             const char *labels, const struct histogram *histogram) {
    uint64_t counts[HISTOGRAM_BUCKETS + 1];
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    metrics_write_buckets(
        writer, name, help, labels,
        &(struct metrics_buckets){.bounds_ns = bounds_ns,
                                  .counts = counts,
                                  .bound_count = HISTOGRAM_BUCKETS,
                                  .sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed)});
}
