#include "common/grpc_client/client_health.h"

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/grpc/status_code.h"
#include "common/grpc_client/client_request.h"
#include "common/grpc_client/client_response.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"
#include "grpc/health/v1/health.pb-c.h"

#define PATH "/grpc.health.v1.Health/Watch"
#define MESSAGE_BYTES_MAX 1024
#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING

struct client_health {
    struct client_connection *connection;
    struct arena arena;
    struct client_request_head head;
    struct client_response response;
    struct client_exchange exchange;
    bool is_told; // at least once
    bool is_serving;
};

static bool on_message(void *context, struct bytes packed) {
    struct client_health *health = context;
    struct arena arena;
    ProtobufCMessage *message;
    const char *why;
    arena_init(&arena, 0);
    health->is_told = true;
    health->is_serving = message_unpack(&grpc__health__v1__health_check_response__descriptor, packed, &arena,
                                        &message, &why) == STATUS_OK &&
                         field_get_integer(message, "status") == SERVING;
    arena_fini(&arena);
    return true;
}

static bool has_answer(void *context) {
    const struct client_health *health = context;
    return health->is_told || health->exchange.is_answered;
}

static bool ask(struct client_health *health, const char *service,
                const struct client_request_options *head) {
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct bytes body;
    request.service = (char *)(uintptr_t)service; // only read
    if (!client_request_pack(&request.base, &health->arena, &body))
        return false;
    struct client_request_options own = *head;
    own.path = PATH;
    client_request_write_head(&health->head, &own);
    health->response.on_message = on_message;
    health->response.context = health;
    health->exchange = (struct client_exchange){
        .sink = client_response_get_sink(&health->response), .unsent = body, .is_last = true};
    client_connection_begin(health->connection, &health->exchange, health->head.fields, health->head.count);
    return true;
}

struct client_health *client_health_new(struct client_connection *connection, const char *service,
                                        const struct client_request_options *head) {
    struct client_health *health = calloc(1, sizeof(*health));
    if (!health)
        return NULL;
    health->connection = connection;
    arena_init(&health->arena, 0);
    client_response_init(&health->response, &health->arena, MESSAGE_BYTES_MAX);
    if (!ask(health, service, head)) {
        client_health_free(health);
        return NULL;
    }
    return health;
}

void client_health_wait(struct client_health *health, uint64_t deadline_ns) {
    (void)!client_connection_wait(health->connection, &health->exchange, has_answer, health, deadline_ns);
}

void client_health_free(struct client_health *health) {
    if (!health)
        return;
    client_connection_cancel(health->connection, &health->exchange);
    client_response_fini(&health->response);
    arena_fini(&health->arena);
    free(health);
}

bool client_health_is_serving(const struct client_health *health) {
    const struct client_response *response = &health->response;
    bool has_ended =
        health->exchange.is_answered || health->exchange.is_ended || health->exchange.is_given_up;
    if (has_ended)
        return response->has_code && response->code == GRPC_CODE_UNIMPLEMENTED;
    return health->is_serving;
}
