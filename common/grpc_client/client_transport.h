// The bytes of a client's connection: a socket that is connected within a deadline and waited on with
// poll(2), with or without TLS on top. A client that waits for one answer needs one descriptor and no loop.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TRANSPORT_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/grpc_client/client_address.h"
#include "common/grpc_client/client_failure.h"

struct client_transport;
struct tls_client;

// Connects, and shakes hands where `tls` is not NULL. Returns owned, or NULL with `failure` set to one of
// client.h's reasons and a sentence with the target. Borrows `tls` and the clock.
MUST_CHECK struct client_transport *client_transport_open(const struct client_address *address,
                                                          const struct tls_client *tls, uint64_t deadline_ns,
                                                          const struct clock *clock,
                                                          struct client_failure *failure);
void client_transport_close(struct client_transport *transport); // takes NULL

// The same, without TLS, over a connected non-blocking socket, which it takes. NULL when memory ran out.
MUST_CHECK struct client_transport *client_transport_open_over(int fd, const struct clock *clock);

// Without waiting: the number of bytes, 0 when there are none now, -1 when the peer has closed or the
// transport has failed.
ssize_t client_transport_read(struct client_transport *transport, uint8_t *to, size_t room);

// Without waiting: how many bytes were taken, which may be none; -1 when the transport has failed.
ssize_t client_transport_write(struct client_transport *transport, struct bytes bytes);

// Waits until there is something to read or, if asked for, room to write; an end counts as something to read.
// False when the deadline passed first.
MUST_CHECK bool client_transport_wait(struct client_transport *transport, bool for_room,
                                      uint64_t deadline_ns);

// From now on a wait also ends, as if its deadline had passed, while `fd` is readable; -1 = by nobody.
void client_transport_set_wake(struct client_transport *transport, int fd);

// Why TLS ended the transport, as a clause ("the certificate has expired"); NULL where it did not.
const char *client_transport_find_refusal(const struct client_transport *transport);

#endif
