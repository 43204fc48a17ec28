// The socket to one address: opened within a deadline, waited on with poll(2).
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_SOCKET_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/grpc_client/client_address.h"
#include "common/grpc_client/client_failure.h"

// The socket is non-blocking and close-on-exec, the caller's to close. On failure -1, and `failure` holds one
// of client.h's reasons and a sentence with the target.
MUST_CHECK int client_socket_open(const struct client_address *address, uint64_t deadline_ns,
                                  const struct clock *clock, struct client_failure *failure);

// Waits for poll(2)'s `events`; an error or hang-up counts as ready, so that the next read or write reports
// it. False when the deadline passed first. With `fd` -1 it just waits.
bool client_socket_wait(int fd, short events, uint64_t deadline_ns, const struct clock *clock);

// The same, but also false as soon as `wake_fd` is readable; -1 = nobody wakes.
bool client_socket_wait_or_wake(int fd, short events, int wake_fd, uint64_t deadline_ns,
                                const struct clock *clock);

#endif
