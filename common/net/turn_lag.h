// How far a loop is behind with what its peers have sent: what a turn has read took it so long, and what it
// had to leave in the sockets will take as long in proportion. One thread; the clock is the caller's.
#ifndef LATCHKEY_COMMON_NET_TURN_LAG_H
#define LATCHKEY_COMMON_NET_TURN_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turn_lag {
    uint64_t turn;     // the number of the present one
    uint64_t begun_ns; // when its first bytes were read; 0 = none yet
    size_t read_bytes, left_bytes;
    uint64_t lag_ns;  // as the last turn has found it
    uint64_t busy_ns; // what all turns took that have read anything
};

// So many bytes have been read, and so many are known to be left where they came from.
void turn_lag_note_read(struct turn_lag *lag, uint64_t now_ns, size_t read_bytes, size_t left_bytes);

// Whether it has read anything: only then is the time of its end asked for.
static inline bool turn_lag_has_read(const struct turn_lag *lag) {
    return lag->begun_ns > 0;
}

void turn_lag_end_turn(struct turn_lag *lag, uint64_t now_ns);

#endif
