// What the HTTP door has counted.
#include <inttypes.h>
#include <stdio.h>

#include "common/app/http_exchange.h"

enum { LABELS_MAX = 128 };

// What a route answers in the usual course of things: there from the first scrape on. Others follow when they
// have happened.
static bool is_usual(unsigned status) {
    static const unsigned usual[] = {200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 501, 503, 504};
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
        if (usual[i] == status)
            return true;
    return false;
}

static void write_route(struct metrics_writer *writer, const struct http_route *route,
                        const struct http_route_counters *counters) {
    for (unsigned status = 0; status < HTTP_STATUS_LIMIT; status++) {
        uint64_t answered = atomic_load_explicit(&counters->answered[status], memory_order_relaxed);
        if (answered == 0 && !is_usual(status))
            continue;
        char labels[LABELS_MAX];
        snprintf(labels, sizeof(labels), "route=\"%s\",status=\"%u\"", route->name, status);
        metrics_write_counter(writer, "latchkey_http_requests_total",
                              "HTTP/1.1 requests answered, by route and HTTP status.", labels, answered);
    }
}

static void write_ends(struct metrics_writer *writer, const struct http_watch *watch) {
    for (enum http_end why = 0; why < HTTP_END_COUNT; why++) {
        char labels[LABELS_MAX];
        snprintf(labels, sizeof(labels), "reason=\"%s\"", http_end_get_label(why));
        metrics_write_counter(writer, "latchkey_http_ended_total",
                              "HTTP/1.1 connections and requests that ended before their time, by reason.",
                              labels, http_watch_get_ended(watch, why));
    }
}

void http_door_write_metrics(struct metrics_writer *writer, void *context) {
    struct http_door *door = context;
    if (!door)
        return;
    for (size_t i = 0; i < door->route_count; i++)
        write_route(writer, door->routes[i], &door->counters[i]);
    write_ends(writer, door->watch);
    metrics_write_gauge(writer, "latchkey_http_connections", "HTTP/1.1 connections that are open.", NULL,
                        (double)http_watch_get_count(door->watch));
    pthread_mutex_lock(&door->mutex);
    size_t asked = door->asked;
    pthread_mutex_unlock(&door->mutex);
    metrics_write_gauge(writer, "latchkey_http_requests_under_way", "HTTP/1.1 requests that are worked on.",
                        NULL, (double)asked);
}
