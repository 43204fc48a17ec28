// From a request's header block to its method, protocol and codec, or to a refusal.
#include "common/grpc/call_internal.h"
#include "common/grpc/connect_get.h"

static bool is_page_of(const struct grpc_page *page, struct bytes path) {
    return page && bytes_is_text(bytes_split(&path, '?'), page->path);
}

// NULL if there is none for this caller.
static const struct grpc_method *find_method(const struct grpc_call *call, struct bytes path,
                                             size_t *ret_index) {
    size_t index;
    const struct grpc_method *method = router_find(call->home->server->router, path, &index);
    if (!method || (method->is_internal && call->connection))
        return NULL;
    *ret_index = index;
    return method;
}

// A GET of a method that allows it becomes what a POST of its message would be. True if it is one.
static bool take_get(struct grpc_call *call) {
    struct request_head *head = &call->head;
    struct bytes query = head->path;
    struct bytes path = bytes_split(&query, '?');
    size_t index;
    const struct grpc_method *method = find_method(call, path, &index);
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
    if (head->is_version_unknown && call->protocol->timeout_family == FAMILY_CONNECT)
        return (struct refusal){STATUS_MALFORMED, "VERSION_UNKNOWN", "connect-protocol-version is 1"};
    if (head->encodings[call->protocol->encoding_family].encoding == MESSAGE_ENCODING_UNKNOWN)
        return (struct refusal){STATUS_UNIMPLEMENTED, "ENCODING_UNKNOWN",
                                "messages are accepted plain and compressed by gzip"};
    return judge_timeout(call);
}

// Connect has a media type for unary calls, and another for the rest.
static bool fits_shape(const struct grpc_call *call) {
    if (!call->method || call->protocol->timeout_family != FAMILY_CONNECT)
        return true;
    return call->protocol->is_bare == (call->method->shape == GRPC_UNARY);
}

static void choose_protocol(struct grpc_call *call) {
    enum content_type type = call->head.content_type;
    call->protocol = &wire_protocols[content_type_get_protocol(type)];
    call->codec = content_type_get_codec(type);
    const struct encoding_fields *encoding = &call->head.encodings[call->protocol->encoding_family];
    call->may_compress = encoding->accepts_gzip && call->method && !call->method->never_compress;
}

static void refuse_headers(struct grpc_call *call, struct refusal refusal) {
    if (call->protocol->is_bare)
        refuse_late(call, NULL, refusal);
    else
        call_refuse(call, refusal);
}

void call_answer_late(struct grpc_call *call) {
    if (call->http_refusal)
        call_answer_http(call, call->http_refusal);
    else if (call->is_plain)
        call_answer_page(call, call->home->server->page);
    else
        call_refuse(call, call->refusal);
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
    call->method = find_method(call, call->head.path, &call->method_index);
    choose_protocol(call);
    if (!fits_shape(call)) {
        refuse_http(call, "415");
        return;
    }
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
    if (call_takes_one_message(call) || !call_start(call))
        return;
    if (method->handler->on_start)
        method->handler->on_start(call);
    if (call->connection && call->connection->is_draining)
        call_on_drain(call);
}
