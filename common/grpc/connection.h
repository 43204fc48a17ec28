// One HTTP/2 connection: nghttp2's session between a stream and the calls. The session does no I/O of its
// own: bytes that were read are fed to it, and then, or at the end of a loop turn, all that it has to send
// leaves in one write.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_H

#include "common/grpc/server_internal.h"

// The callbacks and options of every session; made once per server. NO_MEMORY.
MUST_CHECK enum status connection_new_callbacks(nghttp2_session_callbacks **ret_callbacks);
MUST_CHECK enum status connection_new_options(const struct grpc_server_settings *settings,
                                              nghttp2_option **ret_options);

// Takes `stream`; closes it when there is no memory.
void connection_open(struct grpc_loop *home, struct stream *stream);

// Closes the connection now, cancelling its calls. Not inside of nghttp2; the connection is gone after the
// turn.
void connection_close(struct grpc_connection *connection, enum grpc_close why, enum stream_close how);

// Something is to be sent: at the end of this turn.
void connection_schedule(struct grpc_connection *connection);

// Tells the client to go elsewhere; closes when its calls have ended.
void connection_drain(struct grpc_connection *connection);

// A handler has ended, or a stream was closed: a connection that is closed or draining may have waited for
// it.
void connection_on_call_ended(struct grpc_connection *connection);

#endif
