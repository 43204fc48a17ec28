// What the follower does to the image, as runs.
#include <stdlib.h>
#include <string.h>

#include "services/validator/feed/feed_internal.h"
#include "services/validator/feed/feed_message.h"

static void on_catalogue(void *feed, const struct permission_definition *definitions, size_t count) {
    feed_rows_add_catalogue(&((struct feed *)feed)->run, definitions, count);
}

static void on_company(void *feed, const struct company_row *row) {
    feed_rows_add_company(&((struct feed *)feed)->run, row);
}

static void on_whitelist(void *feed, const struct whitelist_row *row) {
    feed_rows_add_whitelist(&((struct feed *)feed)->run, row);
}

static void on_role(void *feed, const struct role_row *row) {
    feed_rows_add_role(&((struct feed *)feed)->run, row);
}

static void on_member(void *feed, const struct member_row *row) {
    feed_rows_add_member(&((struct feed *)feed)->run, row);
}

static void on_token(void *feed, const struct token_row *row) {
    feed_rows_add_token(&((struct feed *)feed)->run, row);
}

static void on_entries(void *feed, const struct uuid *company_id, const struct ip_set_change *change) {
    feed_rows_add_entries(&((struct feed *)feed)->run, company_id, change);
}

static void on_sweep(void *feed, enum image_scope scope, const struct uuid *id) {
    feed_rows_add_lookup(&((struct feed *)feed)->run, scope, id);
}

static const struct image_observer observer = {on_catalogue, on_company, on_whitelist, on_role,
                                               on_member,    on_token,   on_entries,   on_sweep};

void feed_record(struct feed *feed) {
    image_set_observer(feed->image, &observer, feed);
}

// ---- a run ----

static void post_all(struct feed *feed) {
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        feed_post(watcher);
}

static void cut_slow(struct feed *feed) {
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        if (feed_takes_runs(watcher) && watcher->next_run < feed->log.first)
            feed_cut(watcher, WATCHER_CUT_SLOW);
}

// The first change after `from` of which the lanes still know the mark.
static int64_t get_first_seq(const struct feed_point *from, const struct feed_point *to, unsigned lane) {
    int64_t first = from->seqs[lane] + 1, known = to->seqs[lane] - LANES_ROUND_MAX + 1;
    return first > known ? first : known;
}

static size_t count_changes(const struct feed_point *from, const struct feed_point *to) {
    size_t count = 0;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        count += (size_t)(to->seqs[lane] + 1 - get_first_seq(from, to, lane));
    return count;
}

static enum status add_applied(const struct image *image, const struct feed_point *from,
                               const struct feed_point *to, struct buffer *frames) {
    const struct lanes *lanes = image_get_lanes(image);
    size_t count = 0;
    struct revision *changes = calloc(count_changes(from, to), sizeof(changes[0]));
    if (!changes)
        return STATUS_NO_MEMORY;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        for (int64_t seq = get_first_seq(from, to, lane); seq <= to->seqs[lane]; seq++)
            changes[count++] = (struct revision){(uint8_t)lane, seq, lanes_get_mark(lanes, lane, seq)};
    feed_message_add_applied(frames, changes, count);
    free(changes);
    return frames->failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static void mark_behind(struct feed *feed) {
    feed->behind_count = 0;
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next) {
        watcher->is_behind = watcher->state == WATCHER_FOLLOWING;
        feed->behind_count += watcher->is_behind;
    }
}

// Under the lock.
static enum status add_run(struct feed *feed, const struct feed_point *point, const struct buffer *applied) {
    enum status status =
        feed_log_add(&feed->log, buffer_get_bytes(&feed->run.frames), buffer_get_bytes(applied), point);
    if (status != STATUS_OK)
        return status;
    cut_slow(feed);
    mark_behind(feed);
    post_all(feed);
    return STATUS_OK;
}

void feed_end_run(struct feed *feed) {
    if (!feed || !feed->is_recording || !feed->image)
        return;
    struct feed_point point = feed_point_of(feed->image);
    // Nobody else writes to the log.
    const struct feed_point *before = feed_log_get_point(&feed->log);
    if (memcmp(&point, before, sizeof(point)) == 0)
        return;
    struct buffer applied = {0};
    enum status status = add_applied(feed->image, before, &point, &applied);
    feed_rows_end_message(&feed->run);
    if (feed->run.frames.failed)
        status = STATUS_NO_MEMORY;
    pthread_mutex_lock(&feed->lock);
    if (status == STATUS_OK)
        status = add_run(feed, &point, &applied);
    if (status != STATUS_OK)
        feed_restart(feed);
    pthread_mutex_unlock(&feed->lock);
    buffer_fini(&applied);
    feed_rows_reset(&feed->run);
}

void feed_drop_run(struct feed *feed) {
    if (!feed)
        return;
    feed_rows_reset(&feed->run);
}
