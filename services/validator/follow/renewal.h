// What the answer to a renewal means for a follower of the change log. Pure: the answer and the follower's
// own positions in, a judgement out.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_RENEWAL_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "services/validator/image/lanes.h"

// One row of latchkey.validator_renew().
struct renewal {
    bool is_registered; // the lease's row was there
    int64_t heads[LANE_COUNT];
    bool has_position_mark[LANE_COUNT]; // the log, or the head, still knows the change at our own position
    int64_t position_marks[LANE_COUNT];
    int64_t floors[LANE_COUNT]; // the lowest seq that is still in the log
    bool is_loss_reported;      // a validator knows changes that the database lacks: nobody may serve
    int64_t database_now_ms;    // UTC
    uint64_t sent_boottime_ns;  // our own clocks around the round trip
    int64_t sent_realtime_ms;
    int64_t received_realtime_ms;
    uint64_t valid_ns; // of a part of somebody else's lease; UINT64_MAX = the lease is our own
    bool is_newest;    // nothing was sent after it: its heads are newer than all that was asked for
};

enum renewal_verdict {
    RENEWAL_AT_HEAD,      // nothing is missing
    RENEWAL_BEHIND,       // there are changes to read
    RENEWAL_LOG_TOO_HIGH, // changes are missing that the log does not have any more: load again
    RENEWAL_HISTORY_LOST, // what was applied is not in this history
};

// Leaves out the lanes that are not served: nothing has happened in them, as far as anybody here knows.
void renewal_keep_lanes(struct renewal *renewal, struct lane_set served);

// `*ret_lane` is one that the verdict is about. Worst first: lost, then too high, then behind.
enum renewal_verdict renewal_judge(const struct renewal *renewal, const struct positions *positions,
                                   unsigned *ret_lane);

// Whether the change at the own position has been found: then all that was applied of the lane is there.
bool renewal_has_position(const struct renewal *renewal, const struct positions *positions, unsigned lane);

// Whether all that the renewal told of has been applied.
bool renewal_is_reached(const struct renewal *renewal, const struct positions *positions);

// What has to be added to the own realtime to be as near to the database's as the answer proves: its time
// lies between sending and receiving, so within that nothing has to be corrected.
int64_t renewal_get_clock_correction_ms(const struct renewal *renewal);

// The same for our boottime.
int64_t renewal_get_boottime_to_utc_ms(const struct renewal *renewal);

#endif
