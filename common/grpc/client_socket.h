// The socket to a target: opened within a deadline, waited on with poll(2). A client that waits for one
// answer needs one descriptor and no loop.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_SOCKET_H
#define LATCHKEY_COMMON_GRPC_CLIENT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/client_target.h"

// Tries every address of the name in the resolver's order until one answers or `deadline_ns` (monotonic) has
// passed. The resolver itself blocks as long as the system's configuration lets it. The socket is
// non-blocking and close-on-exec, the caller's to close. On failure `fault` holds one of client.h's reasons
// and a sentence with the target.
MUST_CHECK enum status client_socket_open(const struct client_target *target, uint64_t deadline_ns,
                                          const struct clock *clock, int *ret_fd, struct fault *fault);

// Waits for poll(2)'s `events`; an error or hang-up counts as ready, so that the next read or write reports
// it. False when the deadline passed first.
MUST_CHECK bool client_socket_wait(int fd, short events, uint64_t deadline_ns, const struct clock *clock);

#endif
