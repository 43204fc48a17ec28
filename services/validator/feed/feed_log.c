#include "services/validator/feed/feed_log.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

struct feed_point feed_point_of(const struct image *image) {
    const struct positions *positions = lanes_get_positions(image_get_lanes(image));
    struct feed_point point = {.seqs = {0}};
    memcpy(point.seqs, positions->seqs, sizeof(point.seqs));
    // What is before the first change has no place in the history.
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        point.marks[lane] = point.seqs[lane] > 0 ? positions->marks[lane] : 0;
    return point;
}

void feed_run_release(struct feed_run *run) {
    // why acquire and release: whoever frees it has seen all that others read.
    if (run && atomic_fetch_sub_explicit(&run->references, 1, memory_order_acq_rel) == 1)
        free(run);
}

static struct feed_run **get_slot(const struct feed_log *log, uint64_t number) {
    return &log->runs[number & (log->capacity - 1)];
}

static size_t measure(const struct feed_run *run) {
    return sizeof(*run) + run->len;
}

static void drop_first(struct feed_log *log) {
    struct feed_run *run = *get_slot(log, log->first);
    log->start = run->after;
    log->size_bytes -= measure(run);
    log->first++;
    feed_run_release(run);
}

void feed_log_init(struct feed_log *log, size_t bytes_max) {
    *log = (struct feed_log){.bytes_max = bytes_max};
}

void feed_log_fini(struct feed_log *log) {
    while (log->first < log->end)
        drop_first(log);
    free(log->runs);
    log->runs = NULL;
}

void feed_log_restart(struct feed_log *log, const struct feed_point *start) {
    while (log->first < log->end)
        drop_first(log);
    log->start = *start;
}

static bool has_room(struct feed_log *log) {
    if (log->end - log->first < log->capacity)
        return true;
    struct feed_log grown = *log;
    grown.capacity = log->capacity ? log->capacity * 2 : CAPACITY_MIN;
    grown.runs = calloc(grown.capacity, sizeof(grown.runs[0]));
    if (!grown.runs)
        return false;
    for (uint64_t number = log->first; number < log->end; number++)
        *get_slot(&grown, number) = *get_slot(log, number);
    free(log->runs);
    *log = grown;
    return true;
}

static struct feed_run *new_run(struct bytes rows, struct bytes applied, const struct feed_point *after) {
    struct feed_run *run = malloc(sizeof(*run) + rows.len + applied.len);
    if (!run)
        return NULL;
    atomic_init(&run->references, 1);
    run->after = *after;
    run->rows_len = rows.len;
    run->len = rows.len + applied.len;
    if (rows.len > 0)
        memcpy(run->bytes, rows.data, rows.len);
    if (applied.len > 0)
        memcpy(run->bytes + rows.len, applied.data, applied.len);
    return run;
}

enum status feed_log_add(struct feed_log *log, struct bytes rows, struct bytes applied,
                         const struct feed_point *after) {
    struct feed_run *run = has_room(log) ? new_run(rows, applied, after) : NULL;
    if (!run)
        return STATUS_NO_MEMORY;
    *get_slot(log, log->end++) = run;
    log->size_bytes += measure(run);
    while (log->size_bytes > log->bytes_max && log->end - log->first > 1)
        drop_first(log);
    return STATUS_OK;
}

const struct feed_point *feed_log_get_point(const struct feed_log *log) {
    return log->first < log->end ? &(*get_slot(log, log->end - 1))->after : &log->start;
}

static bool is_same(const struct feed_point *a, const struct feed_point *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool feed_log_find(const struct feed_log *log, const struct feed_point *point, uint64_t *ret_number) {
    for (uint64_t number = log->end; number > log->first; number--)
        if (is_same(&(*get_slot(log, number - 1))->after, point)) {
            *ret_number = number;
            return true;
        }
    *ret_number = log->first;
    return is_same(&log->start, point);
}

struct feed_run *feed_log_take(const struct feed_log *log, uint64_t number) {
    struct feed_run *run = *get_slot(log, number);
    atomic_fetch_add_explicit(&run->references, 1, memory_order_relaxed);
    return run;
}
