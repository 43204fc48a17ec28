// What an HTTP door has counted.
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

static void write_route(struct metrics_writer *writer, const struct http_door *door, size_t i) {
    char labels[LABELS_MAX];
    for (unsigned status = 0; status < HTTP_STATUS_LIMIT; status++) {
        uint64_t answered = atomic_load_explicit(&door->counters[i].answered[status], memory_order_relaxed);
        if (answered == 0 && !is_usual(status))
            continue;
        snprintf(labels, sizeof(labels), "route=\"%s\",status=\"%u\"", door->routes[i]->name, status);
        metrics_write_counter(writer, door->options.site->metrics.requests,
                              "HTTP/1.1 requests answered, by route and HTTP status.", labels, answered);
    }
}

static void write_ends(struct metrics_writer *writer, const struct http_door *door) {
    char labels[LABELS_MAX];
    for (enum http_end why = 0; why < HTTP_END_COUNT; why++) {
        snprintf(labels, sizeof(labels), "reason=\"%s\"", http_end_get_label(why));
        metrics_write_counter(writer, door->options.site->metrics.ended,
                              "HTTP/1.1 connections and requests that ended before their time, by reason.",
                              labels, http_watch_get_ended(door->watch, why));
    }
}

void http_door_write_metrics(struct metrics_writer *writer, void *context) {
    struct http_door *door = context;
    if (!door)
        return;
    for (size_t i = 0; i < door->route_count; i++)
        write_route(writer, door, i);
    write_ends(writer, door);
    metrics_write_gauge(writer, door->options.site->metrics.connections,
                        "HTTP/1.1 connections that are open.", NULL,
                        (double)http_watch_get_count(door->watch));
    pthread_mutex_lock(&door->mutex);
    size_t asked = door->asked;
    pthread_mutex_unlock(&door->mutex);
    metrics_write_gauge(writer, door->options.site->metrics.under_way,
                        "HTTP/1.1 requests that are worked on.", NULL, (double)asked);
}
