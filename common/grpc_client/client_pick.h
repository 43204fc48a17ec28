// Which address of a channel the next call goes to. Pure: the channel tells what state each is in.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_PICK_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_picking {
    CLIENT_PICK_FIRST = 0,  // stays with the address it has; else the first one that can be reached
    CLIENT_PICK_ROUND_ROBIN // each call to the next address
};

struct client_choice {
    bool is_ready;          // has a connection that takes a call
    uint64_t not_before_ns; // monotonic; without a connection: when the next attempt to connect may be made
};

#define CLIENT_PICK_NONE SIZE_MAX

// The address to use, connecting it if it is not ready; CLIENT_PICK_NONE when every one rests. `last` is the
// one of the call before, CLIENT_PICK_NONE for the first call.
size_t client_pick(enum client_picking picking, const struct client_choice *choices, size_t count,
                   size_t last, uint64_t now_ns);

// When the first of them may be tried; UINT64_MAX without any.
uint64_t client_pick_get_wake_ns(const struct client_choice *choices, size_t count);

#endif
