// How long to wait after a failure, before the next attempt to connect or the next attempt of a call: longer
// by a factor after each, up to a limit, and up to a fifth more or less so that many clients don't come back
// together. Pure.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_BACKOFF_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_BACKOFF_H

#include <stdint.h>

#define CLIENT_BACKOFF_JITTER 0.2

struct client_backoff {
    double initial_ms, max_ms; // above 0
    double multiplier;         // above 0
};

// Of attempts to connect, as gRPC's connection backoff says.
extern const struct client_backoff client_backoff_of_connections;

// After `failures` in a row, at least 1. `random` is any number, uniformly distributed.
uint64_t client_backoff_get_ns(const struct client_backoff *backoff, unsigned failures, uint64_t random);

#endif
