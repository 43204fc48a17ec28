// Calls of a connection that are refused unseen, because its loop is behind (load_shed.h): nothing is made
// for them, of their header block only the media type is looked at, and their bodies are passed over. Inside
// of nghttp2's callbacks.
//
// Only of who has spoken gRPC on the connection; calls by other protocols are refused when their requests are
// complete (`call->is_over_quota`).
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_SHED_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_SHED_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/grpc/server_internal.h"

// Before a connection of the loop is read.
void connection_shed_look(struct grpc_loop *home);

// The header block of a new call begins: whether it is one too many.
static inline bool connection_shed_is_due(struct grpc_connection *connection) {
    return !load_shed_may_begin(&connection->home->shed, &connection->shed.share);
}

// So it is to be refused unseen; false when it has to be looked at for that.
bool connection_shed_begin(struct grpc_connection *connection, int32_t stream_id);

static inline bool connection_shed_has(const struct grpc_connection *connection, int32_t stream_id) {
    return connection->shed.stream_id == stream_id;
}

void connection_shed_add_field(struct grpc_connection *connection, struct bytes name, struct bytes value);

// Its header block has ended.
void connection_shed_answer(struct grpc_connection *connection);

#endif
