// A call from end to end: its headers, the connection it goes over, whether it may be sent once more, and the
// one table that says what each way of ending means to the caller.
#include "common/grpc/client.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/bytes.h"
#include "common/grpc/client_connection.h"
#include "common/grpc/client_response.h"
#include "common/grpc/client_target.h"
#include "common/grpc/framing.h"
#include "common/grpc/message.h"
#include "common/grpc/timeout.h"

#define CONNECT_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS 30000
#define RESPONSE_BYTES (4 << 20)
#define NS_PER_MS 1000000
#define OWN_FIELDS 9       // what every request has, see write_fields()
#define METADATA_FIELDS 16 // what a caller may add
#define ATTEMPTS 2

struct grpc_client {
    struct client_target target;
    struct grpc_client_options options;   // complete
    struct client_connection *connection; // NULL = none
};

static void fill_in_defaults(struct grpc_client_options *options) {
    if (options->connect_timeout_ms == 0)
        options->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (options->call_timeout_ms == 0)
        options->call_timeout_ms = CALL_TIMEOUT_MS;
    if (options->max_response_bytes == 0)
        options->max_response_bytes = RESPONSE_BYTES;
    if (!options->user_agent)
        options->user_agent = "latchkey/" LATCHKEY_VERSION;
    if (!options->clock)
        options->clock = clock_get_system();
}

enum status grpc_client_new(const char *target, const struct grpc_client_options *options,
                            struct grpc_client **ret_client, char *ret_error, size_t error_size) {
    struct client_target parsed;
    if (!client_target_parse(bytes_of_text(target), &parsed, ret_error, error_size))
        return STATUS_INVALID;
    struct grpc_client *client = calloc(1, sizeof(*client));
    if (!client) {
        snprintf(ret_error, error_size, "out of memory");
        return STATUS_NO_MEMORY;
    }
    client->target = parsed;
    client->options = *options;
    fill_in_defaults(&client->options);
    *ret_client = client;
    return STATUS_OK;
}

void grpc_client_free(struct grpc_client *client) {
    if (!client)
        return;
    client_connection_close(client->connection);
    free(client);
}

static void drop_connection(struct grpc_client *client) {
    client_connection_close(client->connection);
    client->connection = NULL;
}

static enum status ensure_connection(struct grpc_client *client, uint64_t deadline_ns, struct fault *fault) {
    if (client->connection && client_connection_is_usable(client->connection))
        return STATUS_OK;
    drop_connection(client);
    const struct clock *clock = client->options.clock;
    uint64_t connected_by_ns =
        clock_get_monotonic_ns(clock) + (uint64_t)client->options.connect_timeout_ms * NS_PER_MS;
    if (connected_by_ns > deadline_ns)
        connected_by_ns = deadline_ns;
    client->connection = client_connection_open(&client->target, connected_by_ns, clock, fault);
    return client->connection ? STATUS_OK : fault->status;
}

// One call under way; lives on the stack of grpc_client_call().
struct flight {
    struct grpc_client *client;
    const struct grpc_client_call *call;
    struct arena *arena;
    struct fault *fault;
    uint64_t deadline_ns;
    struct bytes body;
    struct client_field fields[OWN_FIELDS + METADATA_FIELDS];
    size_t field_count;
    char timeout[TIMEOUT_TEXT_MAX + 1];
};

static void add_field(struct flight *flight, const char *name, const char *value, bool is_secret) {
    flight->fields[flight->field_count++] = (struct client_field){
        .name = bytes_of_text(name), .value = bytes_of_text(value), .is_secret = is_secret};
}

static void write_fields(struct flight *flight) {
    const struct grpc_client *client = flight->client;
    const struct grpc_client_call *call = flight->call;
    uint64_t now_ns = clock_get_monotonic_ns(client->options.clock);
    timeout_format(flight->deadline_ns > now_ns ? flight->deadline_ns - now_ns : 0, flight->timeout);
    flight->field_count = 0;
    add_field(flight, ":method", "POST", false);
    add_field(flight, ":scheme", "http", false);
    add_field(flight, ":path", call->path, false);
    add_field(flight, ":authority", client->target.authority, false);
    add_field(flight, "te", "trailers", false);
    add_field(flight, "content-type", "application/grpc", false);
    add_field(flight, "grpc-accept-encoding", "identity", false);
    add_field(flight, "user-agent", client->options.user_agent, false);
    add_field(flight, "grpc-timeout", flight->timeout, false);
    for (size_t i = 0; i < call->metadata_count; i++)
        add_field(flight, call->metadata[i].key, call->metadata[i].value, true);
}

static bool pack(const ProtobufCMessage *request, struct arena *arena, struct bytes *ret_body) {
    struct bytes packed = message_pack(request, FRAMING_PREFIX_BYTES, arena);
    if (!packed.data || packed.len - FRAMING_PREFIX_BYTES > UINT32_MAX)
        return false;
    // The bytes are this call's own, in its arena: `struct bytes` only keeps others from writing.
    framing_write_prefix((uint8_t *)(uintptr_t)packed.data, (uint32_t)(packed.len - FRAMING_PREFIX_BYTES));
    *ret_body = packed;
    return true;
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
    [CLIENT_END_SILENT] =
        {STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_GRPC,
         "closed the connection without a word: it may want TLS, or speak another protocol"},
    [CLIENT_END_SPEAKS_HTTP1] = {STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_GRPC,
                                 "speaks HTTP/1, not gRPC: it may be an admin port, or another program"},
    [CLIENT_END_SPEAKS_TLS] = {STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_GRPC,
                               "takes only TLS, which this client does not speak"},
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

// Turns the end of the exchange into the call's: a message or the flight's fault.
static enum status judge(struct flight *flight, struct client_response *response, enum client_end end,
                         uint32_t error_code, ProtobufCMessage **ret_response) {
    const char *peer = flight->client->target.text;
    bool is_complete = end == CLIENT_END_COMPLETE || end == CLIENT_END_GIVEN_UP;
    // A server that has said its status before it heard all of the request resets the rest.
    if (is_complete || (end == CLIENT_END_RESET && response->has_code))
        return client_response_finish(response, peer, flight->call->response, ret_response, flight->fault);
    if (end == CLIENT_END_RESET)
        return fault_set(flight->fault, status_of_reset(error_code), GRPC_CLIENT_STREAM_RESET,
                         "%s reset the call (HTTP/2 error %u)", peer, (unsigned)error_code);
    return fault_set(flight->fault, meanings[end].status, meanings[end].reason, "%s %s", peer,
                     meanings[end].text);
}

// True when it is worth another attempt: the server certainly has not acted on this one.
static bool attempt(struct flight *flight, bool is_last, ProtobufCMessage **ret_response) {
    struct grpc_client *client = flight->client;
    if (ensure_connection(client, flight->deadline_ns, flight->fault) != STATUS_OK)
        return false;
    write_fields(flight);
    struct client_response response;
    client_response_init(&response, flight->arena, client->options.max_response_bytes);
    struct client_exchange exchange = {.fields = flight->fields,
                                       .field_count = flight->field_count,
                                       .body = flight->body,
                                       .sink = client_response_get_sink(&response),
                                       .deadline_ns = flight->deadline_ns};
    uint32_t error_code;
    enum client_end end = client_connection_exchange(client->connection, &exchange, &error_code);
    bool is_worth_another = end == CLIENT_END_UNSEEN && !is_last;
    if (!is_worth_another)
        judge(flight, &response, end, error_code, ret_response);
    client_response_fini(&response);
    return is_worth_another;
}

enum status grpc_client_call(struct grpc_client *client, const struct grpc_client_call *call,
                             struct arena *arena, ProtobufCMessage **ret_response, struct fault *fault) {
    assert(call->metadata_count <= METADATA_FIELDS && fault->status == STATUS_OK);
    int64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : client->options.call_timeout_ms;
    struct flight flight = {.client = client, .call = call, .arena = arena, .fault = fault};
    flight.deadline_ns = clock_get_monotonic_ns(client->options.clock) + (uint64_t)timeout_ms * NS_PER_MS;
    if (!pack(call->request, arena, &flight.body))
        return fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory for the request");
    for (int i = 1; i <= ATTEMPTS; i++)
        if (!attempt(&flight, i == ATTEMPTS, ret_response))
            break;
    return fault->status;
}
