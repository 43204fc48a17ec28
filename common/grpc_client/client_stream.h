// Calls that stream, message by message: the server's, the client's or both. The reader sets the pace: the
// server may send no more than a window ahead of what was read. Blocking, and one thread at a time together
// with the client's other calls, which may go on between.
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_STREAM_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_STREAM_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc_client/client.h"

struct grpc_client_stream;

// Begins the call; `call->request` is NULL where the messages come from grpc_client_stream_send(), else it is
// the only one. `call->timeout_ms` is for the whole stream, 0 = none; a stream is never repeated by itself.
// Returns owned, or anything else than OK in `fault`, which must be empty. The client outlives it.
MUST_CHECK enum status grpc_client_stream_open(struct grpc_client *client,
                                               const struct grpc_client_call *call,
                                               struct grpc_client_stream **ret_stream, struct fault *fault);

// One more message; waits until the server's window has taken it. A stream that is over answers as
// grpc_client_stream_read() does.
MUST_CHECK enum status grpc_client_stream_send(struct grpc_client_stream *stream,
                                               const ProtobufCMessage *message, struct fault *fault);

// No more messages from this side.
void grpc_client_stream_half_close(struct grpc_client_stream *stream);

// The next message, unpacked into `arena`. CLOSED, and `fault` left empty: the server has ended the stream
// with OK. DEADLINE_EXCEEDED in `fault`: nothing came within `timeout_ms` (0 = as long as the stream may
// last), and one may go on reading. Else `fault` says how the stream failed.
MUST_CHECK enum status grpc_client_stream_read(struct grpc_client_stream *stream, int64_t timeout_ms,
                                               struct arena *arena, ProtobufCMessage **ret_message,
                                               struct fault *fault);

// From now on a read also ends, as if its time were over, while `fd` is readable; -1 = never.
void grpc_client_stream_set_wake(struct grpc_client_stream *stream, int fd);

// Cancels what is not over. Takes NULL.
void grpc_client_stream_free(struct grpc_client_stream *stream);

#endif
