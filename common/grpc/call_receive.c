// From DATA to the handler's callbacks: what is wrong with the messages of a request is found and answered
// here.
#include <string.h>

#include "common/grpc/call_gather.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/codec.h"
#include "common/grpc/connection_frames.h"

void call_refuse(struct grpc_call *call, struct refusal refusal) {
    enum status status = refusal.status == STATUS_MALFORMED ? call->protocol->malformed : refusal.status;
    call_overrule(call, status, refusal.reason, refusal.text);
}

bool call_start(struct grpc_call *call) {
    if (call->deadline_ns <= loop_get_monotonic_ns(call->home->loop)) {
        call_overrule(call, STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the call's deadline has passed");
        return false;
    }
    if (call->is_over_quota) {
        call_shed(call, CALL_LOOP_BEHIND_TEXT);
        return false;
    }
    if (!call->wire->start_work(call)) {
        call_shed(call, "too many calls of this connection are being worked on, or not read");
        return false;
    }
    call_move(call, CALL_STARTED);
    return true;
}

static void refuse_message(struct grpc_call *call, enum framing_result result) {
    if (result == FRAMING_BAD_FLAG)
        call_overrule(call, STATUS_INTERNAL, "MESSAGE_MALFORMED", "a message's flag is neither 0 nor 1");
    else if (result == FRAMING_TOO_LARGE)
        call_overrule(call, STATUS_TOO_LARGE, "MESSAGE_TOO_LARGE",
                      "the request is larger than this method accepts");
    else
        call_overrule(call, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
}

#define NO_ROOM_TEXT "requests that are not answered yet hold too much memory; try again later"

static bool hold(struct grpc_call *call, size_t bytes) {
    return request_memory_set(&call->home->server->request_memory, &call->share, bytes);
}

// A wire without a connection brings its requests whole.
static bool hold_arriving(struct grpc_call *call, size_t bytes) {
    return bytes == call->arriving.bytes ||
           arriving_memory_set(&call->home->server->arriving_memory, &call->connection->arriving,
                               &call->arriving, bytes);
}

void call_drop_arriving(struct grpc_call *call) {
    if (call->arriving.bytes == 0 || call->is_feeding)
        return;
    framing_fini(&call->framing);
    if (call->is_request_kept)
        buffer_fini(&call->request_buffer);
    (void)!hold_arriving(call, 0);
}

// The arena of a stream is not looked at: its handler's.
static bool hold_request(struct grpc_call *call) {
    size_t wire = framing_get_held_bytes(&call->framing) + call->request_buffer.capacity;
    size_t arriving = call->is_half_closed || !call_state_is_receiving(call->state) ? 0 : wire;
    size_t unpacked = call_takes_one_message(call) ? call->arena.used_bytes : 0;
    return hold_arriving(call, arriving) && hold(call, wire - arriving + unpacked + call->handler_bytes);
}

static void refuse_for_memory(struct grpc_call *call) {
    framing_fini(&call->framing);
    buffer_fini(&call->request_buffer);
    call_shed(call, NO_ROOM_TEXT);
}

static void count_request(struct grpc_call *call) {
    if (!call_state_is_receiving(call->state))
        call_drop_arriving(call);
    else if (!hold_request(call))
        refuse_for_memory(call);
}

static void refuse_for_inflation(struct grpc_call *call) {
    stats_add(&call->home->stats.calls_inflated, 1);
    call_shed(call, "what gzip makes of requests from this address is too much; try again later");
}

static void refuse_content(struct grpc_call *call, enum status status, const char *text) {
    const char *reason = status == STATUS_MALFORMED ? "MESSAGE_MALFORMED" : "MESSAGE_TOO_LARGE";
    call_refuse(call, (struct refusal){status, reason, text});
}

// False when it is refused, and answered.
static bool unpack(struct grpc_call *call, struct bytes message, struct arena *arena,
                   ProtobufCMessage **ret_message) {
    const char *text;
    enum status status = codec_unpack(call->codec, call->method->request, message, &call->home->server->json,
                                      arena, ret_message, &text);
    if (status != STATUS_OK)
        refuse_content(call, status, text);
    return status == STATUS_OK;
}

// For handlers with a decoder of their own. False as above.
static bool translate(struct grpc_call *call, struct bytes *message, struct arena *arena) {
    if (call->codec == CODEC_PROTO)
        return true;
    const char *text;
    enum status status =
        codec_to_wire(call->method->request, *message, &call->home->server->json, arena, message, &text);
    if (status != STATUS_OK)
        refuse_content(call, status, text);
    return status == STATUS_OK;
}

// Fields of two bytes become messages of their own.
static size_t estimate_unpacked(size_t len) {
    enum { UNPACKED_PER_BYTE = 128 };
    return len > CALL_ARENA_BYTES_MAX / UNPACKED_PER_BYTE ? CALL_ARENA_BYTES_MAX : len * UNPACKED_PER_BYTE;
}

// Room for the worst is taken before, what was not needed is given back after.
static void take_unpacked(struct grpc_call *call, struct bytes message) {
    if (!hold(call, call->share.bytes + estimate_unpacked(message.len)))
        refuse_for_memory(call);
    else if (unpack(call, message, &call->arena, &call->request))
        (void)!hold(call, call->arena.used_bytes);
}

static void take_wire(struct grpc_call *call, struct bytes message) {
    if (!translate(call, &message, &call->arena))
        return;
    if (!call->request_buffer.data)
        call->request_buffer = framing_take_body(&call->framing, message);
    call->request_bytes = message;
    if (call->request_buffer.data)
        return;
    const char *copy = arena_copy_bytes(&call->arena, message);
    if (copy)
        call->request_bytes = bytes_of(copy, message.len);
    else
        refuse_message(call, FRAMING_NO_MEMORY);
}

static void read_request(struct grpc_call *call, struct bytes message) {
    if (call->method->handler->on_message)
        take_unpacked(call, message);
    else
        take_wire(call, message);
}

static void keep_request(struct grpc_call *call, struct bytes message) {
    call->request_buffer = framing_take_body(&call->framing, message);
    if (!call->request_buffer.data)
        buffer_append(&call->request_buffer, message);
    call->is_request_kept = true;
    if (call->request_buffer.failed)
        refuse_message(call, FRAMING_NO_MEMORY);
}

static void read_kept_request(struct grpc_call *call) {
    call->is_request_kept = false;
    read_request(call, buffer_get_bytes(&call->request_buffer));
    if (call->method->handler->on_message)
        buffer_fini(&call->request_buffer);
}

// The one message of the request, which the handler hears of when the stream has ended. With its end in sight
// nothing need be kept but what is made of it; else only the message is, as that may take much less.
static void take_request(struct grpc_call *call, struct bytes message) {
    if (call->has_request) {
        call_overrule(call, STATUS_UNIMPLEMENTED, "MESSAGE_COUNT", "this method takes one message");
        return;
    }
    call->has_request = true;
    if (call->is_half_closed)
        read_request(call, message);
    else
        keep_request(call, message);
}

// A message of a stream.
static void deliver_part(struct grpc_call *call, struct bytes message) {
    const struct grpc_handler *handler = call->method->handler;
    ProtobufCMessage *unpacked;
    if (handler->on_bytes) {
        if (translate(call, &message, &call->message_arena))
            handler->on_bytes(call, message);
    } else if (unpack(call, message, &call->message_arena, &unpacked)) {
        handler->on_message(call, unpacked);
    }
    arena_reset(&call->message_arena); // it may be long until the next
}

static void deliver(struct grpc_call *call, struct bytes message) {
    stats_add(&call->home->methods[call->method_index].received, 1);
    if (call_takes_one_message(call))
        take_request(call, message);
    else
        deliver_part(call, message);
}

static void refuse_compressed(struct grpc_call *call, enum status status) {
    if (status == STATUS_TOO_LARGE)
        refuse_message(call, FRAMING_TOO_LARGE);
    else if (status == STATUS_NO_MEMORY)
        refuse_message(call, FRAMING_NO_MEMORY);
    else if (status == STATUS_EXHAUSTED)
        refuse_for_inflation(call);
    else
        call_refuse(call, (struct refusal){STATUS_MALFORMED, "MESSAGE_MALFORMED",
                                           "a message is not what gzip makes, or not as a whole"});
}

static bool may_inflate(void *context) {
    struct grpc_call *call = context;
    return peer_guard_may_inflate(&call->home->server->peer_guard, &call->peer,
                                  loop_get_monotonic_ns(call->home->loop));
}

static void deliver_compressed(struct grpc_call *call, struct bytes message) {
    struct buffer plain = {0};
    const struct inflate_limit limit = {call->framing.max_length, message.len * FLOOD_INFLATION_FREE,
                                        may_inflate, call};
    enum status status = compression_inflate(&call->home->compression, message, &limit, &plain);
    if (call->connection)
        connection_frames_note_inflated(call->connection, message.len,
                                        status == STATUS_OK ? plain.len : call->framing.max_length);
    if (status == STATUS_OK)
        deliver(call, buffer_get_bytes(&plain));
    else
        refuse_compressed(call, status);
    buffer_fini(&plain);
}

static bool has_encoding(const struct grpc_call *call) {
    return call->head.encodings[call->protocol->encoding_family].encoding == MESSAGE_ENCODING_GZIP;
}

// What was taken of it is left where it is until that is half of it: so each byte is moved once at most.
static void forget_taken(struct grpc_call *call) {
    if (call->held_at < call->held.len / 2)
        return;
    buffer_consume(&call->held, call->held_at);
    call->held_at = 0;
}

// Keeps what the handler, which has paused, does not take now.
static void keep(struct grpc_call *call, struct bytes rest) {
    forget_taken(call);
    if (rest.len > 0)
        buffer_append(&call->held, rest);
    if (call->held.failed)
        refuse_message(call, FRAMING_NO_MEMORY);
}

static bool takes_more(const struct grpc_call *call) {
    return call_state_is_receiving(call->state) && !call->is_paused;
}

enum status grpc_call_hold_memory(struct grpc_call *call, size_t bytes) {
    call->handler_bytes = bytes;
    if (hold_request(call))
        return STATUS_OK;
    call_set_overloaded(&call->fault, NO_ROOM_TEXT);
    return STATUS_UNAVAILABLE;
}

// why also by what it is: grpc-core 29 (grpcio 1.51) sends what it has compressed without the flag when it
// sends it again, behind GOAWAY. Taken for what it says it is no message could be read, so nobody else is
// misunderstood.
static bool is_compressed(const struct grpc_call *call, struct bytes message) {
    return call->framing.is_compressed || (has_encoding(call) && compression_is_gzip(message));
}

// Takes from the front of `*data` until it is used up or the call takes no more.
static void feed(struct grpc_call *call, struct bytes *data) {
    call->is_feeding = true;
    while (takes_more(call)) {
        struct bytes message;
        enum framing_result result = framing_read(&call->framing, data, &message);
        if (result == FRAMING_MORE)
            break;
        if (result != FRAMING_MESSAGE)
            refuse_message(call, result);
        else if (!is_compressed(call, message))
            deliver(call, message);
        else if (has_encoding(call))
            deliver_compressed(call, message);
        else
            call_overrule(call, STATUS_INTERNAL, "MESSAGE_MALFORMED",
                          "a message is compressed, and no header field says how");
    }
    call->is_feeding = false;
    framing_trim(&call->framing);
    count_request(call);
}

// All that has come is the message.
static void take_bare(struct grpc_call *call) {
    struct bytes message = call->get_message.data ? call->get_message : framing_get_bare(&call->framing);
    if (has_encoding(call))
        deliver_compressed(call, message);
    else
        deliver(call, message);
}

static void hand_over(struct grpc_call *call) {
    const struct grpc_handler *handler = call->method->handler;
    if (handler->on_bytes)
        handler->on_bytes(call, call->request_bytes);
    else
        handler->on_message(call, call->request);
}

static void start_one_message(struct grpc_call *call) {
    if (!call->has_request)
        call_overrule(call, STATUS_UNIMPLEMENTED, "MESSAGE_COUNT", "this method takes one message");
    else if (call->method->handler->on_requests)
        call_gather_add(call);
    else if (call_start(call))
        hand_over(call);
}

// Of a request whose end was not in sight when the rest had come. It has come whole with it.
static void read_rest(struct grpc_call *call) {
    if (call->protocol->is_bare)
        take_bare(call);
    else if (call->is_request_kept)
        read_kept_request(call);
    else
        return;
    count_request(call);
}

// The client's side has ended and all of it has been taken.
static void end_input(struct grpc_call *call) {
    call->is_half_close_told = true;
    read_rest(call);
    if (!call_state_is_receiving(call->state))
        return;
    if (!framing_is_at_boundary(&call->framing))
        call_overrule(call, STATUS_INTERNAL, "MESSAGE_MALFORMED", "the stream has ended inside a message");
    else if (call_takes_one_message(call))
        start_one_message(call);
    else if (call->method->handler->on_half_close)
        call->method->handler->on_half_close(call);
}

void call_on_data(struct grpc_call *call, struct bytes data, bool is_last) {
    // The frame's flag is known before its end is reported: no need to open the stream's window again.
    bool was_half_closed = call->is_half_closed;
    call->is_half_closed = is_last;
    if (!takes_more(call) && call_state_is_receiving(call->state)) {
        call->is_half_closed = was_half_closed;
        keep(call, data);
        return;
    }
    struct bytes rest = data;
    if (takes_more(call))
        feed(call, &rest);
    if (!call_state_is_receiving(call->state))
        rest.len = 0;
    call->wire->consume(call, data.len - rest.len);
    call->is_half_closed = was_half_closed;
    keep(call, rest);
}

void call_on_half_close(struct grpc_call *call) {
    call->is_half_closed = true;
    if (call->state == CALL_HEADERS)
        call_answer_late(call);
    else if (takes_more(call) && call->held.len == 0)
        end_input(call);
}

static void put_back(struct grpc_call *call, struct buffer *held, size_t taken) {
    bool is_all = taken == held->len;
    if (is_all)
        buffer_fini(held);
    call->held = *held;
    call->held_at = is_all ? 0 : taken;
}

static void feed_held(struct grpc_call *call) {
    if (call->is_feeding)
        return;
    // In a copy of its own: on_message may pause, resume and finish.
    struct buffer held = call->held;
    struct bytes rest = buffer_get_bytes(&held);
    if (call->held_at > 0)
        rest = bytes_of(rest.data + call->held_at, rest.len - call->held_at);
    size_t len = rest.len;
    call->held = (struct buffer){0};
    call->held_at = 0;
    feed(call, &rest);
    if (!call_state_is_receiving(call->state))
        rest.len = 0;
    call->wire->consume(call, len - rest.len);
    put_back(call, &held, held.len - rest.len);
    call->wire->schedule(call);
    if (call->is_half_closed && !call->is_half_close_told && takes_more(call) && call->held.len == 0)
        end_input(call);
}

void grpc_call_pause(struct grpc_call *call) {
    call->is_paused = true;
}

void grpc_call_resume(struct grpc_call *call) {
    if (!call->is_paused)
        return;
    call->is_paused = false;
    if (call->state == CALL_RUNNING)
        feed_held(call);
}
