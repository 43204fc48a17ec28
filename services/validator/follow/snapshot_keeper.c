#include "services/validator/follow/snapshot_keeper.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

#define MS_NS UINT64_C(1000000)
#define SLICE_NS (2 * MS_NS) // so much later may a change be seen while a file is being written

static bool is_on(const struct snapshot_keeper *keeper) {
    return keeper->options.path && keeper->options.path[0];
}

static uint64_t now_ns(const struct snapshot_keeper *keeper) {
    return clock_get_monotonic_ns(keeper->options.clock);
}

static const int64_t *get_seqs(const struct image *image) {
    return lanes_get_positions(image_get_lanes(image))->seqs;
}

static void note_file(struct snapshot_keeper *keeper, const int64_t *seqs) {
    keeper->has_file = true;
    memcpy(keeper->file_seqs, seqs, sizeof(keeper->file_seqs));
}

static void put_off(struct snapshot_keeper *keeper) {
    keeper->next_ns = now_ns(keeper) + (uint64_t)keeper->options.period_ms * MS_NS;
}

void snapshot_keeper_init(struct snapshot_keeper *keeper, const struct snapshot_keeper_options *options) {
    *keeper = (struct snapshot_keeper){.options = *options};
}

enum status snapshot_keeper_learn_identity(struct snapshot_keeper *keeper, struct follower_session session) {
    if (!is_on(keeper) || keeper->has_identity)
        return STATUS_OK;
    enum status status = follower_store_read_identity(session, &keeper->identity);
    keeper->identity.lanes = keeper->options.lanes;
    keeper->has_identity = status == STATUS_OK;
    return status;
}

void snapshot_keeper_forget_identity(struct snapshot_keeper *keeper) {
    keeper->has_identity = false;
}

// --- loading ---

static enum status refuse(const struct snapshot_keeper *keeper, enum status status, const char *why) {
    if (status == STATUS_NOT_FOUND)
        log_event(LOG_LEVEL_INFO, "there is no snapshot file yet", LOG_TEXT("file", keeper->options.path));
    if (status == STATUS_INVALID)
        log_event(LOG_LEVEL_WARNING, "the snapshot file is ignored", LOG_TEXT("why", why),
                  LOG_TEXT("file", keeper->options.path));
    return status == STATUS_INVALID ? STATUS_NOT_FOUND : status;
}

static enum status load(struct snapshot_keeper *keeper, const struct snapshot_options *options,
                        struct snapshot_found *ret_found, struct image **ret_image) {
    const struct snapshot_file_options of_file = {.identity = keeper->identity,
                                                  .clock = options->clock,
                                                  .reclaim = options->reclaim,
                                                  .is_stopping = options->is_stopping,
                                                  .progress = options->progress,
                                                  .round = options->round};
    const char *why = NULL;
    keeper->was_loaded = true;
    enum status status = snapshot_file_load(keeper->options.path, &of_file, ret_found, ret_image, &why);
    return status == STATUS_OK ? STATUS_OK : refuse(keeper, status, why);
}

enum status snapshot_keeper_load(struct snapshot_keeper *keeper, const struct snapshot_options *options,
                                 struct snapshot_found *ret_found, struct image **ret_image) {
    if (!is_on(keeper) || keeper->was_loaded)
        return STATUS_NOT_FOUND;
    const struct follower_session session = {options->connection, options->clock};
    enum status status = snapshot_keeper_learn_identity(keeper, session);
    if (status == STATUS_OK)
        status = load(keeper, options, ret_found, ret_image);
    if (status != STATUS_OK)
        return status;
    int64_t age_ms = clock_get_realtime_ms(keeper->options.clock) - ret_found->header.made_at_ms;
    log_event(LOG_LEVEL_INFO, "snapshot file read", LOG_INTEGER("age_seconds", age_ms / 1000));
    note_file(keeper, ret_found->header.begin.seqs);
    put_off(keeper);
    return STATUS_OK;
}

// --- writing ---

static void note_written(struct snapshot_keeper *keeper, uint64_t bytes) {
    note_file(keeper, keeper->dump_seqs);
    atomic_fetch_add_explicit(&keeper->writes, 1, memory_order_relaxed);
    atomic_store_explicit(&keeper->bytes, bytes, memory_order_relaxed);
    atomic_store_explicit(&keeper->written_at_ms, clock_get_realtime_ms(keeper->options.clock),
                          memory_order_relaxed);
    log_event(LOG_LEVEL_INFO, "snapshot file written", LOG_INTEGER("bytes", bytes));
}

static void note_failure(struct snapshot_keeper *keeper, enum status status, int error) {
    atomic_fetch_add_explicit(&keeper->failures, 1, memory_order_relaxed);
    log_event(LOG_LEVEL_WARNING, "the snapshot file can't be written",
              LOG_TEXT("why", error ? strerror(error) : status_get_text(status)),
              LOG_TEXT("file", keeper->options.path));
}

static void end_dump(struct snapshot_keeper *keeper) {
    int error;
    uint64_t bytes;
    enum status status = snapshot_dump_free(keeper->dump, &error, &bytes);
    keeper->dump = NULL;
    put_off(keeper);
    if (status == STATUS_OK)
        note_written(keeper, bytes);
    else if (status != STATUS_CANCELLED)
        note_failure(keeper, status, error);
}

static bool has_news(const struct snapshot_keeper *keeper, const struct image *image) {
    return !keeper->has_file || memcmp(keeper->file_seqs, get_seqs(image), sizeof(keeper->file_seqs)) != 0;
}

static void begin_dump(struct snapshot_keeper *keeper, const struct image *image) {
    memcpy(keeper->dump_seqs, get_seqs(image), sizeof(keeper->dump_seqs));
    enum status status = snapshot_dump_new(keeper->options.path, &keeper->identity, image,
                                           keeper->options.clock, &keeper->dump);
    if (status == STATUS_OK)
        return;
    keeper->dump = NULL;
    put_off(keeper);
    note_failure(keeper, status, 0);
}

bool snapshot_keeper_run(struct snapshot_keeper *keeper, const struct image *image) {
    if (!keeper->dump && is_on(keeper) && keeper->has_identity && now_ns(keeper) >= keeper->next_ns &&
        has_news(keeper, image))
        begin_dump(keeper, image);
    if (keeper->dump && snapshot_dump_run(keeper->dump, SLICE_NS) == SNAPSHOT_DUMP_OVER)
        end_dump(keeper);
    return keeper->dump != NULL;
}

void snapshot_keeper_forget_image(struct snapshot_keeper *keeper) {
    if (keeper->dump)
        snapshot_dump_forget_image(keeper->dump);
}

static void give_up_dump(struct snapshot_keeper *keeper) {
    if (!keeper->dump)
        return;
    snapshot_dump_forget_image(keeper->dump);
    end_dump(keeper);
}

void snapshot_keeper_discard(struct snapshot_keeper *keeper) {
    if (!is_on(keeper))
        return;
    give_up_dump(keeper);
    keeper->has_file = false;
    keeper->next_ns = 0;
    if (unlink(keeper->options.path) != 0 && errno != ENOENT)
        note_failure(keeper, STATUS_UNAVAILABLE, errno);
}

// One that is under way has begun some time ago: what has come since would be missing.
void snapshot_keeper_finish(struct snapshot_keeper *keeper, const struct image *image) {
    give_up_dump(keeper);
    if (!is_on(keeper) || !keeper->has_identity || !has_news(keeper, image))
        return;
    begin_dump(keeper, image);
    if (!keeper->dump)
        return;
    snapshot_dump_run_to_end(keeper->dump);
    end_dump(keeper);
}

void snapshot_keeper_fini(struct snapshot_keeper *keeper) {
    give_up_dump(keeper);
}

// --- metrics ---

static double get(_Atomic uint64_t *value) {
    return (double)atomic_load_explicit(value, memory_order_relaxed);
}

void snapshot_keeper_write_metrics(struct snapshot_keeper *keeper, struct metrics_writer *writer) {
    if (!is_on(keeper))
        return;
    metrics_write_counter(writer, "latchkey_snapshot_file_writes_total", "Snapshot files that were written.",
                          NULL, (uint64_t)get(&keeper->writes));
    metrics_write_counter(writer, "latchkey_snapshot_file_failures_total",
                          "Snapshot files that could not be written.", NULL,
                          (uint64_t)get(&keeper->failures));
    metrics_write_gauge(writer, "latchkey_snapshot_file_bytes", "Size of the last one written.", NULL,
                        get(&keeper->bytes));
    int64_t at_ms = atomic_load_explicit(&keeper->written_at_ms, memory_order_relaxed);
    metrics_write_gauge(writer, "latchkey_snapshot_file_timestamp_seconds",
                        "When the last one was written, seconds since 1970; 0: none yet.", NULL,
                        (double)at_ms / 1e3);
}
