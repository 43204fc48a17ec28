// What nghttp2 tells of the frames that a connection receives and sends: calls begin and end here, and what a
// client may do is counted. Nothing is closed inside of nghttp2: connections are condemned.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_FRAMES_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_FRAMES_H

#include "common/grpc/server_internal.h"

// The callbacks and options of every session; made once per server. NO_MEMORY.
MUST_CHECK enum status connection_frames_new_callbacks(nghttp2_session_callbacks **ret_callbacks);
MUST_CHECK enum status connection_frames_new_options(nghttp2_option **ret_options);

// A message of a call of this connection has been decompressed, or given up at that size.
void connection_frames_note_inflated(struct grpc_connection *connection, size_t from_bytes, size_t to_bytes);

#endif
