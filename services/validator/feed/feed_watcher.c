// The side of the loops: who is fed comes, takes what is there, tells how far it is, and goes.
#include <stdlib.h>
#include <string.h>

#include "services/validator/feed/feed_internal.h"
#include "services/validator/feed/feed_message.h"

static void wake_follower(const struct feed *feed) {
    feed->options.wake_follower(feed->options.context);
}

// ---- coming and going ----

static void link_watcher(struct feed *feed, struct feed_watcher *watcher) {
    // Behind the others, who wait for their snapshots for longer.
    watcher->link = &feed->watchers;
    while (*watcher->link)
        watcher->link = &(*watcher->link)->next;
    *watcher->link = watcher;
    feed->watcher_count++;
}

static void unlink_watcher(struct feed *feed, struct feed_watcher *watcher) {
    *watcher->link = watcher->next;
    if (watcher->next)
        watcher->next->link = watcher->link;
    feed->watcher_count--;
}

// On its loop; it is not linked any more.
static void free_watcher(struct feed_watcher *watcher) {
    struct loop *loop = watcher->loop;
    buffer_fini(&watcher->ready);
    free(watcher);
    loop_release(loop);
}

static void on_task(struct loop_task *task) {
    struct feed_watcher *watcher = CONTAINER_OF(task, struct feed_watcher, task);
    pthread_mutex_lock(&watcher->feed->lock);
    watcher->is_posted = false;
    bool is_closed = watcher->is_closed, is_free = is_closed && !watcher->is_worked;
    pthread_mutex_unlock(&watcher->feed->lock);
    if (is_free)
        free_watcher(watcher);
    else if (!is_closed)
        watcher->on_news(watcher->context);
}

static bool find_run(const struct feed *feed, const struct feed_start *start, uint64_t *ret_number) {
    return feed->is_recording && start->feed == feed->name &&
           feed_log_find(&feed->log, &start->point, ret_number);
}

// Under the lock.
static enum status begin(struct feed *feed, const struct feed_start *start, struct feed_watcher *watcher) {
    feed->is_wanted = true;
    if (!feed->is_known)
        return STATUS_UNAVAILABLE;
    watcher->state = start->has_point ? WATCHER_FOLLOWING : WATCHER_LOADING;
    if (start->has_point && !find_run(feed, start, &watcher->next_run))
        return STATUS_NOT_FOUND;
    watcher->hold = feed_holds_open(&feed->holds, start->instance_id, start->name);
    if (!watcher->hold)
        return STATUS_NO_MEMORY;
    link_watcher(feed, watcher);
    return STATUS_OK;
}

enum status feed_open(struct feed *feed, const struct feed_start *start, struct feed_watcher **ret_watcher) {
    struct feed_watcher *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return STATUS_NO_MEMORY;
    watcher->feed = feed;
    watcher->loop = start->loop;
    watcher->on_news = start->on_news;
    watcher->context = start->context;
    watcher->lanes = start->lanes;
    watcher->max_staleness_ns = start->max_staleness_ns;
    watcher->task.run = on_task;
    pthread_mutex_lock(&feed->lock);
    enum status status = begin(feed, start, watcher);
    pthread_mutex_unlock(&feed->lock);
    if (status != STATUS_OK) {
        free(watcher);
        return status;
    }
    loop_hold(watcher->loop);
    wake_follower(feed); // for a snapshot, or an answer
    *ret_watcher = watcher;
    return STATUS_OK;
}

// Under the lock. When the last one has told to be up to date, the row can tell so, too.
static bool is_last_behind(struct feed *feed, struct feed_watcher *watcher) {
    bool was_behind = watcher->is_behind;
    watcher->is_behind = false;
    feed->behind_count -= was_behind;
    return was_behind && feed->behind_count == 0;
}

void feed_close(struct feed_watcher *watcher, bool is_over) {
    struct feed *feed = watcher->feed;
    pthread_mutex_lock(&feed->lock);
    watcher->is_closed = true;
    unlink_watcher(feed, watcher);
    bool is_news = is_last_behind(feed, watcher) || is_over;
    if (is_over)
        feed_hold_give_up(watcher->hold);
    feed_holds_close(watcher->hold);
    if (!watcher->is_worked)
        feed_end_export(watcher);
    bool is_free = !watcher->is_worked && !watcher->is_posted;
    pthread_mutex_unlock(&feed->lock);
    if (is_free)
        free_watcher(watcher);
    if (is_news)
        wake_follower(feed);
}

// ---- what it tells ----

void feed_note(struct feed_watcher *watcher, const struct revision *positions, size_t count, uint64_t nonce) {
    struct feed *feed = watcher->feed;
    bool is_news = false;
    pthread_mutex_lock(&feed->lock);
    for (size_t i = 0; i < count; i++)
        watcher->hold->seqs[positions[i].lane] = positions[i].seq;
    if (nonce)
        watcher->nonce = nonce;
    const struct feed_point *point = feed_log_get_point(&feed->log);
    if (memcmp(watcher->hold->seqs, point->seqs, sizeof(point->seqs)) == 0)
        is_news = is_last_behind(feed, watcher);
    pthread_mutex_unlock(&feed->lock);
    if (is_news)
        wake_follower(feed);
}

// ---- what it takes; under the lock ----

static enum feed_news take_opening(struct feed_watcher *watcher, struct feed_piece *piece) {
    watcher->is_opened = true;
    feed_message_add_opening(&piece->own, watcher->feed->name, &watcher->feed->key);
    piece->bytes = buffer_get_bytes(&piece->own);
    return FEED_PIECE;
}

static enum feed_news take_ready(struct feed_watcher *watcher, struct feed_piece *piece) {
    piece->own = watcher->ready;
    piece->bytes = buffer_get_bytes(&piece->own);
    watcher->ready = (struct buffer){0};
    if (watcher->is_whole)
        watcher->state = WATCHER_FOLLOWING;
    return FEED_PIECE;
}

static enum feed_news take_run(struct feed_watcher *watcher, struct feed_piece *piece) {
    struct feed_run *run = feed_log_take(&watcher->feed->log, watcher->next_run++);
    piece->run = run;
    piece->bytes = bytes_of(run->bytes, watcher->state == WATCHER_LOADING ? run->rows_len : run->len);
    return FEED_PIECE;
}

static enum feed_news take(struct feed_watcher *watcher, struct feed_piece *piece) {
    const struct feed_log *log = &watcher->feed->log;
    switch (watcher->state) {
    case WATCHER_CUT_SLOW: return FEED_CUT_SLOW;
    case WATCHER_CUT_ENDED: return FEED_CUT_ENDED;
    case WATCHER_CUT_LOST: return FEED_CUT_LOST;
    case WATCHER_LOADING:
    case WATCHER_FOLLOWING: break;
    }
    if (!watcher->is_opened)
        return take_opening(watcher, piece);
    if (watcher->ready.len > 0 && watcher->next_run >= watcher->ready_at)
        return take_ready(watcher, piece);
    bool has_run = feed_takes_runs(watcher) && watcher->next_run < log->end;
    return has_run ? take_run(watcher, piece) : FEED_NOTHING;
}

enum feed_news feed_take(struct feed_watcher *watcher, struct feed_piece *ret_piece) {
    struct feed *feed = watcher->feed;
    *ret_piece = (struct feed_piece){0};
    pthread_mutex_lock(&feed->lock);
    bool was_ready = watcher->ready.len > 0;
    enum feed_news news = take(watcher, ret_piece);
    bool wants_more = watcher->state == WATCHER_LOADING && was_ready && watcher->ready.len == 0;
    pthread_mutex_unlock(&feed->lock);
    if (wants_more)
        wake_follower(feed);
    return news;
}

void feed_piece_fini(struct feed_piece *piece) {
    feed_run_release(piece->run);
    buffer_fini(&piece->own);
    *piece = (struct feed_piece){0};
}

// ---- metrics ----

void feed_write_metrics(struct metrics_writer *writer, void *context) {
    struct feed *feed = context;
    pthread_mutex_lock(&feed->lock);
    size_t fed = feed->watcher_count, behind = feed->behind_count, log_bytes = feed->log.size_bytes;
    uint64_t loads = feed->loads, cuts = feed->cuts;
    pthread_mutex_unlock(&feed->lock);
    metrics_write_gauge(writer, "latchkey_validator_fed", "Validators that are fed by this one.", NULL,
                        (double)fed);
    metrics_write_gauge(writer, "latchkey_validator_fed_behind",
                        "Of those, how many have not told yet to have applied everything.", NULL,
                        (double)behind);
    metrics_write_gauge(writer, "latchkey_validator_feed_log_bytes",
                        "Memory of the runs of changes that are kept for them.", NULL, (double)log_bytes);
    metrics_write_counter(writer, "latchkey_validator_feed_snapshots_total",
                          "Snapshots that were begun for them.", NULL, loads);
    metrics_write_counter(writer, "latchkey_validator_feed_cuts_total",
                          "Feeds that were ended because the reader was too slow or the image another.", NULL,
                          cuts);
}
