// What a connection is given a limited time for: to begin, to end a header block, a request, a drain; to make
// a call, to answer a ping; and its age. One timer serves all. It is never moved back: when it fires and
// nothing is due, it looks for what will be, so that a call costs a comparison.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_CLOCK_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_CLOCK_H

#include "common/grpc/server_internal.h"

// Of a connection that has just been opened.
void connection_clock_start(struct grpc_connection *connection);
void connection_clock_stop(struct grpc_connection *connection);

// What is kept in the connection has changed: something may now fall due earlier than was known.
void connection_clock_look(struct grpc_connection *connection);

// Notes the time of bytes that have been taken in.
void connection_clock_note_read(struct grpc_connection *connection);

// A call has begun; its answer is complete; all has been written that the client's windows have room for; the
// last call has ended.
void connection_clock_note_call(struct grpc_connection *connection);
void connection_clock_note_answer(struct grpc_connection *connection);
void connection_clock_note_written(struct grpc_connection *connection);
void connection_clock_note_idle(struct grpc_connection *connection);

#endif
