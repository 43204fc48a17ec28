// The client's half of gRPC over HTTP/2 for one answer: which headers matter, how many messages there may be,
// and what a peer that speaks HTTP/2 but not gRPC means by its HTTP status.
#include "common/grpc_client/client_response.h"

#include <nghttp2/nghttp2.h>

#include "common/grpc/status_code.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_status.h"
#include "common/protobuf/message.h"

#define HEADER_BYTES_MAX 65536 // far above what servers are told to send (8 KiB)
#define HTTP_STATUS_MAX 999
#define GRPC_STATUS_MAX 99

void client_response_init(struct client_response *response, struct arena *arena, uint32_t max_message_bytes) {
    *response = (struct client_response){.arena = arena};
    framing_init(&response->framing, max_message_bytes);
}

void client_response_fini(struct client_response *response) {
    framing_fini(&response->framing);
}

static bool give_up(struct client_response *response, const char *reason, const char *message) {
    response->given_up_reason = reason;
    response->given_up_message = message;
    return false;
}

static bool keep(struct client_response *response, struct bytes value, struct bytes *ret_kept) {
    char *copy = arena_copy_bytes(response->arena, value);
    if (!copy)
        return give_up(response, GRPC_CLIENT_RESPONSE_TOO_LARGE, "the answer does not fit into memory");
    *ret_kept = bytes_of(copy, value.len);
    return true;
}

static bool read_number(struct client_response *response, struct bytes value, uint64_t max,
                        uint32_t *ret_number) {
    uint64_t number;
    if (!bytes_parse_unsigned(value, max, &number))
        return give_up(response, GRPC_CLIENT_RESPONSE_MALFORMED, "the answer's status is no number");
    *ret_number = (uint32_t)number;
    return true;
}

// "application/grpc", also with a "+proto" or parameters behind it; "application/grpc-web" is another
// protocol.
static bool is_grpc(struct bytes content_type) {
    struct bytes type = BYTES_LITERAL("application/grpc");
    return bytes_has_prefix(content_type, type) &&
           (content_type.len == type.len || content_type.data[type.len] == '+' ||
            content_type.data[type.len] == ';');
}

static bool add_header(void *context, struct bytes name, struct bytes value) {
    struct client_response *response = context;
    response->header_bytes += (uint32_t)(name.len + value.len);
    if (response->header_bytes > HEADER_BYTES_MAX)
        return give_up(response, GRPC_CLIENT_RESPONSE_TOO_LARGE, "the answer's headers are too large");
    if (bytes_is_text(name, ":status"))
        return read_number(response, value, HTTP_STATUS_MAX, &response->http_status);
    if (bytes_is_text(name, "content-type"))
        response->has_grpc_content_type = is_grpc(value);
    if (bytes_is_text(name, "grpc-retry-pushback-ms"))
        response->pushback = client_pushback_parse(value, &response->pushback_ms);
    if (bytes_is_text(name, "grpc-message"))
        return keep(response, value, &response->message);
    if (bytes_is_text(name, "grpc-status-details-bin"))
        return keep(response, value, &response->details);
    if (!bytes_is_text(name, "grpc-status"))
        return true;
    response->has_code = read_number(response, value, GRPC_STATUS_MAX, &response->code);
    return response->has_code;
}

static bool add_message(struct client_response *response, struct bytes message) {
    if (response->framing.is_compressed)
        return give_up(response, GRPC_CLIENT_RESPONSE_MALFORMED,
                       "the answer is compressed, which was not asked for");
    if (response->on_message && !response->on_message(response->context, message))
        return give_up(response, GRPC_CLIENT_RESPONSE_TOO_LARGE, "the answer does not fit into memory");
    if (response->on_message)
        return true;
    if (response->message_count == 1)
        return give_up(response, GRPC_CLIENT_RESPONSE_MALFORMED, "the answer has more than one message");
    response->message_count++;
    return keep(response, message, &response->body);
}

static bool add_data(void *context, struct bytes data) {
    struct client_response *response = context;
    // The text beside an HTTP error says nothing that its status does not.
    if (!response->has_grpc_content_type)
        return true;
    while (data.len > 0) {
        struct bytes message;
        switch (framing_read(&response->framing, &data, &message)) {
        case FRAMING_MORE: return true;
        case FRAMING_MESSAGE:
            if (!add_message(response, message))
                return false;
            break;
        case FRAMING_TOO_LARGE:
            return give_up(response, GRPC_CLIENT_RESPONSE_TOO_LARGE,
                           "the answer is larger than this program takes");
        case FRAMING_NO_MEMORY:
            return give_up(response, GRPC_CLIENT_RESPONSE_TOO_LARGE, "the answer does not fit into memory");
        case FRAMING_BAD_FLAG:
        default:
            return give_up(response, GRPC_CLIENT_RESPONSE_MALFORMED,
                           "the answer's messages are framed wrongly");
        }
    }
    return true;
}

struct client_sink client_response_get_sink(struct client_response *response) {
    return (struct client_sink){.add_header = add_header, .add_data = add_data, .context = response};
}

// How the gRPC specification reads the status of a peer, mostly a proxy, that answered without grpc-status.
static enum grpc_code code_of_http(uint32_t http_status) {
    switch (http_status) {
    case 400: return GRPC_CODE_INTERNAL;
    case 401: return GRPC_CODE_UNAUTHENTICATED;
    case 403: return GRPC_CODE_PERMISSION_DENIED;
    case 404: return GRPC_CODE_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return GRPC_CODE_UNAVAILABLE;
    default: return GRPC_CODE_UNKNOWN;
    }
}

static enum status malformed(struct fault *fault, const char *peer, const char *what) {
    return fault_set(fault, STATUS_INTERNAL, GRPC_CLIENT_RESPONSE_MALFORMED, "%s broke the protocol: %s",
                     peer, what);
}

static enum status finish_without_status(const struct client_response *response, const char *peer,
                                         struct fault *fault) {
    if (response->has_grpc_content_type && response->http_status == 200)
        return malformed(fault, peer, "the answer ended without a status");
    return fault_set(fault, grpc_code_to_status(code_of_http(response->http_status)), GRPC_CLIENT_NOT_GRPC,
                     "%s answered with HTTP status %u instead of gRPC", peer,
                     (unsigned)response->http_status);
}

enum status client_response_judge(const struct client_response *response, const char *peer,
                                  struct fault *fault) {
    if (response->given_up_reason)
        return fault_set(fault, STATUS_INTERNAL, response->given_up_reason, "%s: %s", peer,
                         response->given_up_message);
    if (!response->has_code)
        return finish_without_status(response, peer, fault);
    if (response->code != GRPC_CODE_OK)
        return client_status_decode(response->code, response->message, response->details, fault);
    if (!framing_is_at_boundary(&response->framing))
        return malformed(fault, peer, "the answer's last message is not complete");
    return STATUS_OK;
}

enum status client_response_finish(const struct client_response *response, const char *peer,
                                   const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_message,
                                   struct fault *fault) {
    const char *why;
    if (client_response_judge(response, peer, fault) != STATUS_OK)
        return fault->status;
    if (response->message_count != 1)
        return malformed(fault, peer, "the answer has no message");
    if (message_unpack(type, response->body, response->arena, ret_message, &why) != STATUS_OK)
        return malformed(fault, peer, why);
    return STATUS_OK;
}

// What each end means, where the answer itself does not say it. The text follows the server's name.
static const struct {
    enum status status;
    const char *reason;
    const char *text;
} meanings[] = {
    [CLIENT_END_UNSEEN] = {STATUS_UNAVAILABLE, GRPC_CLIENT_CONNECTION_LOST,
                           "closed the connection before it had the request"},
    [CLIENT_END_LOST] =
        {STATUS_OUTCOME_UNKNOWN, GRPC_CLIENT_CONNECTION_LOST,
         "closed the connection before it answered: look whether what was asked for was done"},
    [CLIENT_END_TIMED_OUT] = {STATUS_DEADLINE_EXCEEDED, GRPC_CLIENT_DEADLINE, "did not answer in time"},
    [CLIENT_END_NOT_HTTP2] = {STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_GRPC, "does not speak gRPC"},
    [CLIENT_END_NO_MEMORY] = {STATUS_NO_MEMORY, "NO_MEMORY", "could not be asked: out of memory"},
};

// How the gRPC specification reads HTTP/2's error codes.
static enum status status_of_reset(uint32_t error_code) {
    switch (error_code) {
    case NGHTTP2_CANCEL: return STATUS_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM: return STATUS_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY: return STATUS_PERMISSION_DENIED;
    default: return STATUS_INTERNAL;
    }
}

enum status client_response_explain_end(enum client_end end, uint32_t error_code, const char *peer,
                                        struct fault *fault) {
    if (end == CLIENT_END_RESET)
        return fault_set(fault, status_of_reset(error_code), GRPC_CLIENT_STREAM_RESET,
                         "%s reset the call (HTTP/2 error %u)", peer, (unsigned)error_code);
    return fault_set(fault, meanings[end].status, meanings[end].reason, "%s %s", peer, meanings[end].text);
}
