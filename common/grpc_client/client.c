// A call from end to end: the attempts that it takes, and what the caller is told of them.
#include "common/grpc_client/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/bytes.h"
#include "common/base/random.h"
#include "common/crypto/tls_client.h"
#include "common/grpc_client/client_internal.h"
#include "common/grpc_client/client_request.h"
#include "common/grpc_client/client_response.h"
#include "common/grpc_client/client_retry.h"
#include "common/grpc_client/client_socket.h"

#define CONNECT_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS 30000
#define RESPONSE_BYTES (4 << 20)
#define KEEPALIVE_TIMEOUT_MS 20000
#define REASON_MAX 256
#define NS_PER_MS 1000000
#define UNSEEN_MAX 2 // attempts one after the other that no server has seen

// ---- making one ----

static void set_default(int64_t *value, int64_t value_if_zero) {
    if (*value == 0)
        *value = value_if_zero;
}

static void fill_in_defaults(struct grpc_client_options *options) {
    set_default(&options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    set_default(&options->call_timeout_ms, CALL_TIMEOUT_MS);
    set_default(&options->keepalive_timeout_ms, KEEPALIVE_TIMEOUT_MS);
    if (options->max_response_bytes == 0)
        options->max_response_bytes = RESPONSE_BYTES;
    if (!options->user_agent)
        options->user_agent = "latchkey/" LATCHKEY_VERSION;
    if (!options->clock)
        options->clock = clock_get_system();
}

static enum status make_tls(struct grpc_client *client, const struct client_targets *targets,
                            const struct grpc_client_tls *tls, char *ret_error, size_t error_size) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < targets->count && status == STATUS_OK; i++) {
        const struct client_target *target = &targets->all[i];
        const struct tls_client_options options = {.ca_file = tls->ca_file,
                                                   .certificate_file = tls->certificate_file,
                                                   .key_file = tls->key_file,
                                                   .server_name =
                                                       tls->server_name ? tls->server_name : target->host};
        if (!target->is_unix)
            status = tls_client_new(&options, &client->tls[i], ret_error, error_size);
    }
    return status;
}

// Takes `targets` where it succeeds.
static enum status make_channel(struct grpc_client *client, struct client_targets *targets, bool is_tls,
                                char *ret_error, size_t error_size) {
    const struct grpc_client_options *options = &client->options;
    const struct client_channel_options channel = {
        .clock = options->clock,
        .connect_timeout_ns = (uint64_t)options->connect_timeout_ms * NS_PER_MS,
        .keepalive_time_ns = (uint64_t)options->keepalive_time_ms * NS_PER_MS,
        .keepalive_timeout_ns = (uint64_t)options->keepalive_timeout_ms * NS_PER_MS,
        .user_agent = options->user_agent,
        .picking = service_config_get_picking(client->config),
        .health_service = service_config_find_health_service(client->config),
        .allow_plaintext = options->allow_plaintext};
    client->channel = client_channel_new(targets, is_tls ? client->tls : NULL, &channel);
    if (client->channel)
        return STATUS_OK;
    snprintf(ret_error, error_size, "out of memory");
    return STATUS_NO_MEMORY;
}

static enum status make_config(struct grpc_client *client, char *ret_error, size_t error_size) {
    const char *json = client->options.service_config;
    enum status status = STATUS_OK;
    if (json)
        status =
            service_config_parse(bytes_of_text(json), &client->arena, &client->config, ret_error, error_size);
    else
        client->config = service_config_get_default();
    if (status == STATUS_OK)
        client_throttle_init(&client->throttle, service_config_get_throttle(client->config));
    return status;
}

static bool read_target(const struct grpc_client *client, const char *target, struct client_targets *targets,
                        char *ret_error, size_t error_size) {
    char reason[REASON_MAX];
    bool is_read = client_targets_parse(bytes_of_text(target), targets, reason, sizeof(reason));
    if (is_read && targets->scheme == CLIENT_SCHEME_HTTP && client->options.tls) {
        snprintf(reason, sizeof(reason), "http:// is without TLS; type https:// or the address alone");
        is_read = false;
    }
    if (!is_read)
        snprintf(ret_error, error_size, "the address \"%s\": %s", target, reason);
    return is_read;
}

// All else that can fail; takes `targets` where it succeeds.
static enum status build(struct grpc_client *client, struct client_targets *targets, char *ret_error,
                         size_t error_size) {
    static const struct grpc_client_tls system_authorities;
    const struct grpc_client_tls *tls = client->options.tls;
    if (targets->scheme == CLIENT_SCHEME_HTTPS && !tls)
        tls = &system_authorities;
    enum status status = make_config(client, ret_error, error_size);
    if (status == STATUS_OK && tls)
        status = make_tls(client, targets, tls, ret_error, error_size);
    // What was borrowed for this function only.
    client->options.tls = NULL;
    client->options.service_config = NULL;
    return status == STATUS_OK ? make_channel(client, targets, tls != NULL, ret_error, error_size) : status;
}

enum status grpc_client_new(const char *target, const struct grpc_client_options *options,
                            struct grpc_client **ret_client, char *ret_error, size_t error_size) {
    struct client_targets *targets = calloc(1, sizeof(*targets));
    struct grpc_client *client = calloc(1, sizeof(*client));
    enum status status = STATUS_NO_MEMORY;
    snprintf(ret_error, error_size, "out of memory");
    if (!targets || !client)
        goto failed;
    arena_init(&client->arena, 0);
    client->options = *options;
    fill_in_defaults(&client->options);
    status = STATUS_INVALID;
    if (!read_target(client, target, targets, ret_error, error_size))
        goto failed;
    status = build(client, targets, ret_error, error_size);
    if (status != STATUS_OK)
        goto failed;
    *ret_client = client;
    return STATUS_OK;

failed:
    free(targets);
    grpc_client_free(client);
    return status;
}

void grpc_client_free(struct grpc_client *client) {
    if (!client)
        return;
    client_channel_free(client->channel);
    for (size_t i = 0; i < CLIENT_TARGETS_MAX; i++)
        tls_client_free(client->tls[i]);
    arena_fini(&client->arena);
    free(client);
}

// ---- one attempt ----

// One call under way; lives on the stack of grpc_client_call().
struct flight {
    struct grpc_client *client;
    const struct grpc_client_call *call;
    const struct service_config_method *method;
    struct arena *arena;
    uint64_t deadline_ns;
    struct bytes body;
    struct client_retry retry;
    unsigned unseen;               // attempts that no server has seen, since the last one that one may have
    struct client_outcome outcome; // of the last attempt
};

static uint64_t now_ns(const struct flight *flight) {
    return clock_get_monotonic_ns(flight->client->options.clock);
}

static uint32_t get_max_response_bytes(const struct flight *flight) {
    uint32_t own = flight->client->options.max_response_bytes, said = flight->method->max_response_bytes;
    return said > 0 && said < own ? said : own;
}

static void write_head(const struct flight *flight, const struct client_link *link,
                       struct client_request_head *ret_head) {
    const struct grpc_client_call *call = flight->call;
    uint64_t now = now_ns(flight);
    const struct client_request_options options = {
        .path = call->path,
        .authority = link->authority,
        .user_agent = flight->client->options.user_agent,
        .is_tls = link->is_tls,
        .has_timeout = true,
        .timeout_ns = flight->deadline_ns > now ? flight->deadline_ns - now : 0,
        .previous_attempts = flight->retry.attempts,
        .metadata = call->metadata,
        .metadata_count = call->metadata_count};
    client_request_write_head(ret_head, &options);
}

// Turns the end of the exchange into the attempt's: a message or `fault`, and what retries go by.
static void judge(struct flight *flight, const struct client_response *response,
                  const struct client_exchange *exchange, enum client_end end, const char *peer,
                  ProtobufCMessage **ret_response, struct fault *fault) {
    bool is_complete = end == CLIENT_END_COMPLETE || end == CLIENT_END_GIVEN_UP;
    // A server that has said its status before it heard all of the request resets the rest.
    bool is_answered = is_complete || (end == CLIENT_END_RESET && response->has_code);
    enum status status =
        is_answered ? client_response_finish(response, peer, flight->call->response, ret_response, fault)
                    : client_response_explain_end(end, exchange->error_code, peer, fault);
    bool has_said = is_answered && response->has_code;
    flight->outcome = (struct client_outcome){
        .code = has_said && response->code < GRPC_CODE_COUNT ? (enum grpc_code)response->code
                                                             : grpc_code_from_status(status),
        .is_unknown = status == STATUS_OUTCOME_UNKNOWN || (!has_said && end != CLIENT_END_UNSEEN),
        .is_committed = exchange->is_headed,
        .pushback = response->pushback,
        .pushback_ms = response->pushback_ms};
}

// Until the answer is there or the deadline has passed, which resets the stream.
static enum client_end wait_for_answer(const struct flight *flight, struct client_connection *connection,
                                       struct client_exchange *exchange) {
    enum client_wait waited = client_connection_wait(connection, exchange, NULL, NULL, flight->deadline_ns);
    if (waited == CLIENT_WAIT_TIMED_OUT) {
        client_connection_doubt(connection);
        return CLIENT_END_TIMED_OUT;
    }
    enum client_end end = client_connection_get_end(connection, exchange);
    // A server that keeps the deadline too may reset the stream before this side has looked at its clock.
    bool is_late = end == CLIENT_END_RESET && now_ns(flight) >= flight->deadline_ns;
    return is_late ? CLIENT_END_TIMED_OUT : end;
}

// False when no server has seen it.
static bool ask(struct flight *flight, const struct client_link *link, ProtobufCMessage **ret_response,
                struct fault *fault) {
    struct client_request_head head;
    struct client_response response;
    write_head(flight, link, &head);
    client_response_init(&response, flight->arena, get_max_response_bytes(flight));
    struct client_exchange exchange = {
        .sink = client_response_get_sink(&response), .unsent = flight->body, .is_last = true};
    client_connection_begin(link->connection, &exchange, head.fields, head.count);
    enum client_end end = wait_for_answer(flight, link->connection, &exchange);
    judge(flight, &response, &exchange, end, link->peer, ret_response, fault);
    client_connection_cancel(link->connection, &exchange);
    client_response_fini(&response);
    return end != CLIENT_END_UNSEEN;
}

enum next { NEXT_END, NEXT_ATTEMPT };

static enum next decide(struct flight *flight, bool is_seen, struct fault *fault) {
    uint64_t wait_ns;
    if (fault->status == STATUS_OK) {
        client_retry_on_success(&flight->retry);
        return NEXT_END;
    }
    flight->unseen = is_seen ? 0 : flight->unseen + 1;
    if (!is_seen && flight->unseen < UNSEEN_MAX)
        return NEXT_ATTEMPT;
    if (!client_retry_decide(&flight->retry, &flight->outcome, random_get_u64(), &wait_ns))
        return NEXT_END;
    uint64_t now = now_ns(flight);
    if (now >= flight->deadline_ns || wait_ns >= flight->deadline_ns - now)
        return NEXT_END;
    flight->unseen = 0;
    client_socket_wait(-1, 0, now + wait_ns, flight->client->options.clock);
    return NEXT_ATTEMPT;
}

static enum next attempt(struct flight *flight, ProtobufCMessage **ret_response, struct fault *fault) {
    bool is_patient = flight->call->wait_for_ready || flight->method->wait_for_ready;
    struct client_link link;
    enum status status =
        client_channel_get(flight->client->channel, is_patient ? CLIENT_WAITS : CLIENT_FAILS_FAST,
                           flight->deadline_ns, &link, fault);
    // The channel has its own pauses: trying harder is what wait_for_ready is for.
    if (status != STATUS_OK)
        return NEXT_END;
    bool is_seen = ask(flight, &link, ret_response, fault);
    return decide(flight, is_seen, fault);
}

// ---- the call ----

static uint64_t get_timeout_ns(const struct flight *flight) {
    int64_t timeout_ms =
        flight->call->timeout_ms > 0 ? flight->call->timeout_ms : flight->client->options.call_timeout_ms;
    if (flight->method->timeout_ms > 0 && flight->method->timeout_ms < timeout_ms)
        timeout_ms = flight->method->timeout_ms;
    return (uint64_t)timeout_ms * NS_PER_MS;
}

static const struct service_config_retry *get_policy(const struct flight *flight) {
    static const struct service_config_retry none;
    bool is_chosen = flight->client->config != service_config_get_default();
    return is_chosen || flight->call->is_repeatable ? &flight->method->retry : &none;
}

// What the attempts together mean: one whose outcome nobody knows is not made known by a later one that did
// not come through.
static const struct fault *choose(const struct fault *unknown, const struct fault *last) {
    bool is_open = unknown->status != STATUS_OK && last->status == STATUS_UNAVAILABLE;
    return is_open ? unknown : last;
}

static void run(struct flight *flight, ProtobufCMessage **ret_response, struct fault *fault) {
    struct fault unknown, last;
    enum next next;
    fault_init(&unknown, fault->arena);
    do {
        fault_init(&last, fault->arena);
        next = attempt(flight, ret_response, &last);
        if (last.status == STATUS_OUTCOME_UNKNOWN)
            unknown = last;
    } while (next == NEXT_ATTEMPT);
    *fault = *choose(&unknown, &last);
}

enum status grpc_client_call(struct grpc_client *client, const struct grpc_client_call *call,
                             struct arena *arena, ProtobufCMessage **ret_response, struct fault *fault) {
    assert(fault->status == STATUS_OK);
    struct flight flight = {.client = client, .call = call, .arena = arena};
    flight.method = service_config_get_method(client->config, bytes_of_text(call->path));
    flight.retry = (struct client_retry){.policy = get_policy(&flight),
                                         .throttle = &client->throttle,
                                         .repeatability = call->is_repeatable ? CLIENT_REPEAT_ALWAYS
                                                                              : CLIENT_REPEAT_IF_UNDONE};
    flight.deadline_ns = now_ns(&flight) + get_timeout_ns(&flight);
    if (!client_request_pack(call->request, arena, &flight.body))
        return fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory for the request");
    run(&flight, ret_response, fault);
    return fault->status;
}
