// Whether a server says that it can work: a Watch of grpc.health.v1 that stays open beside the calls of a
// connection, so that a change is known before the next call without asking again.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_HEALTH_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/grpc_client/client_connection.h"
#include "common/grpc_client/client_request.h"

struct client_health;

// Asks after `service`. Of `head` all but the path is used, and borrowed. Returns owned, or NULL when memory
// ran out. The connection outlives it.
MUST_CHECK struct client_health *client_health_new(struct client_connection *connection, const char *service,
                                                   const struct client_request_options *head);
void client_health_free(struct client_health *health); // takes NULL

// Waits for the first answer; without one it is not serving.
void client_health_wait(struct client_health *health, uint64_t deadline_ns);

// By what has arrived until now. A server without a health service is taken to be well, as gRPC does; one
// that does not know the service, ends the Watch or does not answer is not.
bool client_health_is_serving(const struct client_health *health);

#endif
