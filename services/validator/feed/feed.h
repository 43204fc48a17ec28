// Feeds other validators with what this one knows (WatchChanges): its image as a snapshot, what its follower
// does to the image as runs, and a part of its own lease (docs/model/feed.pml). All who are fed read the same
// runs from one log (feed_log.h), and are told of heads that the follower reads anyway: however many they
// are, the database has one validator more to do with, this one.
//
//   feed_open() --a snapshot--> LOADING --its end was taken--> FOLLOWING
//               --positions---> FOLLOWING
//   either --feed_close()--> gone;  either --not past the oldest run, or another image--> CUT
//
// The follower's thread makes everything that is told; who is fed takes it on the loop of its call. What they
// share is under one lock, which is never held for longer than a look-up or a copy of some kilobytes.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/net/loop.h"
#include "services/validator/feed/feed_holds.h"
#include "services/validator/feed/feed_log.h"
#include "services/validator/image/image.h"
#include "services/validator/image/validator.h"

struct feed;
struct feed_watcher; // one who is fed

struct feed_options {
    const struct validator *validator; // borrows
    size_t log_bytes_max;
    // Any thread, never blocks: asks the follower for a round now.
    void (*wake_follower)(void *context);
    void *context;
};

MUST_CHECK enum status feed_new(const struct feed_options *options, struct feed **ret_feed);
void feed_free(struct feed *feed); // nobody is fed any more; takes NULL

// ---- the follower's thread; without a feed (NULL) nobody is fed ----

// What follows is about this image, which has just been published; NULL: about none. All who are fed are cut:
// what they have is not continued. The image before is not touched any more.
void feed_set_image(struct feed *feed, struct image *image);

// Lowers `seqs` to what has to be told of those who may still serve by less.
void feed_lower(struct feed *feed, uint64_t now_ns, int64_t seqs[LANE_COUNT]);

// feed_holds_name_lagging().
void feed_name_lagging(struct feed *feed, uint64_t now_ns, const int64_t seqs[LANE_COUNT],
                       char ret_names[FEED_LAGGING_MAX + 1]);

// Before a renewal is sent, which tells what feed_lower() then says: nonces that came before are answered by
// this round.
void feed_begin_round(struct feed *feed, uint64_t now_ns);

// What has been done to the image since the last of these two: it has led to positions that are published,
// or it is to be done again.
void feed_end_run(struct feed *feed);
void feed_drop_run(struct feed *feed);

// The lease has been granted by a renewal that told of nothing beyond the published positions: what was asked
// before feed_begin_round() is answered.
void feed_answer(struct feed *feed, uint64_t now_ns);

// The database lacks changes that were applied: all who are fed are told to stop.
void feed_lose_history(struct feed *feed);

// Goes on with snapshots, for some milliseconds. It asks for a round when there is more to do.
void feed_step(struct feed *feed);

// Whether somebody may still serve by what this feed has promised: then the lease is not to be given back.
bool feed_is_holding(struct feed *feed, uint64_t now_ns);

// ---- the loop of a call ----

struct feed_start {
    struct uuid instance_id;
    struct bytes name; // for people
    // To go on from, of that feed; else a snapshot is wanted. Whom it feeds itself may be behind it, so it
    // says nothing of what has been applied.
    bool has_point;
    uint64_t feed;
    struct feed_point point;
    struct lane_set lanes;     // a snapshot has the rows of these; the feed has them
    uint64_t max_staleness_ns; // UINT64_MAX = as long as can be
    struct loop *loop;
    // On the loop, when there is something to take or it is cut: not within feed_open(), after which there
    // is.
    void (*on_news)(void *context);
    void *context;
};

// NOT_FOUND: this feed can't go on from there. UNAVAILABLE: there is nothing to feed with. NO_MEMORY.
MUST_CHECK enum status feed_open(struct feed *feed, const struct feed_start *start,
                                 struct feed_watcher **ret_watcher);

// `is_over`: it serves no more. Else it may, for as long as it was told.
void feed_close(struct feed_watcher *watcher, bool is_over);

// It has applied these; `nonce` 0 = none.
void feed_note(struct feed_watcher *watcher, const struct revision *positions, size_t count, uint64_t nonce);

// Whole messages, framed. Zeroed memory is none.
struct feed_piece {
    struct bytes bytes;
    struct feed_run *run; // that they borrow from, or else from
    struct buffer own;
};
void feed_piece_fini(struct feed_piece *piece);

enum feed_news {
    FEED_NOTHING, // now
    FEED_PIECE,
    FEED_CUT_SLOW,  // for good, as the next: it did not keep up
    FEED_CUT_ENDED, // there is another image
    FEED_CUT_LOST,  // the database lacks what has been fed
};
MUST_CHECK enum feed_news feed_take(struct feed_watcher *watcher, struct feed_piece *ret_piece);

// ---- any thread ----

// A metrics_source with the feed as context.
void feed_write_metrics(struct metrics_writer *writer, void *feed);

#endif
