#include "common/app/http_exchange.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/http_call.h"
#include "common/app/http_head.h"
#include "common/app/http_origin.h"
#include "common/app/http_work.h"
#include "common/base/buffer.h"

enum {
    ARENA_BYTES_MAX = 72 * 1024 * 1024, // the largest body and its answer, and then some
    SWALLOWED_PARTS = 2,                // of a body without a length that turns out too long
};

enum exchange_state { EXCHANGE_NEW, EXCHANGE_RECEIVING, EXCHANGE_ASKED, EXCHANGE_ANSWERED };

struct http_exchange {
    struct http_door *door;
    struct MHD_Connection *connection;
    struct http_connection *watched;
    const struct http_route *route;
    const char *methods; // that it is for; NULL = any
    struct http_route_counters *counters;
    enum exchange_state state;
    bool is_head_bad; // a header field that none should be
    bool is_head_too_large;
    size_t body_seen;
    struct buffer body;
    struct arena arena;
    struct http_request request;
    struct local_request call_request;
    struct local_call *call;
    struct http_work work; // in place of the call
    struct local_response response;
    struct http_answer answer;
};

static void enter(struct http_exchange *exchange, enum http_phase phase) {
    http_watch_enter(exchange->door->watch, exchange->watched, phase,
                     phase == HTTP_ASKED ? exchange->call : NULL);
}

// ---- refusals ----

struct refusal {
    unsigned status;
    const char *code, *text;
};

static const struct refusal head_too_large = {MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "resource_exhausted",
                                              "the request's headers are over 16 KiB or 128 fields"};
static const struct refusal head_bad = {MHD_HTTP_BAD_REQUEST, "invalid_argument",
                                        "the request's headers are not what HTTP allows"};
static const struct refusal origin_foreign = {
    MHD_HTTP_FORBIDDEN, "permission_denied",
    "pages of this origin may not ask; --http-allow-origins lists those that may"};
static const struct refusal method_wrong = {
    MHD_HTTP_METHOD_NOT_ALLOWED, "unknown",
    "this path is not for this method; `allow` lists those that it is for"};
static const struct refusal body_too_large = {MHD_HTTP_CONTENT_TOO_LARGE, "resource_exhausted",
                                              "the body is larger than this path or --http-max-body allows"};
static const struct refusal overloaded = {
    MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable",
    "too many requests are being worked on, or this server is stopping"};
static const struct refusal no_memory = {MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable", "out of memory"};
static const struct refusal call_lost = {MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable",
                                         "the call was lost; ask again"};

static void refuse(struct http_exchange *exchange, const struct refusal *refusal) {
    const struct http_request *request = &exchange->request;
    struct http_answer *answer = &exchange->answer;
    http_answer_refuse(request, answer, refusal->status, refusal->code, "%s", refusal->text);
    if (refusal->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        http_answer_add(request, answer, "retry-after", BYTES_LITERAL("1"));
    if (refusal->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        http_answer_add(request, answer, "allow", bytes_of_text(exchange->methods));
}

// ---- the answer ----

// What libmicrohttpd says itself, and what every answer says.
static bool is_own_field(struct bytes name) {
    static const char *const names[] = {"content-length", "transfer-encoding", "connection", "date",
                                        "cache-control"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (bytes_is_text(name, names[i]))
            return true;
    return false;
}

// Of its connection: behind a head that is not clear there may stand anything.
static bool is_last(const struct http_exchange *exchange) {
    return exchange->is_head_bad || http_door_is_leaving(exchange->door);
}

static void add_fields_of_site(const struct http_site *site, struct MHD_Response *response) {
    for (size_t i = 0; i < site->field_count; i++)
        if (site->fields[i].value)
            MHD_add_response_header(response, site->fields[i].name, site->fields[i].value);
}

static void add_fields(const struct http_exchange *exchange, struct MHD_Response *response) {
    for (const struct metadata_field *field = exchange->answer.fields.first; field; field = field->next)
        if (!is_own_field(field->name))
            MHD_add_response_header(response, (const char *)field->name.data,
                                    (const char *)field->value.data);
    add_fields_of_site(exchange->door->options.site, response);
    const char *cache_control = exchange->answer.cache_control;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            cache_control ? cache_control : "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (is_last(exchange))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result send_answer(struct http_exchange *exchange) {
    struct http_answer *answer = &exchange->answer;
    if (answer->status == 0 || answer->status >= HTTP_STATUS_LIMIT)
        refuse(exchange, &call_lost);
    if (exchange->route->refuses_foreign_origins)
        http_origin_add(exchange->door->options.settings->allow_origins, &exchange->request, answer);
    exchange->state = EXCHANGE_ANSWERED;
    enter(exchange, HTTP_ANSWERING);
    // The exchange outlives what is sent of it.
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.len, (void *)answer->body.data, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    add_fields(exchange, response);
    atomic_fetch_add_explicit(&exchange->counters->answered[answer->status], 1, memory_order_relaxed);
    enum MHD_Result queued = MHD_queue_response(exchange->connection, answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result send_refusal(struct http_exchange *exchange, const struct refusal *refusal) {
    refuse(exchange, refusal);
    return send_answer(exchange);
}

// ---- the head ----

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len) {
    (void)kind;
    struct http_exchange *exchange = context;
    enum http_head head =
        http_head_add(&exchange->request, bytes_of(name, name_len), bytes_of(value, value_len));
    exchange->is_head_bad |= head == HTTP_HEAD_BAD;
    exchange->is_head_too_large |= head == HTTP_HEAD_TOO_LARGE;
    return head == HTTP_HEAD_TOO_LARGE ? MHD_NO : MHD_YES;
}

// NULL: there is none that can be called from here.
static const struct grpc_method *find_method(const struct http_exchange *exchange) {
    size_t ignored;
    const struct router *router = grpc_server_get_router(exchange->door->options.server);
    const struct grpc_method *method = router_find(router, exchange->request.path, &ignored);
    return method && method->shape == GRPC_UNARY ? method : NULL;
}

// Paths come first, then the methods, then the rest.
static void find_route(struct http_exchange *exchange) {
    struct http_door *door = exchange->door;
    const struct grpc_method *method = NULL;
    size_t services = door->route_count - HTTP_OWN_ROUTES, i = 0;
    while (i < services && !bytes_is_text(exchange->request.path, door->routes[i]->path))
        i++;
    if (i == services && !(method = find_method(exchange)))
        i++;
    exchange->route = door->routes[i];
    bool is_read = method && method->is_read_only && exchange->route->read_methods;
    exchange->methods = is_read ? exchange->route->read_methods : exchange->route->methods;
    exchange->request.context = exchange->route->context;
    exchange->counters = &door->counters[i];
}

static bool lists_method(const char *methods, const char *method) {
    struct bytes rest = bytes_of_text(methods);
    while (rest.data)
        if (bytes_is_text(bytes_trim(bytes_split(&rest, ',')), method))
            return true;
    return methods == NULL;
}

static bool is_preflight(const struct http_exchange *exchange) {
    return exchange->route->refuses_foreign_origins && http_origin_is_preflight(&exchange->request);
}

static size_t get_max_body(const struct http_exchange *exchange) {
    size_t of_door = (size_t)exchange->door->options.settings->max_body_bytes;
    size_t of_route = exchange->route->max_body_bytes;
    return of_route > 0 && of_route < of_door ? of_route : of_door;
}

// NULL where nothing is wrong with it.
static const struct refusal *judge_head(const struct http_exchange *exchange) {
    const struct http_settings *settings = exchange->door->options.settings;
    const struct http_request *request = &exchange->request;
    const struct http_route *route = exchange->route;
    if (exchange->is_head_too_large)
        return &head_too_large;
    if (exchange->is_head_bad)
        return &head_bad;
    if (route->refuses_foreign_origins && !http_origin_is_allowed(settings->allow_origins, request))
        return &origin_foreign;
    if (!is_preflight(exchange) && !lists_method(exchange->methods, request->method))
        return &method_wrong;
    return http_head_get_length(request) > get_max_body(exchange) ? &body_too_large : NULL;
}

static void read_head(struct http_exchange *exchange, const char *method) {
    struct http_request *request = &exchange->request;
    request->method = arena_copy_text(&exchange->arena, method);
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, on_field, exchange);
    exchange->is_head_too_large |= !request->method;
    exchange->is_head_bad |= !http_head_is_framing_clear(request);
}

static enum MHD_Result begin(struct http_exchange *exchange, const char *method) {
    read_head(exchange, method);
    const struct refusal *refusal = judge_head(exchange);
    if (refusal)
        return send_refusal(exchange, refusal);
    if (is_preflight(exchange)) {
        http_origin_answer_preflight(&exchange->request, exchange->methods, &exchange->answer);
        return send_answer(exchange);
    }
    exchange->state = EXCHANGE_RECEIVING;
    return MHD_YES;
}

// ---- the body ----

// why swallowed at first: an answer that comes before the body's end is lost to a client that still sends.
static enum MHD_Result take(struct http_exchange *exchange, struct bytes piece) {
    exchange->body_seen += piece.len;
    if (exchange->body_seen > SWALLOWED_PARTS * exchange->body.limit)
        return MHD_NO;
    if (!exchange->body.failed)
        buffer_append(&exchange->body, piece);
    return MHD_YES;
}

// ---- the call ----

// On the loop. The exchange may be gone when the connection has been resumed.
static void on_done(void *context, const struct local_response *response) {
    struct http_exchange *exchange = context;
    struct http_door *door = exchange->door;
    (void)!http_call_keep_response(response, &exchange->arena, &exchange->response);
    enter(exchange, HTTP_ANSWERING);
    MHD_resume_connection(exchange->connection);
    http_door_give_place_back(door);
}

static enum MHD_Result call(struct http_exchange *exchange) {
    struct http_door *door = exchange->door;
    if (!http_door_take_place(door))
        return send_refusal(exchange, &overloaded);
    if (local_call_new(door->options.server, http_call_choose_loop(door), &exchange->call_request, on_done,
                       exchange, &exchange->call) != STATUS_OK) {
        http_door_give_place_back(door);
        return send_refusal(exchange, &no_memory);
    }
    exchange->state = EXCHANGE_ASKED;
    MHD_suspend_connection(exchange->connection);
    enter(exchange, HTTP_ASKED);
    local_call_begin(exchange->call);
    // why: where the loop shares the core it would wait until this thread has used up its time, which others
    // who send may fill.
    sched_yield();
    return MHD_YES;
}

// On a thread of the door's. The exchange may be gone when the connection has been resumed.
static void on_work(struct http_work *work) {
    struct http_exchange *exchange = CONTAINER_OF(work, struct http_exchange, work);
    exchange->route->work(&exchange->request, &exchange->answer);
    enter(exchange, HTTP_ANSWERING);
    MHD_resume_connection(exchange->connection);
}

// Once it has begun it is done, also for a client that goes.
static enum MHD_Result work(struct http_exchange *exchange) {
    exchange->work.run = on_work;
    exchange->work.share = exchange->route->share;
    exchange->state = EXCHANGE_ASKED;
    MHD_suspend_connection(exchange->connection);
    enter(exchange, HTTP_WORKED_ON);
    if (http_work_begin(exchange->door, &exchange->work))
        return MHD_YES;
    refuse(exchange, &overloaded);
    enter(exchange, HTTP_ANSWERING);
    MHD_resume_connection(exchange->connection);
    return MHD_YES;
}

static enum MHD_Result complete(struct http_exchange *exchange) {
    const struct http_route *route = exchange->route;
    struct http_request *request = &exchange->request;
    if (exchange->body.failed)
        return send_refusal(exchange, &body_too_large);
    request->body = buffer_get_bytes(&exchange->body);
    exchange->call_request.peer = request->peer;
    exchange->call_request.is_local = request->is_local;
    if (!route->ask(request, &exchange->call_request, &exchange->answer))
        return send_answer(exchange);
    return route->work ? work(exchange) : call(exchange);
}

// Resumed: on_done() has left the response.
static enum MHD_Result tell(struct http_exchange *exchange) {
    if (exchange->response.http_status != 0)
        exchange->route->tell(&exchange->request, &exchange->response, &exchange->answer);
    return send_answer(exchange);
}

enum MHD_Result http_exchange_go_on(struct http_exchange *exchange, const char *method, const char *piece,
                                    size_t *piece_size) {
    struct bytes bytes = bytes_of(piece, *piece_size);
    switch (exchange->state) {
    case EXCHANGE_NEW: return begin(exchange, method);
    case EXCHANGE_RECEIVING:
        *piece_size = 0;
        return bytes.len > 0 ? take(exchange, bytes) : complete(exchange);
    case EXCHANGE_ASKED: return tell(exchange);
    default: return MHD_NO;
    }
}

// ---- its life ----

static void read_peer(struct http_request *request, struct MHD_Connection *connection) {
    static const struct ip_address loopback_v6 = {.family = IP_FAMILY_V6, .bytes[15] = 1};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return;
    request->peer = ip_address_from_sockaddr(info->client_addr);
    request->is_local = request->peer.family == IP_FAMILY_V4
                            ? request->peer.bytes[0] == 127
                            : ip_address_is_equal(&request->peer, &loopback_v6);
}

struct http_exchange *http_exchange_new(struct http_door *door, struct MHD_Connection *connection,
                                        const char *uri) {
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return NULL;
    arena_init(&exchange->arena, ARENA_BYTES_MAX);
    struct http_request *request = &exchange->request;
    const char *copy = arena_copy_text(&exchange->arena, uri);
    if (!copy) {
        free(exchange);
        return NULL;
    }
    exchange->door = door;
    exchange->connection = connection;
    exchange->watched =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request->arena = &exchange->arena;
    request->door = door;
    http_head_set_uri(request, bytes_of_text(copy));
    metadata_init(&request->fields);
    metadata_init(&exchange->answer.fields);
    metadata_init(&exchange->call_request.fields);
    read_peer(request, connection);
    find_route(exchange);
    exchange->body.limit = get_max_body(exchange);
    enter(exchange, HTTP_RECEIVING);
    return exchange;
}

void http_exchange_free(struct http_exchange *exchange) {
    if (!exchange)
        return;
    enter(exchange, HTTP_IDLE);
    local_call_free(exchange->call);
    buffer_fini(&exchange->body);
    arena_fini(&exchange->arena);
    free(exchange);
}
