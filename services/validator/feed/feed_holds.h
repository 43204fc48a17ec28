// What a feeder has promised to those it feeds, for its own row in the list of validators
// (docs/model/feed.pml): until when each may serve, and by which positions at least. The row tells the lowest
// of all who may still serve, so that whoever waits for a revocation waits for them.
//
// A hold outlives the stream on which it was given. It ends with its time, or when the fed one says that it
// serves no more. Pure; not locked: its owner is (feed.c).
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_HOLDS_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "services/validator/image/lanes.h"

enum { FEED_NAME_MAX = 255, FEED_LAGGING_MAX = 255 };

struct feed_hold {
    struct feed_hold *next;
    struct uuid instance_id;
    char name[FEED_NAME_MAX + 1]; // for people
    int64_t seqs[LANE_COUNT];     // what it has told to have applied
    uint64_t until_ns;            // boottime, with the margin; 0 = it was promised nothing
    unsigned users;               // streams of it that are open
};

// Zeroed memory is an empty one.
struct feed_holds {
    struct feed_hold *first;
};

void feed_holds_fini(struct feed_holds *holds);

// The hold of that instance, with one user more; made if there is none. A name is cut where it is too long.
// NULL when out of memory.
MUST_CHECK struct feed_hold *feed_holds_open(struct feed_holds *holds, struct uuid instance_id,
                                             struct bytes name);

// One user less. Without one it goes when its time is over (feed_holds_expire()).
void feed_holds_close(struct feed_hold *hold);

// It may serve for so long, counted from before now on its own clock. It is held for 1 % + 100 ms longer, for
// clocks that run apart, as whoever waits for a lease does (fence.h).
void feed_hold_extend(struct feed_hold *hold, uint64_t now_ns, uint64_t valid_ns);

// It serves no more, by whatever it was promised.
static inline void feed_hold_give_up(struct feed_hold *hold) {
    hold->until_ns = 0;
}

void feed_holds_expire(struct feed_holds *holds, uint64_t now_ns);

// Lowers `seqs` to what is held of each lane.
void feed_holds_lower(const struct feed_holds *holds, uint64_t now_ns, int64_t seqs[LANE_COUNT]);

// Those who are held to less than `seqs`, by name, with commas; as many as find room, "" = nobody.
void feed_holds_name_lagging(const struct feed_holds *holds, uint64_t now_ns, const int64_t seqs[LANE_COUNT],
                             char ret_names[FEED_LAGGING_MAX + 1]);

bool feed_holds_any(const struct feed_holds *holds, uint64_t now_ns); // whether somebody may still serve

#endif
