// Calls of one loop that wait for their min_revision: parked on the revision's lane, at most so many, none
// for longer than its patience. Nobody blocks: a call is looked at again when the follower has published
// positions, and when its time is over.
//
//     validate_waits_park() --positions tell--> resume(wait)
//                           --its time is over--> resume(wait), with `is_over` set
//                           --validate_waits_leave()--> (the client is gone)
//
// A revision that lies above the head of its lane is none of this history once a head says so that was read
// after the call came. The round that was published when it came may be followed by one that was under way at
// that moment; the one after that began later, so its heads are new enough.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_WAIT_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/net/loop.h"
#include "services/validator/decide/reading.h"
#include "services/validator/image/lanes.h"
#include "services/validator/image/validator.h"

enum validate_standing {
    VALIDATE_REACHED,
    VALIDATE_NOT_YET,
    VALIDATE_OF_ANOTHER_HISTORY,
    VALIDATE_NOT_SERVED, // nobody here will ever know
};

// `came_at_round` is that of the positions when the question came. Reader thread, online.
enum validate_standing validate_judge_revision(const struct lanes *lanes, const struct positions *positions,
                                               struct revision revision, uint64_t came_at_round);

// Embedded in its call; zeroed memory waits for nothing. Loop thread.
struct validate_wait {
    struct validate_wait *next, **link; // of its list; `link` is NULL while it is not parked
    struct revision revision;
    uint64_t came_at_round;
    bool is_over; // its time is: park it no more
    struct timer timer;
    struct validate_waits *waits;
    void (*resume)(struct validate_wait *wait); // it is not parked any more; may park it again, or free it
};

struct validate_waits_options {
    const struct validator *validator; // borrows, as the next
    struct reading *reading;           // the loop's
    size_t max;                        // that may be parked on this loop at once
    // Any thread, never blocks: asks the follower for a round now.
    void (*wake_follower)(void *context);
    void *context;
};

struct validate_waits {
    // The loop's thread.
    struct loop *loop;
    struct validate_waits_options options;
    struct validate_wait *lanes[LANE_COUNT];
    struct validate_wait *ready; // about to be resumed
    size_t count;                // of all of these
    uint64_t asked_round;        // the last one after which the follower was woken

    // The loop's thread and the follower's, under the lock.
    pthread_mutex_t lock;
    bool is_open;   // the loop is held for tasks that may be posted
    bool is_posted; // `task` is on its way
    struct loop_task task;
};

void validate_waits_init(struct validate_waits *waits, const struct validate_waits_options *options);
void validate_waits_fini(struct validate_waits *waits); // nobody may wait or tell any more

// On the loop's thread, before the first call and after the last; leaving ends all waits.
void validate_waits_enter_loop(struct validate_waits *waits, struct loop *loop);
void validate_waits_leave_loop(struct validate_waits *waits);

// `wait` has revision, came_at_round and resume; `due_ns` is monotonic. EXHAUSTED: too many wait already.
MUST_CHECK enum status validate_waits_park(struct validate_waits *waits, struct validate_wait *wait,
                                           uint64_t due_ns);

// The wait is over without an answer. Does nothing for one that is not parked.
void validate_waits_leave(struct validate_wait *wait);

// Any thread, also before enter_loop() and after leave_loop(): positions were published.
void validate_waits_tell(struct validate_waits *waits);

#endif
