#include "common/app/transport_metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grpc/server.h"

enum { LABELS_MAX = 512 };

// The labels of go-grpc-middleware, which spells codes as Go does.
static const char *const code_names[GRPC_CODE_COUNT] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

static const char *const shape_names[] = {[GRPC_UNARY] = "unary",
                                          [GRPC_SERVER_STREAM] = "server_stream",
                                          [GRPC_CLIENT_STREAM] = "client_stream",
                                          [GRPC_BIDI] = "bidi_stream"};

struct reading {
    const struct router *router;
    struct grpc_method_stats *methods; // router's count and one more, for unknown methods
    size_t count;
};

// "/package.Service/Method" as labels.
static void format_labels(const struct reading *reading, size_t index, const char *more,
                          char labels[LABELS_MAX]) {
    if (index == reading->count) {
        snprintf(labels, LABELS_MAX, "grpc_type=\"unary\",grpc_service=\"_OTHER\",grpc_method=\"_OTHER\"%s",
                 more);
        return;
    }
    const struct grpc_method *method = router_get_method(reading->router, index);
    const char *slash = strrchr(method->path, '/');
    snprintf(labels, LABELS_MAX, "grpc_type=\"%s\",grpc_service=\"%.*s\",grpc_method=\"%s\"%s",
             shape_names[method->shape], (int)(slash - method->path - 1), method->path + 1, slash + 1, more);
}

// A counter of each method.
struct method_counter {
    const char *name, *help;
    size_t offset; // of an uint64_t in struct grpc_method_stats
};

static const struct method_counter method_counters[] = {
    {"grpc_server_started_total", "Calls begun.", offsetof(struct grpc_method_stats, started)},
    {"grpc_server_msg_received_total", "Messages of requests, read whole.",
     offsetof(struct grpc_method_stats, received)},
    {"grpc_server_msg_sent_total", "Messages of answers.", offsetof(struct grpc_method_stats, sent)},
};

static void write_counter(struct metrics_writer *writer, const struct reading *reading,
                          const struct method_counter *counter) {
    for (size_t i = 0; i <= reading->count; i++) {
        char labels[LABELS_MAX];
        format_labels(reading, i, "", labels);
        const void *stats = &reading->methods[i];
        metrics_write_counter(writer, counter->name, counter->help, labels,
                              *(const uint64_t *)((const char *)stats + counter->offset));
    }
}

static void write_handled(struct metrics_writer *writer, const struct reading *reading) {
    for (size_t i = 0; i <= reading->count; i++) {
        for (size_t code = 0; code < GRPC_CODE_COUNT; code++) {
            char labels[LABELS_MAX], more[64];
            snprintf(more, sizeof(more), ",grpc_code=\"%s\"", code_names[code]);
            format_labels(reading, i, more, labels);
            metrics_write_counter(writer, "grpc_server_handled_total", "Calls ended, by code.", labels,
                                  reading->methods[i].finished[code]);
        }
    }
}

static void write_latency(struct metrics_writer *writer, const struct reading *reading) {
    for (size_t i = 0; i <= reading->count; i++) {
        const struct grpc_method_stats *stats = &reading->methods[i];
        char labels[LABELS_MAX];
        format_labels(reading, i, "", labels);
        metrics_write_buckets(writer, "grpc_server_handling_seconds",
                              "From the headers to the end of the call.", labels,
                              &(struct metrics_buckets){.bounds_ns = grpc_stats_bucket_bounds_ns,
                                                        .counts = stats->latency,
                                                        .bound_count = GRPC_STATS_BUCKETS,
                                                        .sum_ns = stats->latency_sum_ns});
    }
}

static void write_open_connections(struct metrics_writer *writer, const struct grpc_server *server) {
    size_t all = 0;
    for (size_t i = 0; i < grpc_server_get_loop_count(server); i++) {
        size_t count = grpc_server_get_connections(server, i);
        char labels[32];
        snprintf(labels, sizeof(labels), "loop=\"%zu\"", i);
        metrics_write_gauge(writer, "latchkey_loop_connections", "Connections open, by loop.", labels,
                            (double)count);
        all += count;
    }
    metrics_write_gauge(writer, "latchkey_connections", "Connections open.", NULL, (double)all);
}

static void write_connections(struct metrics_writer *writer, const struct grpc_stats *stats) {
    metrics_write_counter(writer, "latchkey_connections_accepted_total", "Connections accepted.", NULL,
                          stats->connections_accepted);
    for (size_t i = 0; i < GRPC_CLOSE_COUNT; i++) {
        char labels[64];
        snprintf(labels, sizeof(labels), "reason=\"%s\"", grpc_close_get_name((enum grpc_close)i));
        metrics_write_counter(writer, "latchkey_connections_closed_total", "Connections closed, by reason.",
                              labels, stats->connections_closed[i]);
    }
    metrics_write_counter(writer, "latchkey_connections_slowed_total",
                          "Connections read more seldom, because another of their address has flooded.", NULL,
                          stats->connections_slowed);
    metrics_write_counter(writer, "latchkey_calls_cancelled_total", "Calls given up by their clients.", NULL,
                          stats->calls_cancelled);
    metrics_write_counter(writer, "latchkey_calls_refused_total",
                          "Calls refused by a limit of their connection.", NULL, stats->calls_refused);
    metrics_write_counter(writer, "latchkey_calls_inflated_total",
                          "Calls refused because gzip has made too much of those of their address.", NULL,
                          stats->calls_inflated);
    metrics_write_counter(writer, "latchkey_calls_shed_total",
                          "Calls refused because their loop was behind; not counted by method.", NULL,
                          stats->calls_shed);
    metrics_write_counter(writer, "latchkey_received_bytes_total", "Bytes read from clients.", NULL,
                          stats->received_bytes);
    metrics_write_counter(writer, "latchkey_sent_bytes_total", "Bytes written to clients.", NULL,
                          stats->sent_bytes);
}

void transport_metrics_write(struct metrics_writer *writer, void *context) {
    const struct grpc_server *server = context;
    struct reading reading = {.router = grpc_server_get_router(server)};
    struct grpc_stats stats;
    reading.count = router_get_count(reading.router);
    reading.methods = calloc(reading.count + 1, sizeof(*reading.methods));
    if (!reading.methods) {
        writer->to->failed = true;
        return;
    }
    grpc_server_read_stats(server, &stats, reading.methods);
    write_open_connections(writer, server);
    write_connections(writer, &stats);
    for (size_t i = 0; i < ARRAY_LENGTH(method_counters); i++)
        write_counter(writer, &reading, &method_counters[i]);
    write_handled(writer, &reading);
    write_latency(writer, &reading);
    free(reading.methods);
}
