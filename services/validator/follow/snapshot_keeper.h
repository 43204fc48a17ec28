// Keeps a validator's snapshot file: written when an image has been loaded from the database, then once in a
// period as far as anything has changed, and at an orderly stop. All of it in slices on the follower's thread
// and on a thread that writes; the loops have no part in it.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_KEEPER_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_KEEPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/snapshot.h"
#include "services/validator/follow/snapshot_dump.h"
#include "services/validator/follow/snapshot_file.h"

struct snapshot_keeper_options {
    const char *path; // borrows; NULL or "" = no file is kept, and everything below does nothing
    int64_t period_ms;
    struct lane_set lanes; // that are served: a file of others is none of ours
    const struct clock *clock;
};

// Embedded; zeroed memory keeps no file. The follower's thread, but for the numbers.
struct snapshot_keeper {
    struct snapshot_keeper_options options;
    struct snapshot_identity identity; // of the database that is followed now
    bool has_identity;
    bool was_loaded;            // or tried to: a file is of use only before anything else was there
    struct snapshot_dump *dump; // NULL = none is under way
    int64_t dump_seqs[LANE_COUNT];
    bool has_file;                 // one that stands at these positions
    int64_t file_seqs[LANE_COUNT]; // of all lanes
    uint64_t next_ns;              // not before that

    // Relaxed: for metrics.
    _Atomic uint64_t writes, failures, bytes;
    _Atomic int64_t written_at_ms;
};

void snapshot_keeper_init(struct snapshot_keeper *keeper, const struct snapshot_keeper_options *options);

// Gives up what is under way. Before the image is freed.
void snapshot_keeper_fini(struct snapshot_keeper *keeper);

// Which database is followed, where that is not known yet. Without it nothing is loaded or written.
MUST_CHECK enum status snapshot_keeper_learn_identity(struct snapshot_keeper *keeper,
                                                      struct follower_session session);
void snapshot_keeper_forget_identity(struct snapshot_keeper *keeper); // on a new connection

// Once in its life: the image of the file, whose key is in place of the options'. NOT_FOUND: it has been
// tried before, or there is none that can be used; the log says why.
MUST_CHECK enum status snapshot_keeper_load(struct snapshot_keeper *keeper,
                                            const struct snapshot_options *options,
                                            struct snapshot_found *ret_found, struct image **ret_image);

// While `image` is current: begins a file if one is due, or goes on with it for some milliseconds. True:
// again after the pause.
#define SNAPSHOT_KEEPER_PAUSE_MS 10
bool snapshot_keeper_run(struct snapshot_keeper *keeper, const struct image *image);

// The image that was given to snapshot_keeper_run() is going to be freed. Never blocks.
void snapshot_keeper_forget_image(struct snapshot_keeper *keeper);

// The history that the file is of does not count any more: it is deleted, and the next image is written at
// once. Waits for the disk.
void snapshot_keeper_discard(struct snapshot_keeper *keeper);

// At the stop: the file as of now. Waits for the disk.
void snapshot_keeper_finish(struct snapshot_keeper *keeper, const struct image *image);

// Any thread.
void snapshot_keeper_write_metrics(struct snapshot_keeper *keeper, struct metrics_writer *writer);

#endif
