// How far an image has followed the change log, lane by lane, and what it remembers of each lane's history:
// where a revision that a caller holds stands in relation to it.
//
// The positions are one immutable object that is replaced after every round of changes, after the changes
// themselves have been published: who reads the positions first and the data then, decides by data at least
// as new as the positions say.
//
// The marks of the last changes stand in a ring for each lane. The writer runs at most LANES_ROUND_MAX
// changes ahead of the positions that a reader may hold (it waits for the readers after each round), so a
// reader trusts the LANES_WINDOW changes up to its position: those slots are not written meanwhile.
//
// A lane that is not served stays as if nothing had ever happened in it, or is followed without what is in it
// by who is fed. Either way nobody is told of it but that it is not served.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_LANES_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_LANES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/lane_set.h"
#include "services/validator/image/reclaim.h"

#define LANES_RING 2048
#define LANES_ROUND_MAX 1024 // changes of one lane in one round
#define LANES_WINDOW (LANES_RING - LANES_ROUND_MAX)

// Immutable once published.
struct positions {
    uint64_t round;            // number of the round of reading that led to it, see follower.h
    int64_t seqs[LANE_COUNT];  // the last change applied
    int64_t marks[LANE_COUNT]; // and its mark
    int64_t heads[LANE_COUNT]; // of the log, when it was last looked at; may be ahead of `seqs`
    char revisions[LANE_COUNT][REVISION_TEXT_LENGTH + 1];
};

struct lanes {
    struct lane_set served; // const

    // Readers': release stores by the writer, acquire loads by readers.
    _Atomic(const struct positions *) positions; // never NULL
    _Atomic int64_t marks[LANE_COUNT][LANES_RING];
    _Atomic int64_t floors[LANE_COUNT]; // the lowest seq whose mark has been noted

    // The writer's: the positions that come next.
    struct positions next;
};

enum lanes_relation {
    LANES_REACHED,    // applied, or older than what is remembered
    LANES_AHEAD,      // not applied yet
    LANES_FOREIGN,    // of another history
    LANES_NOT_SERVED, // nobody here follows its lane, or holds what is in it
};

MUST_CHECK enum status lanes_init(struct lanes *lanes, struct lane_set served);
void lanes_fini(struct lanes *lanes); // no reader may be left

// Writer: notes a change as applied, or, before the first publication, as known from the log. Ascending
// within its lane.
void lanes_note(struct lanes *lanes, struct revision change);

// Writer: makes what was noted and `heads` the positions. The old ones go to `reclaim`. On NO_MEMORY the old
// ones stay, and the next publication includes what this one left out.
MUST_CHECK enum status lanes_publish(struct lanes *lanes, uint64_t round, const int64_t heads[LANE_COUNT],
                                     struct reclaim *reclaim);

static inline const struct positions *lanes_get_positions(const struct lanes *lanes) {
    return atomic_load_explicit(&lanes->positions, memory_order_acquire);
}

// Writer: the mark of one of the last LANES_RING changes that were noted.
static inline int64_t lanes_get_mark(const struct lanes *lanes, unsigned lane, int64_t seq) {
    return atomic_load_explicit(&lanes->marks[lane][seq % LANES_RING], memory_order_relaxed);
}

// Writer: the last published changes of a lane that are remembered, newest first, without gaps. Returns how
// many.
size_t lanes_list_known(const struct lanes *lanes, unsigned lane, struct revision ret_known[LANES_WINDOW]);

// Writer: what somebody keeps of how far lanes have come becomes what is applied, where that is as far or
// further. Of the lanes that are served: what is kept of others would tell nothing of what was lost there.
void lanes_raise(const struct lanes *lanes, int64_t seqs[LANE_COUNT], int64_t marks[LANE_COUNT]);

// Any thread: whether `revision` is remembered, and so known to be of this history. Before the first: true.
bool lanes_know(const struct lanes *lanes, const struct positions *positions, struct revision revision);

// Any thread: `revision` as seen from `positions`, which were read from `lanes` in this turn.
enum lanes_relation lanes_compare(const struct lanes *lanes, const struct positions *positions,
                                  struct revision revision);

#endif
