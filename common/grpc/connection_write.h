// The way out of a connection: plain answers and nghttp2's queue to the stream, and what a full one means for
// reading and for handlers. All is called once a turn, outside of nghttp2's callbacks, but where it says
// otherwise.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_WRITE_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_WRITE_H

#include "common/grpc/server_internal.h"

// Collects what there is to send and writes it, until there is nothing more or the socket takes no more.
// False when the connection has been condemned.
MUST_CHECK bool connection_write_session(struct grpc_connection *connection);

// Room for a frame behind those that are collected; inside of the former. NULL when the connection has been
// condemned.
uint8_t *connection_write_reserve(struct grpc_connection *connection, size_t size);

// Whether the socket has not taken all that was written.
bool connection_write_is_behind(const struct grpc_connection *connection);

// Tells the handlers that were refused a send and now have room. They may answer or finish.
void connection_write_tell_writable(struct grpc_connection *connection);

// Nothing is read while the socket takes nothing and many frames wait.
void connection_write_update_reading(struct grpc_connection *connection);

// Condemns a connection for which too many frames wait, whatever they are.
void connection_write_check_queue(struct grpc_connection *connection);

#endif
