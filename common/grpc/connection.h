// One HTTP/2 connection: nghttp2's session between a stream and the calls. The session does no I/O of its
// own: bytes that were read are fed to it, and then, or at the end of a loop turn, all that it has to send
// leaves in one write.
//
// Its parts: connection_frames.c is what nghttp2 tells of frames, connection_write.c the way out,
// connection_clock.c what has a limited time.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_H

#include "common/grpc/server_internal.h"

// Takes `stream`; closes it when there is no memory, or its peer has too many connections.
void connection_open(struct grpc_loop *home, struct stream *stream);

// Closes the connection now, cancelling its calls. Not inside of nghttp2; the connection is gone after the
// turn.
void connection_close(struct grpc_connection *connection, enum grpc_close why, enum stream_close how);

// The same as soon as nghttp2 has returned and what waits has been written. The first reason stands.
void connection_condemn(struct grpc_connection *connection, enum grpc_close why);

// Something is to be sent: at the end of this turn.
void connection_schedule(struct grpc_connection *connection);

// Tells the client to go elsewhere; closes when its calls have ended, which is counted as `why`.
void connection_drain(struct grpc_connection *connection, enum grpc_close why);

// The same at once: calls that have not been read are the client's to send again, elsewhere. Not inside of
// nghttp2.
void connection_leave(struct grpc_connection *connection, enum grpc_close why);

// The second half of a drain: no call is accepted any more. Once the client has seen the first, or takes too
// long to.
void connection_end_drain(struct grpc_connection *connection);

// A handler has ended, or a stream was closed: a connection that is closed or draining may have waited for
// it.
void connection_on_call_ended(struct grpc_connection *connection);

#endif
