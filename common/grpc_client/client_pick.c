#include "common/grpc_client/client_pick.h"

static bool is_open(const struct client_choice *choice, uint64_t now_ns) {
    return choice->is_ready || choice->not_before_ns <= now_ns;
}

static size_t pick_first(const struct client_choice *choices, size_t count, uint64_t now_ns) {
    for (size_t i = 0; i < count; i++)
        if (choices[i].is_ready)
            return i;
    for (size_t i = 0; i < count; i++)
        if (is_open(&choices[i], now_ns))
            return i;
    return CLIENT_PICK_NONE;
}

static size_t pick_next(const struct client_choice *choices, size_t count, size_t last, uint64_t now_ns) {
    size_t from = last == CLIENT_PICK_NONE ? 0 : last + 1;
    for (size_t i = 0; i < count; i++)
        if (is_open(&choices[(from + i) % count], now_ns))
            return (from + i) % count;
    return CLIENT_PICK_NONE;
}

size_t client_pick(enum client_picking picking, const struct client_choice *choices, size_t count,
                   size_t last, uint64_t now_ns) {
    return picking == CLIENT_PICK_FIRST ? pick_first(choices, count, now_ns)
                                        : pick_next(choices, count, last, now_ns);
}

uint64_t client_pick_get_wake_ns(const struct client_choice *choices, size_t count) {
    uint64_t wake_ns = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (choices[i].not_before_ns < wake_ns)
            wake_ns = choices[i].not_before_ns;
    return wake_ns;
}
