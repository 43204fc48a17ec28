#include "common/net/turn_lag.h"

void turn_lag_note_read(struct turn_lag *lag, uint64_t now_ns, size_t read_bytes, size_t left_bytes) {
    if (lag->begun_ns == 0)
        lag->begun_ns = now_ns;
    lag->read_bytes += read_bytes;
    lag->left_bytes += left_bytes;
}

void turn_lag_end_turn(struct turn_lag *lag, uint64_t now_ns) {
    double took_ns = lag->begun_ns > 0 && now_ns > lag->begun_ns ? (double)(now_ns - lag->begun_ns) : 0;
    double left_turns = lag->read_bytes > 0 ? (double)lag->left_bytes / (double)lag->read_bytes : 0;
    *lag = (struct turn_lag){.turn = lag->turn + 1,
                             .lag_ns = (uint64_t)(took_ns * (1 + left_turns)),
                             .busy_ns = lag->busy_ns + (uint64_t)took_ns};
}
