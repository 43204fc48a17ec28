// How often a connection is read that comes from where another was closed for flooding, a moment ago: once
// in every --flood-delay, until it has behaved for a while. What it asks is answered all the same.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_PACE_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_PACE_H

#include <stdbool.h>

#include "common/grpc/server_internal.h"

void connection_pace_start(struct grpc_connection *connection);
void connection_pace_stop(struct grpc_connection *connection);

// Something of it has been read.
void connection_pace_note_read(struct grpc_connection *connection);

// Whether it is to be read now.
static inline bool connection_pace_permits(const struct grpc_connection *connection) {
    return !timer_is_armed(&connection->pace);
}

#endif
