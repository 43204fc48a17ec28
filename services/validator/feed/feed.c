#include "services/validator/feed/feed.h"

#include <stdlib.h>

#include "common/base/random.h"
#include "services/validator/feed/feed_internal.h"
#include "services/validator/feed/feed_message.h"

// ---- its life ----

enum status feed_new(const struct feed_options *options, struct feed **ret_feed) {
    struct feed *feed = calloc(1, sizeof(*feed));
    if (!feed)
        return STATUS_NO_MEMORY;
    feed->options = *options;
    feed->run.is_run = true;
    feed_log_init(&feed->log, options->log_bytes_max);
    pthread_mutex_init(&feed->lock, NULL);
    *ret_feed = feed;
    return STATUS_OK;
}

void feed_free(struct feed *feed) {
    if (!feed)
        return;
    feed_rows_fini(&feed->run);
    feed_log_fini(&feed->log);
    feed_holds_fini(&feed->holds);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

// ---- telling a watcher; under the lock ----

void feed_post(struct feed_watcher *watcher) {
    if (!watcher->is_posted)
        loop_post(watcher->loop, &watcher->task);
    watcher->is_posted = true;
}

static bool is_cut(const struct feed_watcher *watcher) {
    return watcher->state != WATCHER_LOADING && watcher->state != WATCHER_FOLLOWING;
}

void feed_cut(struct feed_watcher *watcher, enum feed_watcher_state state) {
    if (is_cut(watcher))
        return;
    watcher->state = state;
    buffer_fini(&watcher->ready);
    watcher->feed->cuts++;
    feed_post(watcher);
}

// ---- images ----

static void cut_all(struct feed *feed, enum feed_watcher_state state) {
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        feed_cut(watcher, state);
}

void feed_restart(struct feed *feed) {
    struct feed_point point = feed->image ? feed_point_of(feed->image) : (struct feed_point){0};
    cut_all(feed, WATCHER_CUT_ENDED);
    feed->name = random_get_u64() | 1;
    feed_log_restart(&feed->log, &point);
}

void feed_set_image(struct feed *feed, struct image *image) {
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        feed_end_export(watcher);
    feed->image = image;
    feed->is_known = image != NULL;
    if (image)
        feed->key = *image_get_fingerprint_key(image);
    feed_restart(feed);
    pthread_mutex_unlock(&feed->lock);
    feed_rows_reset(&feed->run);
    if (image && feed->is_recording)
        feed_record(feed);
}

void feed_lose_history(struct feed *feed) {
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    cut_all(feed, WATCHER_CUT_LOST);
    pthread_mutex_unlock(&feed->lock);
}

// ---- rounds ----

// why only now: most validators feed nobody.
static void begin_recording(struct feed *feed) {
    struct feed_point point = feed_point_of(feed->image);
    feed->is_recording = true;
    feed_record(feed);
    feed_log_restart(&feed->log, &point);
}

void feed_lower(struct feed *feed, uint64_t now_ns, int64_t seqs[LANE_COUNT]) {
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    feed_holds_lower(&feed->holds, now_ns, seqs);
    pthread_mutex_unlock(&feed->lock);
}

void feed_name_lagging(struct feed *feed, uint64_t now_ns, const int64_t seqs[LANE_COUNT],
                       char ret_names[FEED_LAGGING_MAX + 1]) {
    ret_names[0] = '\0';
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    feed_holds_name_lagging(&feed->holds, now_ns, seqs, ret_names);
    pthread_mutex_unlock(&feed->lock);
}

void feed_begin_round(struct feed *feed, uint64_t now_ns) {
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    if (feed->is_wanted && !feed->is_recording && feed->image)
        begin_recording(feed);
    feed_holds_expire(&feed->holds, now_ns);
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        watcher->asked_nonce = watcher->nonce;
    pthread_mutex_unlock(&feed->lock);
}

// Under the lock. Who follows has taken its snapshot: what is ready for it is at most an older answer.
static void answer(struct feed *feed, struct feed_watcher *watcher, const struct positions *heads,
                   uint64_t now_ns) {
    uint64_t left_ns = lease_get_left_ns(&feed->options.validator->lease, now_ns);
    struct feed_answer told = {.nonce = watcher->asked_nonce,
                               .valid_ns =
                                   left_ns < watcher->max_staleness_ns ? left_ns : watcher->max_staleness_ns,
                               .now_ms = validator_get_time_ms(feed->options.validator, now_ns)};
    if (watcher->nonce == watcher->asked_nonce)
        watcher->nonce = 0;
    watcher->asked_nonce = 0;
    buffer_reset(&watcher->ready);
    feed_message_add_answer(&watcher->ready, &told, heads);
    watcher->ready_at = feed->log.end;
    if (watcher->ready.failed) {
        feed_cut(watcher, WATCHER_CUT_ENDED);
        return;
    }
    feed_hold_extend(watcher->hold, now_ns, told.valid_ns);
    feed_post(watcher);
}

void feed_answer(struct feed *feed, uint64_t now_ns) {
    if (!feed || !feed->is_recording)
        return;
    const struct positions *heads = lanes_get_positions(image_get_lanes(feed->image));
    pthread_mutex_lock(&feed->lock);
    for (struct feed_watcher *watcher = feed->watchers; watcher; watcher = watcher->next)
        if (watcher->asked_nonce && watcher->state == WATCHER_FOLLOWING)
            answer(feed, watcher, heads, now_ns);
    pthread_mutex_unlock(&feed->lock);
}

bool feed_is_holding(struct feed *feed, uint64_t now_ns) {
    if (!feed)
        return false;
    pthread_mutex_lock(&feed->lock);
    bool is_holding = feed_holds_any(&feed->holds, now_ns);
    pthread_mutex_unlock(&feed->lock);
    return is_holding;
}
