#include "common/grpc/load_shed.h"

enum {
    AVERAGE_OF = 64,
    LAG_PART = 4, // of the time that calls have may go by before they are read
    FALL_MAX = 2, // in a turn, which may have been long for another reason
    RISE_PART = 8,
};

// why not more for who has more time: a queue in front of a loop that stays behind helps nobody, and where it
// ends at the number of streams that a connection may have, it goes on in the clients, who send what is
// oldest first. Not less either: nobody's time-outs make the loop refuse others' calls for a lag that is
// none.
#define LAG_MIN_NS UINT64_C(5000000)
#define LAG_MAX_NS UINT64_C(10000000)

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max) {
    return value < min ? min : value > max ? max : value;
}

void load_shed_note_timeout(struct load_shed *shed, uint64_t timeout_ns) {
    if (shed->timeout_ns == 0)
        shed->timeout_ns = timeout_ns;
    shed->timeout_ns += timeout_ns / AVERAGE_OF - shed->timeout_ns / AVERAGE_OF;
}

static unsigned lower(unsigned quota, uint64_t lag_ns, uint64_t lag_max_ns) {
    unsigned from = quota > 0 ? quota : LOAD_SHED_QUOTA_MAX;
    uint64_t lowered = from * lag_max_ns / lag_ns, floor = from / FALL_MAX;
    return (unsigned)(lowered > floor ? lowered : floor > 0 ? floor : 1);
}

static unsigned raise(unsigned quota) {
    unsigned raised = quota + quota / RISE_PART + 1;
    return quota > 0 && raised < LOAD_SHED_QUOTA_MAX ? raised : 0;
}

void load_shed_look(struct load_shed *shed, uint64_t turn, uint64_t lag_ns) {
    if (turn == shed->turn)
        return;
    shed->turn = turn;
    uint64_t lag_max_ns = clamp(shed->timeout_ns / LAG_PART, LAG_MIN_NS, LAG_MAX_NS);
    bool is_behind = shed->timeout_ns > 0 && lag_ns > lag_max_ns;
    shed->quota = is_behind ? lower(shed->quota, lag_ns, lag_max_ns) : raise(shed->quota);
}
