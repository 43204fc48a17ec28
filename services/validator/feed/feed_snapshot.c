// Snapshots for those who begin: the rows of the image in chunks, between which the image goes on changing.
// What changes meanwhile reaches them as runs, in the order in which all was made (image_export.h).
#include "services/validator/feed/feed_internal.h"
#include "services/validator/feed/feed_message.h"

enum {
    CHUNK_BYTES = 256 * 1024,
    CHUNK_LEFT_OUT_MAX = 4096, // rows that are not wanted take their time, too
    CHUNKS_PER_STEP = 8,       // some milliseconds in which the log is not read
    LOADS_MAX = 4,             // made at the same time; each has a list of all companies and members
};

// ---- rows ----

struct chunk {
    struct lane_set lanes; // whose rows are wanted
    size_t left_out;       // rows of others
    struct feed_rows rows;
    struct buffer definitions; // struct permission_definition; the catalogue comes in one step
};

static enum status get_status(const struct chunk *chunk) {
    bool failed = chunk->rows.frames.failed || chunk->rows.rows.failed || chunk->definitions.failed;
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static bool is_wanted(struct chunk *chunk, const struct uuid *company_id) {
    bool is_in = lane_set_has(chunk->lanes, image_get_lane_of(company_id));
    chunk->left_out += !is_in;
    return is_in;
}

static enum status visit_permission(void *context, const struct permission_definition *definition) {
    struct chunk *chunk = context;
    buffer_append(&chunk->definitions, bytes_of(definition, sizeof(*definition)));
    return get_status(chunk);
}

static enum status visit_company(void *context, const struct company_row *row) {
    struct chunk *chunk = context;
    if (is_wanted(chunk, &row->company_id))
        feed_rows_add_company(&chunk->rows, row);
    return get_status(chunk);
}

static enum status visit_whitelist(void *context, const struct whitelist_row *row,
                                   const struct ip_set_entry *entries, size_t count) {
    struct chunk *chunk = context;
    const struct ip_set_change all = {.entries = entries, .entry_count = count};
    if (!is_wanted(chunk, &row->company_id))
        return STATUS_OK;
    feed_rows_add_whitelist(&chunk->rows, row);
    feed_rows_add_entries(&chunk->rows, &row->company_id, &all);
    return get_status(chunk);
}

static enum status visit_role(void *context, const struct role_row *row) {
    struct chunk *chunk = context;
    if (is_wanted(chunk, &row->company_id))
        feed_rows_add_role(&chunk->rows, row);
    return get_status(chunk);
}

static enum status visit_member(void *context, const struct member_row *row) {
    struct chunk *chunk = context;
    if (is_wanted(chunk, &row->company_id))
        feed_rows_add_member(&chunk->rows, row);
    return get_status(chunk);
}

static enum status visit_token(void *context, const struct token_row *row) {
    struct chunk *chunk = context;
    if (is_wanted(chunk, &row->company_id))
        feed_rows_add_token(&chunk->rows, row);
    return get_status(chunk);
}

static const struct image_visitor visitor = {
    .permission = visit_permission,
    .company = visit_company,
    .whitelist = visit_whitelist,
    .role = visit_role,
    .member = visit_member,
    .token = visit_token,
};

// ---- a chunk ----

static bool is_full(const struct chunk *chunk) {
    return chunk->rows.frames.len >= CHUNK_BYTES || chunk->left_out >= CHUNK_LEFT_OUT_MAX;
}

static enum status export_some(struct image_export *export, struct chunk *chunk) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK && export->stage != EXPORT_DONE && !is_full(chunk)) {
        bool is_catalogue = export->stage == EXPORT_CATALOGUE;
        status = image_export_step(export, &visitor, chunk);
        if (is_catalogue)
            feed_rows_add_catalogue(&chunk->rows, (void *)chunk->definitions.data,
                                    chunk->definitions.len / sizeof(struct permission_definition));
    }
    feed_rows_end_message(&chunk->rows);
    return status == STATUS_OK ? get_status(chunk) : status;
}

// Behind the last rows: how far all of it goes.
static void add_point(const struct feed *feed, struct buffer *frames) {
    const struct feed_point *point = feed_log_get_point(&feed->log);
    struct revision changes[LANE_COUNT];
    size_t count = 0;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (point->seqs[lane] > 0)
            changes[count++] = (struct revision){(uint8_t)lane, point->seqs[lane], point->marks[lane]};
    feed_message_add_applied(frames, changes, count);
}

// Under the lock; the chunk's frames become the watcher's. There are none where no row was wanted.
static void hand_over(struct feed *feed, struct feed_watcher *watcher, struct chunk *chunk,
                      enum status status) {
    watcher->is_worked = false;
    watcher->is_whole = watcher->export.stage == EXPORT_DONE;
    if (watcher->is_whole)
        add_point(feed, &chunk->rows.frames);
    if (status != STATUS_OK || chunk->rows.frames.failed)
        feed_cut(watcher, WATCHER_CUT_ENDED);
    if (watcher->is_whole || watcher->is_closed || watcher->state != WATCHER_LOADING)
        feed_end_export(watcher);
    if (watcher->state == WATCHER_LOADING && chunk->rows.frames.len > 0) {
        watcher->ready = chunk->rows.frames;
        watcher->ready_at = feed->log.end;
        chunk->rows.frames = (struct buffer){0};
    }
    feed_post(watcher);
}

static void make_chunk(struct feed *feed, struct feed_watcher *watcher) {
    struct chunk chunk = {.lanes = watcher->lanes};
    enum status status = export_some(&watcher->export, &chunk);
    pthread_mutex_lock(&feed->lock);
    hand_over(feed, watcher, &chunk, status);
    pthread_mutex_unlock(&feed->lock);
    feed_rows_fini(&chunk.rows);
    buffer_fini(&chunk.definitions);
}

// ---- whose turn it is; under the lock ----

void feed_end_export(struct feed_watcher *watcher) {
    if (!watcher->is_exporting)
        return;
    image_export_fini(&watcher->export);
    watcher->is_exporting = false;
    watcher->feed->load_count--;
}

static void begin_export(struct feed *feed, struct feed_watcher *watcher) {
    if (image_export_init(&watcher->export, feed->image) != STATUS_OK) {
        image_export_fini(&watcher->export);
        feed_cut(watcher, WATCHER_CUT_ENDED);
        return;
    }
    watcher->is_exporting = true;
    watcher->next_run = feed->log.end;
    feed->load_count++;
    feed->loads++;
}

static bool is_due(struct feed *feed, struct feed_watcher *watcher) {
    if (watcher->state != WATCHER_LOADING || watcher->is_whole || watcher->ready.len > 0)
        return false;
    if (!watcher->is_exporting && feed->load_count < LOADS_MAX)
        begin_export(feed, watcher);
    return watcher->is_exporting;
}

// The chunk before is to be taken first, so all have their turns.
static struct feed_watcher *find_due(struct feed *feed) {
    struct feed_watcher *watcher = feed->watchers;
    while (watcher && !is_due(feed, watcher))
        watcher = watcher->next;
    if (watcher)
        watcher->is_worked = true;
    return watcher;
}

void feed_step(struct feed *feed) {
    struct feed_watcher *watcher = NULL;
    for (int i = 0; feed && i < CHUNKS_PER_STEP && feed->is_recording && feed->image; i++) {
        pthread_mutex_lock(&feed->lock);
        watcher = find_due(feed);
        pthread_mutex_unlock(&feed->lock);
        if (!watcher)
            return;
        make_chunk(feed, watcher);
    }
    if (watcher)
        feed->options.wake_follower(feed->options.context);
}
