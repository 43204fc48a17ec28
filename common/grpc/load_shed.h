// How much of what its clients ask a loop takes on while it is behind. Each connection may begin so many
// calls in a turn, and more are refused: who asks for little is served, and who asks for much is not served
// less than others. The number follows how long bytes wait in the sockets (common/net/turn_lag.h), compared
// with the time that calls are given: it falls while that is a considerable part, and else rises until
// nothing is refused. One loop's; no clock, no system call. Zeroed memory refuses nothing.
#ifndef LATCHKEY_COMMON_GRPC_LOAD_SHED_H
#define LATCHKEY_COMMON_GRPC_LOAD_SHED_H

#include <stdbool.h>
#include <stdint.h>

// More than one read of a connection has room for.
#define LOAD_SHED_QUOTA_MAX 8192

struct load_shed {
    uint64_t turn;       // that the quota is of
    uint64_t timeout_ns; // of calls, on average of the latest; 0 = none has had one
    unsigned quota;      // calls that one connection may begin in it; 0 = any number
};

// What one connection has begun.
struct load_share {
    uint64_t turn;
    unsigned begun; // in that turn
};

// A client gives its call so much time.
void load_shed_note_timeout(struct load_shed *shed, uint64_t timeout_ns);

// Before calls of a turn begin, again and again if need be: how far the loop was behind at the end of the last one.
void load_shed_look(struct load_shed *shed, uint64_t turn, uint64_t lag_ns);

// One more call in the turn that was looked at; false when it is one too many.
static inline bool load_shed_may_begin(const struct load_shed *shed, struct load_share *share) {
    if (shed->quota == 0)
        return true;
    if (share->turn != shed->turn)
        *share = (struct load_share){.turn = shed->turn};
    return share->begun++ < shed->quota;
}

#endif
