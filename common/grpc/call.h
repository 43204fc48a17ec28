// The server's side of one call, as its handler sees it. It is valid until the handler has finished it, also
// when the client or the connection has gone meanwhile.
//
// Everything is called on the call's loop thread, with one exception: while a worker has been given the call
// it may use its arena, fault, data and metadata and ask grpc_call_is_cancelled(); the loop touches none of
// these between the callback that started the work and grpc_call_finish().
#ifndef LATCHKEY_COMMON_GRPC_CALL_H
#define LATCHKEY_COMMON_GRPC_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/crypto/tls_identity.h"
#include "common/grpc/metadata.h"
#include "common/grpc/method.h"
#include "common/ip/address.h"
#include "common/net/loop.h"

struct grpc_call;

const struct grpc_method *grpc_call_get_method(const struct grpc_call *call);
struct loop *grpc_call_get_loop(const struct grpc_call *call);

// Goes with the call. A stream that lives for long puts nothing into it per message.
struct arena *grpc_call_get_arena(struct grpc_call *call);

// Empty at first, in the call's arena: for grpc_call_finish(call, fault).
struct fault *grpc_call_get_fault(struct grpc_call *call);

// The handler's own. NULL at first.
void grpc_call_set_data(struct grpc_call *call, void *data);
void *grpc_call_get_data(const struct grpc_call *call);

// Request metadata in the order received, names in lower case, without the protocol's own (pseudo-headers,
// te, content-type, grpc-*). `name` is in lower case. Values are as sent: those of "-bin" names are still
// base64 (base64.h).
struct bytes grpc_call_find_metadata(const struct grpc_call *call, const char *name); // first, or data NULL
const struct metadata *grpc_call_get_metadata(const struct grpc_call *call);

// On the loop's monotonic clock; the client's time-out and the server's maximum, whichever is earlier.
// UINT64_MAX = none.
uint64_t grpc_call_get_deadline_ns(const struct grpc_call *call);

// What the client asked for, for handlers that echo it; UINT64_MAX = nothing.
uint64_t grpc_call_get_timeout_ns(const struct grpc_call *call);

// The TCP peer. Family 0 for a Unix socket.
const struct ip_address *grpc_call_get_peer(const struct grpc_call *call);
bool grpc_call_is_peer_local(const struct grpc_call *call); // loopback or Unix socket

// Who the TCP peer is by its certificate; NULL if it has shown none, or that names nobody. Lives as long as
// the call.
struct tls_identity *grpc_call_get_identity(const struct grpc_call *call);

// What tells calls of different connections apart, for those who share out their work; NULL for a call from
// inside of the process.
const void *grpc_call_get_connection(const struct grpc_call *call);

// From any thread that has the call: on_cancel has been called or is about to be.
bool grpc_call_is_cancelled(const struct grpc_call *call);

// The message of a call that on_requests was given; good until the call is finished.
struct bytes grpc_call_get_request(const struct grpc_call *call);

// Metadata for the client. Names in lower case, not "grpc-"; values printable ASCII, those of "-bin" names
// any bytes (they are sent in base64). Copied. Headers before the first message only. False when out of
// memory, too much (8 KiB), not allowed, or too late.
bool grpc_call_add_header(struct grpc_call *call, const char *name, struct bytes value);
bool grpc_call_add_trailer(struct grpc_call *call, const char *name, struct bytes value);

// Lets the headers leave before the first message.
void grpc_call_send_headers(struct grpc_call *call);

// What stands in front of a message that is handed over as bytes.
#define GRPC_CALL_HEADROOM 5

// Sends one message; `message` may go when it returns. EXHAUSTED: too much waits for this client, nothing was
// queued, on_writable follows when it has been taken. CLOSED: cancelled, the handler finishes the call.
// NO_MEMORY. MALFORMED: the client wants JSON, and the message has a value without a form in it.
MUST_CHECK enum status grpc_call_send(struct grpc_call *call, const ProtobufCMessage *message);

// The same with one or more messages in protobuf's own format, one behind the other, each behind
// GRPC_CALL_HEADROOM bytes that framing_write_prefix() has filled: they are queued as one, or none is.
MUST_CHECK enum status grpc_call_send_framed(struct grpc_call *call, struct bytes framed);

// The same of a buffer, which is empty afterwards unless that failed.
MUST_CHECK enum status grpc_call_send_buffer(struct grpc_call *call, struct buffer *framed);

// What the handler holds of requests and answers besides the call's arena is counted in the server's request
// memory: `bytes` are all that it holds now. UNAVAILABLE, and the call's fault filled: there is no room, and
// the handler finishes the call. The end of the call gives all back.
MUST_CHECK enum status grpc_call_hold_memory(struct grpc_call *call, size_t bytes);

// Stops and starts on_message and on_half_close; the client's flow-control window then fills up. Not for
// unary calls.
void grpc_call_pause(struct grpc_call *call);
void grpc_call_resume(struct grpc_call *call);

// Ends the call with `fault`, NULL or an empty one meaning OK. Once; the call is gone when it returns.
void grpc_call_finish(struct grpc_call *call, const struct fault *fault);

// The same with a google.rpc.Status of the handler's own making, which is not OK: code, message and details
// go to the client as they are. Copied.
void grpc_call_finish_status(struct grpc_call *call, const ProtobufCMessage *status);

// The one message of a unary call, then OK.
void grpc_call_reply(struct grpc_call *call, const ProtobufCMessage *message);
void grpc_call_reply_bytes(struct grpc_call *call, struct bytes message);

// The same without a copy: `framed` lives in the call's arena and begins with so many bytes that are free.
void grpc_call_reply_framed(struct grpc_call *call, struct bytes framed);

// The same of a buffer, which it takes.
void grpc_call_reply_buffer(struct grpc_call *call, struct buffer *framed);

#endif
