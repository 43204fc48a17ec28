// The inside of a follower: its state machine (follower.c), which is the same whatever it follows, and the
// sources that it can follow, each of which says what a turn in a state is.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_INTERNAL_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_FOLLOWER_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "common/db/backoff.h"
#include "services/validator/follow/applier.h"
#include "services/validator/follow/follower.h"
#include "services/validator/follow/follower_status.h"
#include "services/validator/follow/follower_store.h"
#include "services/validator/follow/hint.h"
#include "services/validator/follow/loss_message.h"
#include "services/validator/follow/loss_report.h"
#include "services/validator/follow/renewal.h"
#include "services/validator/follow/snapshot_keeper.h"

enum follower_state { STATE_NONE, LOADING, REGISTERING, FOLLOWING, HISTORY_LOST, STATE_COUNT };
enum follower_event { NOTHING, LOADED, REGISTERED, ROW_GONE, LOAD_AGAIN, LOST, FOUND, EVENT_COUNT };

struct follower;

#define FOLLOWER_FAILURE_MAX 511

// What a turn in a state came to.
struct turn {
    enum follower_event event;
    bool is_followed_at_once; // by the next turn
};

// What is followed. Everything runs on the follower's thread; what fails is tried again after disconnect().
struct follower_source {
    const char *name; // in sentences
    // Where there is no connection. On failure the trouble is told.
    enum status (*connect)(struct follower *follower);
    // After a failure.
    void (*disconnect)(struct follower *follower);
    // One turn in the state.
    enum status (*run[STATE_COUNT])(struct follower *follower, struct turn *turn);
    // Between two turns, for one that is fed by this validator (loss_store_tell()).
    enum status (*tell_loss)(struct follower *follower, const struct loss_message *message,
                             struct loss_standing *ret_standing);
    // At the end: nobody is served any more.
    void (*leave)(struct follower *follower);
};
extern const struct follower_source follower_database, follower_upstream;

struct follower {
    const struct follower_source *source;
    struct follower_options options;
    struct validator *validator;
    struct follower_registration registration;
    struct follower_status status;
    struct upstream *upstream; // NULL = the database is followed
    struct hint hint;
    struct errands errands;
    pthread_t thread;

    // The thread's.
    enum follower_state state;
    char failure[FOLLOWER_FAILURE_MAX + 1]; // of the turn, as a sentence; "" = as its status says
    struct db_connection *connection;       // NULL = none now
    bool is_timeline_settled;               // on this connection: ours is accepted
    struct backoff backoff;
    struct loss_report loss_report; // of what the database lacks
    struct image *image;            // what is published
    struct fingerprint_key key;     // of all its images
    struct reclaim reclaim;
    struct applier applier;
    struct snapshot_keeper keeper;
    struct snapshot_positions remembered; // beyond the image: what rows of its snapshot file may have, or
                                          // what one had that was given up for room; zero = nothing
    uint64_t round;                       // number of the last one that was published
    enum lease_state seen_state;
};

static inline uint64_t follower_now_ns(const struct follower *follower) {
    return clock_get_monotonic_ns(follower->options.clock);
}

static inline uint64_t follower_boottime_ns(const struct follower *follower) {
    return clock_get_boottime_ns(follower->options.clock);
}

// A loaded image becomes what is served from; `from` is for the log.
void follower_take_image(struct follower *follower, struct image *image, const char *from,
                         uint64_t started_ns, struct turn *turn);

// An image that nobody may be answered from any more takes only the room of the next one. How far it had come
// is remembered: whether the database still has that is asked before the next one is loaded.
void follower_make_room(struct follower *follower);

// How far the image is, or was that has been given up; of LANE_COUNT lanes. Borrows.
const int64_t *follower_get_applied(const struct follower *follower);

// The same for whoever waits for this validator, or lower ones of those who are fed.
void follower_get_told(struct follower *follower, int64_t ret_told[LANE_COUNT]);

// Before a renewal is sent: what it is to tell.
void follower_begin_round(struct follower *follower, int64_t ret_told[LANE_COUNT]);

// False: the clocks are too far apart to compare times, so nobody is served.
bool follower_note_clock(struct follower *follower, const struct renewal *renewal);

// Ends a round whose changes, if any, have been applied with `status`: publishes the positions, and grants
// the lease if all that the renewal told of has been reached and `may_serve`.
MUST_CHECK enum status follower_end_round(struct follower *follower, enum status status,
                                          const struct renewal *renewal, bool may_serve);

#endif
