// The inside of a feed, shared by feed*.c.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_INTERNAL_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_INTERNAL_H

#include <pthread.h>

#include "services/validator/feed/feed.h"
#include "services/validator/feed/feed_holds.h"
#include "services/validator/feed/feed_rows.h"
#include "services/validator/image/image_export.h"

enum feed_watcher_state {
    WATCHER_LOADING,   // it is sent rows alone, of the snapshot and of runs
    WATCHER_FOLLOWING, // it is sent runs
    WATCHER_CUT_SLOW,
    WATCHER_CUT_ENDED,
    WATCHER_CUT_LOST,
};

// Freed on its loop, once nobody works for it and no task of it is posted.
struct feed_watcher {
    struct feed *feed;
    struct loop *loop;
    void (*on_news)(void *context);
    void *context;
    struct lane_set lanes;
    uint64_t max_staleness_ns;

    // Under the feed's lock.
    struct feed_watcher *next, **link;
    enum feed_watcher_state state;
    bool is_closed; // its call has gone
    bool is_worked; // the follower's thread makes a chunk for it
    bool is_posted;
    bool is_behind; // it has not told yet to have applied all
    struct loop_task task;
    struct feed_hold *hold;
    bool is_opened;       // the opening was taken
    uint64_t next_run;    // number of the one to be taken next
    struct buffer ready;  // messages of its own, not taken yet
    uint64_t ready_at;    // behind the runs below that number
    bool is_whole;        // with `ready` the snapshot is
    uint64_t nonce;       // the latest; 0 = none that is not answered
    uint64_t asked_nonce; // the same when the round began

    // The follower's thread, while it is loading.
    bool is_exporting;
    struct image_export export;
};

struct feed {
    struct feed_options options;

    // The follower's thread.
    struct image *image; // what is published
    struct feed_rows run;

    pthread_mutex_t lock;
    // Under the lock; the follower's thread reads what only it writes without.
    bool is_recording; // its: somebody has been fed, so runs are kept
    bool is_known;     // there is an image
    bool is_wanted;
    uint64_t name; // of this feed on the wire
    struct fingerprint_key key;
    struct feed_log log;
    struct feed_holds holds;
    struct feed_watcher *watchers;
    size_t watcher_count, behind_count, load_count;
    uint64_t loads, cuts; // so far
};

// ---- under the lock ----

// A snapshot that waits for its turn takes no runs yet.
static inline bool feed_takes_runs(const struct feed_watcher *watcher) {
    bool has_begun = watcher->is_exporting || watcher->ready.len > 0;
    return watcher->state == WATCHER_FOLLOWING || (watcher->state == WATCHER_LOADING && has_begun);
}

// Its loop looks what there is to take.
void feed_post(struct feed_watcher *watcher);

// Ends it with that state.
void feed_cut(struct feed_watcher *watcher, enum feed_watcher_state state);

// Everything begins anew with the present image: all are cut, the log is empty, the feed has another name.
void feed_restart(struct feed *feed);

// ---- the follower's thread ----

void feed_record(struct feed *feed); // what is done to the image from now on

// Also under the lock, and by the loop when nobody works for it. Also of one that has none.
void feed_end_export(struct feed_watcher *watcher);

#endif
