// A call as the parts of the server see it. Loop thread, but for the atomic.
#ifndef LATCHKEY_COMMON_GRPC_CALL_INTERNAL_H
#define LATCHKEY_COMMON_GRPC_CALL_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <stdatomic.h>

#include "common/grpc/arriving_memory.h"
#include "common/grpc/call.h"
#include "common/grpc/call_state.h"
#include "common/grpc/call_wire.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "common/grpc/request_head.h"
#include "common/grpc/request_memory.h"
#include "common/grpc/server_internal.h"
#include "common/grpc/status_details.h"
#include "common/grpc/wire_protocol.h"

// What unpacking may make of a message, and room for the handler's own work.
#define CALL_ARENA_BYTES_MAX (64u * 1024 * 1024)

#define CALL_LOOP_BEHIND_TEXT "this server has more to do than it can; try again later"

// One message on its way out, with its prefix.
struct outgoing {
    struct outgoing *next;
    struct bytes bytes;
    size_t overhead_bytes; // what is held besides until it has been taken
    bool is_owned;         // freed with free(); else it lives in an arena, or for ever
    uint8_t *data; // that `bytes` stand in, and that is freed with it; NULL: behind this, or elsewhere
};

// Why a call is not taken.
struct refusal {
    enum status status; // MALFORMED: what the protocol makes of it
    const char *reason, *text;
};

struct grpc_call {
    struct grpc_call *next, **link; // of its connection while the stream is open; free list
    const struct call_wire *wire;
    struct grpc_connection
        *connection; // HTTP/2's: its memory stays while the handler works, also when closed
    void *wire_data; // another wire's own
    struct grpc_loop *home;
    const struct wire_protocol *protocol;
    enum codec codec;
    const struct grpc_method *method; // NULL until matched
    size_t method_index;
    void *data;
    int32_t stream_id;
    enum call_state state;
    enum grpc_code code; // what it was answered with
    uint64_t started_ns, deadline_ns;
    struct timer deadline;

    // Receiving.
    struct request_head head;
    struct refusal refusal;    // for when the request has ended, as is this:
    const char *http_refusal;  // an HTTP status
    ProtobufCMessage *request; // unary: unpacked, waiting for the end of the stream
    struct bytes request_bytes;
    struct buffer request_buffer;      // that it stands in, if not in the arena
    struct bytes get_message;          // of Connect's GET, where it stood in the path
    struct buffer held;                // what came while the handler was paused,
    size_t held_at;                    // and what of it was taken since
    struct arriving_share arriving;    // of its server's memory for what has not come whole
    struct request_share share;        // of its request memory
    struct request_share answer_share; // of its answer memory
    size_t handler_bytes;              // of the request memory, what the handler holds by itself
    bool has_request;
    bool is_request_kept; // in `request_buffer`, and to be read
    bool is_half_closed;  // the client has ended its side
    bool is_half_close_told;
    bool is_paused;
    bool is_feeding;  // inside of the handler's on_message
    bool is_gathered; // complete, and to be handed over together with others

    // Answering.
    struct outgoing *out_first, **out_end;
    struct outgoing reply;             // the one message of a unary call
    struct buffer reply_buffer;        // that it stands in, if not in the arena
    size_t out_offset;                 // sent of `out_first`
    size_t out_bytes;                  // queued, and what queueing takes
    struct metadata headers, trailers; // the handler's
    const nghttp2_nv *trailer_rows;    // what follows the body once it is complete
    size_t trailer_count;
    bool is_complete;       // the end is queued
    bool may_compress;      // the client takes gzip, and the method allows it
    bool has_declared_gzip; // the header block that was submitted says so
    bool is_plain;          // a plain HTTP request, not counted as a call
    bool is_counted;        // in its method's `started`
    bool is_early;          // answered before the client has ended its side
    bool is_over_quota;     // more than its connection may begin while the loop is behind
    bool has_sent_headers;
    bool is_deferred;         // nghttp2 waits for grpc_call_send()
    bool is_waiting_for_room; // a send was refused
    bool is_writable_listed;
    struct grpc_call *next_writable;
    struct grpc_call *next_answer, **answer_link; // for call_http2_answer.h; NULL = not in its list

    struct fault fault;
    struct ip_address peer;
    bool is_peer_local;
    atomic_bool is_cancelled; // relaxed: a hint for workers

    // From here on the memory is kept for the next call; all before is zeroed (clear() in call.c).
    struct framing framing;
    struct arena arena;           // the handler's
    struct arena message_arena;   // of a stream's present message
    struct arena transport_arena; // of the transport's own answers: the other may be a worker's at that time
};

// call.c

// A call for its wire to fill in, with the peer's address; NULL when out of memory.
struct grpc_call *call_new(struct grpc_loop *home, const struct call_wire *wire);

// Returns the state it is in now. Frees the call when that is CALL_CLOSED.
enum call_state call_move(struct grpc_call *call, enum call_event event);

// The stream is closed, by its end, a reset, or with the connection. May call on_cancel; the call may be gone
// when it returns.
void call_on_stream_closed(struct grpc_call *call);

// Its connection waits for its end.
void call_on_drain(struct grpc_call *call);

// The client's own, and the server's for a call that is to end soon.
void call_arm_deadline(struct grpc_call *call);

// Frees for good; of a loop that ends.
void call_free(struct grpc_call *call);

// call_head.c

void call_on_headers(struct grpc_call *call);

// Gives the answer that waits for the end of the request.
void call_answer_late(struct grpc_call *call);

// call_receive.c

static inline bool call_takes_one_message(const struct grpc_call *call) {
    return call->method->shape == GRPC_UNARY || call->method->shape == GRPC_SERVER_STREAM;
}

// Answers in place of the handler, in the protocol's own way.
void call_refuse(struct grpc_call *call, struct refusal refusal);

// Before the handler's first callback. False, and answered, when it is too late, or as many handlers are at
// work as may be.
MUST_CHECK bool call_start(struct grpc_call *call);

// `is_last`: behind it comes nothing but the end.
void call_on_data(struct grpc_call *call, struct bytes data, bool is_last);
void call_on_half_close(struct grpc_call *call);

// It receives nothing more: what has come of its request is of no use. While its handler looks at that, it is
// kept until it has.
void call_drop_arriving(struct grpc_call *call);

// call_queue.c

void call_push(struct grpc_call *call, struct outgoing *outgoing);

// Of answers that one connection's handlers may queue before others have their turn.
#define CALL_TURN_BYTES_MAX ((size_t)256 * 1024)

// CLOSED, or EXHAUSTED when so many bytes more are too many: on_writable will follow.
MUST_CHECK enum status call_check_room(struct grpc_call *call, size_t size);

// Whether the one message of a unary call may be queued, so many bytes with what else the call holds: not a
// large one on a connection whose client leaves too many answers unread.
bool call_may_reply(const struct grpc_call *call, size_t size);

// Owned; `size` bytes with their prefix in front. The body is the caller's to fill. NULL: out of memory.
struct outgoing *call_new_outgoing(uint8_t flag, size_t size, uint8_t **ret_body);

// Queues a message; false when out of memory.
MUST_CHECK bool call_push_copy(struct grpc_call *call, uint8_t flag, struct bytes message);

// The same of messages that have their prefixes.
MUST_CHECK bool call_push_framed(struct grpc_call *call, struct bytes framed);

// The same of a buffer, which it takes unless out of memory.
MUST_CHECK bool call_push_buffer(struct grpc_call *call, struct buffer *framed);

// What of the body fits into `room` bytes, and whether that is all that is queued.
size_t call_measure_body(const struct grpc_call *call, size_t room, bool *ret_is_all);

// Takes up to `room` bytes of what is queued, and leaves `out_first` NULL when that was all for now; then
// `is_complete` tells whether more will come.
size_t call_read_body(struct grpc_call *call, uint8_t *to, size_t room);

// Leaves the prefix of the first message out; nothing of it has been read.
void call_skip_prefix(struct grpc_call *call);

// Drops what was queued.
void call_drop_outgoing(struct grpc_call *call);

// call_respond.c

// The constant header blocks that begin an answer, by the request's content type.
enum { CALL_BEGIN_STATUS, CALL_BEGIN_CONTENT_TYPE, CALL_BEGIN_COUNT };
extern const nghttp2_nv call_begin_rows[CONTENT_TYPE_COUNT][CALL_BEGIN_COUNT];

// `trailer_rows` where there is nothing to say but that the call went well.
extern const nghttp2_nv call_ok_trailers[1];

// What a header block that begins an answer takes at most, but for the handler's metadata.
#define CALL_HEADERS_MAX 4

// The encodings that requests may have, where a client is to be told.
void call_add_accepted(const struct grpc_call *call, struct header_fields *fields);

void call_add_headers(struct grpc_call *call, struct header_fields *fields, const struct metadata *metadata);

enum call_body { CALL_WITHOUT_BODY, CALL_WITH_BODY };
void call_submit_headers(struct grpc_call *call, const struct header_fields *fields, enum call_body body);

// Lets what is queued leave, after its header block if that is still to be sent.
void call_wake(struct grpc_call *call);

// The same when the last message is queued and nothing follows; `headers` if they are still to be sent.
void call_complete(struct grpc_call *call, const struct metadata *headers);

// Answers in place of the handler and tells it. The call may be gone when it returns.
void call_overrule(struct grpc_call *call, enum status status, const char *reason, const char *text);

// The same with UNAVAILABLE and when to come back; counted as refused.
void call_shed(struct grpc_call *call, const char *text);

// A fault of UNAVAILABLE that says when to come back.
void call_set_overloaded(struct fault *fault, const char *text);

// Plain HTTP answers, before any handler.
void call_answer_http(struct grpc_call *call, const char *http_status);
void call_answer_page(struct grpc_call *call, const struct grpc_page *page);

// Tells the handler, which has been overruled or orphaned. The call may be gone when it returns.
void call_cancel(struct grpc_call *call);

#endif
