// From header fields and DATA to the handler's callbacks: what is wrong with a request is found and answered
// here.
#include <string.h>

#include "common/grpc/call_internal.h"
#include "common/grpc/codec.h"
#include "common/grpc/connect_get.h"

static bool takes_one_message(const struct grpc_method *method) {
    return method->shape == GRPC_UNARY || method->shape == GRPC_SERVER_STREAM;
}

// ---- the header block ----

static bool is_page_of(const struct grpc_page *page, struct bytes path) {
    return page && bytes_is_text(bytes_split(&path, '?'), page->path);
}

// A GET of a method that allows it becomes what a POST of its message would be. True if it is one.
static bool take_get(struct grpc_call *call) {
    struct request_head *head = &call->head;
    struct bytes query = head->path;
    struct bytes path = bytes_split(&query, '?');
    size_t index;
    const struct grpc_method *method = router_find(call->home->server->router, path, &index);
    struct connect_get get;
    if (!method || !method->is_read_only || !connect_get_parse(query, &call->arena, &get))
        return false;
    head->path = path;
    head->content_type = (uint8_t)get.content_type;
    head->encodings[FAMILY_HTTP].encoding = (uint8_t)get.encoding;
    call->get_message = get.message;
    return true;
}

static bool may_be_get(const struct request_head *head) {
    return head->verb == VERB_GET && !head->is_too_large;
}

// why: clients of plain HTTP that are still sending take an answer for a failure of the connection.
static void refuse_late(struct grpc_call *call, const char *http_status, struct refusal refusal) {
    call->http_refusal = http_status;
    call->refusal = refusal;
    call_arm_deadline(call);
}

static void refuse_http(struct grpc_call *call, const char *http_status) {
    call->is_plain = true;
    refuse_late(call, http_status, (struct refusal){0});
}

// Requests of none of the protocols, or not enough so to be answered in its way. True when that is seen to.
static bool answer_foreign(struct grpc_call *call) {
    const struct request_head *head = &call->head;
    bool is_foreign = head->content_type == CONTENT_TYPE_FOREIGN;
    if (may_be_get(head) && take_get(call))
        return false;
    if (is_foreign && head->is_too_large)
        refuse_http(call, "431");
    else if (is_foreign && is_page_of(call->home->server->page, head->path))
        call->is_plain = true; // answered when the request has ended
    else if (head->verb != VERB_POST)
        refuse_http(call, "405");
    else if (is_foreign)
        refuse_http(call, "415");
    else
        return false;
    return true;
}

static struct refusal judge_timeout(const struct grpc_call *call) {
    const struct timeout_value *timeout = &call->head.timeouts[call->protocol->timeout_family];
    if (timeout->field == TIMEOUT_FIELD_INVALID)
        return (struct refusal){STATUS_MALFORMED, "TIMEOUT_MALFORMED",
                                call->protocol->timeout_family == FAMILY_GRPC
                                    ? "grpc-timeout is one to eight digits and one of H M S m u n"
                                    : "connect-timeout-ms is one to ten digits"};
    if (timeout->field == TIMEOUT_FIELD_VALID && timeout->ns == 0)
        return (struct refusal){STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
                                "the call's deadline has passed"};
    return (struct refusal){0};
}

static struct refusal judge_headers(const struct grpc_call *call) {
    const struct request_head *head = &call->head;
    if (head->is_too_large)
        return (struct refusal){STATUS_EXHAUSTED, "HEADERS_TOO_LARGE",
                                "the request's headers are over 16 KiB or 128 fields"};
    if (call->codec == CODEC_UNKNOWN)
        return (struct refusal){STATUS_UNIMPLEMENTED, "CODEC_UNKNOWN",
                                "messages are accepted as protobuf and as JSON"};
    if (!call->method)
        return (struct refusal){STATUS_UNIMPLEMENTED, "METHOD_UNKNOWN", "this server has no such method"};
    if (head->is_version_unknown)
        return (struct refusal){STATUS_MALFORMED, "VERSION_UNKNOWN", "connect-protocol-version is 1"};
    if (head->encodings[call->protocol->encoding_family].encoding == MESSAGE_ENCODING_UNKNOWN)
        return (struct refusal){STATUS_UNIMPLEMENTED, "ENCODING_UNKNOWN",
                                "messages are accepted plain and compressed by gzip"};
    return judge_timeout(call);
}

static void refuse(struct grpc_call *call, struct refusal refusal) {
    enum status status = refusal.status == STATUS_MALFORMED ? call->protocol->malformed : refusal.status;
    call_overrule(call, status, refusal.reason, refusal.text);
}

// Connect has a media type for unary calls, and another for the rest.
static bool fits_shape(const struct grpc_call *call) {
    bool is_unary = !call->method || call->method->shape == GRPC_UNARY;
    switch (content_type_get_protocol(call->head.content_type)) {
    case PROTOCOL_CONNECT_UNARY: return is_unary;
    case PROTOCOL_CONNECT_STREAM: return !is_unary || !call->method;
    default: return true;
    }
}

static void choose_protocol(struct grpc_call *call) {
    enum content_type type = call->head.content_type;
    call->protocol = &wire_protocols[content_type_get_protocol(type)];
    call->codec = content_type_get_codec(type);
    const struct encoding_fields *encoding = &call->head.encodings[call->protocol->encoding_family];
    call->may_compress = encoding->accepts_gzip && call->method && !call->method->never_compress;
}

// False, and answered, when it is too late, or the connection has as many handlers at work as it may have.
static bool start(struct grpc_call *call) {
    if (call->deadline_ns <= loop_get_monotonic_ns(call->home->loop)) {
        call_overrule(call, STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the call's deadline has passed");
        return false;
    }
    if (!call->wire->start_work(call)) {
        call_shed(call, "too many calls of this connection are being worked on, or not read");
        return false;
    }
    call_move(call, CALL_STARTED);
    return true;
}

static void refuse_headers(struct grpc_call *call, struct refusal refusal) {
    if (call->protocol->is_bare)
        refuse_late(call, NULL, refusal);
    else
        refuse(call, refusal);
}

void call_answer_late(struct grpc_call *call) {
    if (call->http_refusal)
        call_answer_http(call, call->http_refusal);
    else if (call->is_plain)
        call_answer_page(call, call->home->server->page);
    else
        refuse(call, call->refusal);
}

static void expect_messages(struct grpc_call *call) {
    uint32_t max_bytes = call->method->max_request_bytes;
    if (max_bytes == 0)
        max_bytes = (uint32_t)call->home->server->settings.max_request_bytes;
    if (call->protocol->is_bare)
        framing_reset_bare(&call->framing, max_bytes);
    else
        framing_reset(&call->framing, max_bytes);
}

void call_on_headers(struct grpc_call *call) {
    struct grpc_loop *home = call->home;
    const struct router *router = home->server->router;
    call->method_index = router_get_count(router); // of methods that are not there
    stats_add(&home->stats.calls_started, 1);
    if (answer_foreign(call))
        return;
    call->method = router_find(router, call->head.path, &call->method_index);
    if (!fits_shape(call)) {
        refuse_http(call, "415");
        return;
    }
    choose_protocol(call);
    stats_add(&home->methods[call->method_index].started, 1);
    call->is_counted = true;
    struct refusal refusal = judge_headers(call);
    if (refusal.status != STATUS_OK) {
        refuse_headers(call, refusal);
        return;
    }
    const struct grpc_method *method = call->method;
    expect_messages(call);
    call_move(call, CALL_MATCHED);
    call_arm_deadline(call);
    if (!takes_one_message(method) && start(call) && method->handler->on_start)
        method->handler->on_start(call);
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

static bool hold(struct grpc_call *call, size_t bytes) {
    return request_memory_set(&call->home->server->request_memory, &call->share, bytes);
}

static void refuse_for_memory(struct grpc_call *call) {
    framing_reset(&call->framing, 0);
    call_shed(call, "requests that are not answered yet hold too much memory; try again later");
}

static void refuse_content(struct grpc_call *call, enum status status, const char *text) {
    const char *reason = status == STATUS_MALFORMED ? "MESSAGE_MALFORMED" : "MESSAGE_TOO_LARGE";
    refuse(call, (struct refusal){status, reason, text});
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
    const char *copy = arena_copy_bytes(&call->arena, message);
    if (copy)
        call->request_bytes = bytes_of(copy, message.len);
    else
        refuse_message(call, FRAMING_NO_MEMORY);
}

// The one message of the request. It is unpacked at once, so that nothing of it need be kept; the handler
// hears of it when the stream has ended.
static void take_request(struct grpc_call *call, struct bytes message) {
    if (call->has_request) {
        call_overrule(call, STATUS_UNIMPLEMENTED, "MESSAGE_COUNT", "this method takes one message");
        return;
    }
    call->has_request = true;
    if (!call->method->handler->on_bytes) {
        take_unpacked(call, message);
        return;
    }
    take_wire(call, message);
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
    if (takes_one_message(call->method))
        take_request(call, message);
    else
        deliver_part(call, message);
}

static void refuse_compressed(struct grpc_call *call, enum status status) {
    if (status == STATUS_TOO_LARGE)
        refuse_message(call, FRAMING_TOO_LARGE);
    else if (status == STATUS_NO_MEMORY)
        refuse_message(call, FRAMING_NO_MEMORY);
    else
        refuse(call, (struct refusal){STATUS_MALFORMED, "MESSAGE_MALFORMED",
                                      "a message is not what gzip makes, or not as a whole"});
}

static void deliver_compressed(struct grpc_call *call, struct bytes message) {
    struct buffer plain = {0};
    enum status status =
        compression_inflate(&call->home->compression, message, call->framing.max_length, &plain);
    if (status == STATUS_OK)
        deliver(call, buffer_get_bytes(&plain));
    else
        refuse_compressed(call, status);
    buffer_fini(&plain);
}

static bool has_encoding(const struct grpc_call *call) {
    return call->head.encodings[call->protocol->encoding_family].encoding == MESSAGE_ENCODING_GZIP;
}

// Keeps what the handler, which has paused, does not take now.
static void keep(struct grpc_call *call, struct bytes rest) {
    if (rest.len > 0)
        buffer_append(&call->held, rest);
}

static bool takes_more(const struct grpc_call *call) {
    return call_state_is_receiving(call->state) && !call->is_paused;
}

// What has come of a message that is not complete. The arena of a stream is not looked at: its handler's.
static void hold_cut_message(struct grpc_call *call) {
    framing_trim(&call->framing);
    if (!call_state_is_receiving(call->state))
        return;
    size_t taken = takes_one_message(call->method) ? call->arena.used_bytes : 0;
    if (!hold(call, taken + call->framing.body.capacity))
        refuse_for_memory(call);
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
        else if (!call->framing.is_compressed)
            deliver(call, message);
        else if (has_encoding(call))
            deliver_compressed(call, message);
        else
            call_overrule(call, STATUS_INTERNAL, "MESSAGE_MALFORMED",
                          "a message is compressed, and no header field says how");
    }
    call->is_feeding = false;
    hold_cut_message(call);
}

// All that has come is the message.
static void take_bare(struct grpc_call *call) {
    struct bytes message = call->get_message.data ? call->get_message : framing_get_bare(&call->framing);
    if (has_encoding(call))
        deliver_compressed(call, message);
    else
        deliver(call, message);
}

static void start_one_message(struct grpc_call *call) {
    const struct grpc_handler *handler = call->method->handler;
    if (!call->has_request) {
        call_overrule(call, STATUS_UNIMPLEMENTED, "MESSAGE_COUNT", "this method takes one message");
        return;
    }
    if (!start(call))
        return;
    if (handler->on_bytes)
        handler->on_bytes(call, call->request_bytes);
    else
        handler->on_message(call, call->request);
}

// The client's side has ended and all of it has been taken.
static void end_input(struct grpc_call *call) {
    call->is_half_close_told = true;
    if (call->protocol->is_bare)
        take_bare(call);
    if (!call_state_is_receiving(call->state))
        return;
    if (!framing_is_at_boundary(&call->framing))
        call_overrule(call, STATUS_INTERNAL, "MESSAGE_MALFORMED", "the stream has ended inside a message");
    else if (takes_one_message(call->method))
        start_one_message(call);
    else if (call->method->handler->on_half_close)
        call->method->handler->on_half_close(call);
}

void call_on_data(struct grpc_call *call, struct bytes data, bool is_last) {
    // The frame's flag is known before its end is reported: no need to open the stream's window again.
    bool was_half_closed = call->is_half_closed;
    call->is_half_closed = is_last;
    if (!takes_more(call) && call_state_is_receiving(call->state)) {
        buffer_append(&call->held, data);
        if (call->held.failed)
            refuse_message(call, FRAMING_NO_MEMORY);
        call->is_half_closed = was_half_closed;
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

void call_feed_held(struct grpc_call *call) {
    if (call->is_feeding)
        return;
    // In a copy of its own: on_message may pause, resume and finish.
    struct buffer held = call->held;
    call->held = (struct buffer){0};
    struct bytes rest = buffer_get_bytes(&held);
    feed(call, &rest);
    if (!call_state_is_receiving(call->state))
        rest.len = 0;
    call->wire->consume(call, held.len - rest.len);
    keep(call, rest);
    buffer_fini(&held);
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
        call_feed_held(call);
}
