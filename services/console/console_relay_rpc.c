#include "services/console/console_relay_rpc.h"

#include <stdio.h>
#include <string.h>

#include "common/app/bearer.h"
#include "common/app/caller_claim.h"
#include "common/app/client_address.h"
#include "common/app/http_settings.h"
#include "common/app/revision.h"
#include "common/app/worker.h"
#include "common/crypto/secret.h"
#include "common/grpc/call.h"
#include "common/protobuf/contract.h"
#include "common/protobuf/field.h"
#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "services/console/console_servers.h"
#include "services/console/console_settings.h"

enum { METADATA_MAX = 7, RETRY_AFTER_MS = 1000, NS_PER_MS = 1000000 };

// Const once the ports are open.
static struct worker_pool *workers;
static const struct ip_set *trusted_proxies;
static struct bearer_shape shape;

// One call, in its own arena: the loop's, then a worker's, then the loop's again.
struct relayed {
    struct worker_job job;
    struct loop_task done;
    struct grpc_call *call;
    const ProtobufCMessage *request;
    ProtobufCMessage *response; // NULL unless it was answered with OK
    struct fault fault;         // what is told in place of it
    struct grpc_metadata metadata[METADATA_MAX];
    size_t metadata_count;
};

// ---- what goes along ----

static bool add(struct relayed *relayed, const char *key, const char *value) {
    relayed->metadata[relayed->metadata_count++] = (struct grpc_metadata){key, value};
    return value != NULL;
}

// False where it can't be sent as it is.
static bool pass(struct relayed *relayed, const char *key) {
    const struct metadata *fields = grpc_call_get_metadata(relayed->call);
    if (!metadata_find(fields->first, bytes_of_text(key)))
        return true;
    struct bytes value = metadata_find_only(fields, bytes_of_text(key));
    return value.data && metadata_value_is_sendable(value) &&
           add(relayed, key, arena_copy_bytes(grpc_call_get_arena(relayed->call), value));
}

// What only tells of the call is left out where it can't be sent.
static void pass_if_sendable(struct relayed *relayed, const char *key) {
    size_t count = relayed->metadata_count;
    if (!pass(relayed, key))
        relayed->metadata_count = count;
}

// why by is_local: what comes from a browser never is (console_rpc.c), wherever that runs; what the console
// asks by its own token always is, and is to be judged by where this program is.
static bool add_client(struct relayed *relayed) {
    struct arena *arena = grpc_call_get_arena(relayed->call);
    char text[IP_ADDRESS_TEXT_MAX + 1] = "unknown"; // which no server believes
    if (grpc_call_is_peer_local(relayed->call))
        return true;
    struct ip_address address = client_address_find_of_call(trusted_proxies, relayed->call);
    if (address.family != IP_FAMILY_NONE)
        ip_address_format(&address, text);
    const char *copy = arena_copy_text(arena, text);
    return add(relayed, "x-forwarded-for", copy) && add(relayed, CLIENT_ADDRESS_FIELD, copy);
}

static bool gather_metadata(struct relayed *relayed) {
    bool is_whole = add_client(relayed) && pass(relayed, "authorization") &&
                    pass(relayed, CALLER_CLAIM_FIELD) && pass(relayed, "latchkey-company");
    pass_if_sendable(relayed, "user-agent");
    pass_if_sendable(relayed, "traceparent");
    return is_whole;
}

// ---- on a worker ----

static bool is_repeatable(const char *path, const ProtobufCMessage *request) {
    return contract_is_reading(path) ||
           (field_exists(request->descriptor, "request_id") && field_is_set(request, "request_id"));
}

// In milliseconds, 1 and more; 0 = the client's.
static int64_t get_rest_ms(const struct grpc_call *call) {
    uint64_t deadline_ns = grpc_call_get_deadline_ns(call);
    uint64_t now_ns = clock_get_monotonic_ns(clock_get_system());
    if (deadline_ns == UINT64_MAX)
        return 0;
    int64_t rest_ms = deadline_ns > now_ns ? (int64_t)((deadline_ns - now_ns) / NS_PER_MS) : 0;
    if (rest_ms < 1)
        return 1;
    return rest_ms < console_servers_settings.timeout_ms ? rest_ms : console_servers_settings.timeout_ms;
}

static enum console_server get_server(const struct grpc_call *call);

static void ask(struct relayed *relayed) {
    struct grpc_call *call = relayed->call;
    const struct grpc_method *method = grpc_call_get_method(call);
    const struct grpc_client_call onward = {.path = method->path,
                                            .request = relayed->request,
                                            .response = method->response,
                                            .metadata = relayed->metadata,
                                            .metadata_count = relayed->metadata_count,
                                            .timeout_ms = get_rest_ms(call),
                                            .is_repeatable = is_repeatable(method->path, relayed->request)};
    if (console_servers_call(get_server(call), &onward, grpc_call_get_arena(call), &relayed->response,
                             &relayed->fault) != STATUS_OK)
        relayed->response = NULL;
}

static void wipe_secret(const ProtobufCMessage *message) {
    const char *secret = field_exists(message->descriptor, "secret") ? field_get_text(message, "secret") : "";
    if (*secret)
        secret_wipe((char *)secret, strlen(secret));
}

static void on_done(struct loop_task *task) {
    struct relayed *relayed = CONTAINER_OF(task, struct relayed, done);
    struct grpc_call *call = relayed->call;
    struct loop *loop = grpc_call_get_loop(call);
    if (relayed->response && grpc_call_send(call, relayed->response) != STATUS_OK)
        fault_set(&relayed->fault, STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", "the answer could not be sent");
    if (relayed->response)
        wipe_secret(relayed->response);
    grpc_call_finish(call, &relayed->fault); // `relayed` is gone
    loop_release(loop);
}

static void on_turn(struct worker_job *job) {
    struct relayed *relayed = CONTAINER_OF(job, struct relayed, job);
    if (grpc_call_is_cancelled(relayed->call))
        fault_set(&relayed->fault, STATUS_CANCELLED, "CANCELLED", "nobody waits for this any more");
    else
        ask(relayed);
    relayed->done.run = on_done;
    loop_post(grpc_call_get_loop(relayed->call), &relayed->done);
}

// ---- on the loop ----

static bool submit(struct relayed *relayed) {
    struct grpc_call *call = relayed->call;
    struct loop *loop = grpc_call_get_loop(call);
    relayed->job = (struct worker_job){
        .run = on_turn, .share = LANE_DEPLOYMENT, .deadline_ns = grpc_call_get_deadline_ns(call)};
    (void)!bearer_has_shape(bearer_find_secret(call), &shape, &relayed->job.share);
    loop_hold(loop);
    if (worker_pool_submit(workers, &relayed->job) == STATUS_OK)
        return true;
    loop_release(loop);
    return false;
}

static void on_message(struct grpc_call *call, const ProtobufCMessage *request) {
    struct fault *fault = grpc_call_get_fault(call);
    struct relayed *relayed = ARENA_NEW(grpc_call_get_arena(call), struct relayed);
    if (!relayed) {
        fault_set_no_memory(fault);
        grpc_call_finish(call, fault);
        return;
    }
    *relayed = (struct relayed){.call = call, .request = request};
    fault_init(&relayed->fault, grpc_call_get_arena(call));
    if (!gather_metadata(relayed)) {
        fault_set(fault, STATUS_INVALID, "INVALID_ARGUMENT", "a header field can't be passed on");
        grpc_call_finish(call, fault);
        return;
    }
    if (submit(relayed))
        return;
    fault_set(fault, STATUS_UNAVAILABLE, "OVERLOADED", "too many calls wait already; try again later");
    fault_set_retry_after_ms(fault, RETRY_AFTER_MS);
    grpc_call_finish(call, fault);
}

// It goes on, and nobody hears of it.
static bool on_deadline(struct grpc_call *call) {
    return contract_is_reading(grpc_call_get_method(call)->path);
}

static const struct grpc_handler handler = {.on_message = on_message, .on_deadline = on_deadline};

// ---- the methods ----

static const enum console_server servers[] = {
#define SERVER(id, server, service, method, c_name) CONSOLE_SERVER_##server,
    CONTRACT_TABLE(SERVER)
#undef SERVER
};

enum {
#define NUMBER(id, server, service, method, c_name) NUMBER_##id,
    CONTRACT_TABLE(NUMBER)
#undef NUMBER
};

static const struct grpc_method methods[] = {
#define METHOD(id, server, service, method_, c_name)             \
    {.path = "/latchkey.v1." #service "/" #method_,              \
     .request = &latchkey__v1__##c_name##_request__descriptor,   \
     .response = &latchkey__v1__##c_name##_response__descriptor, \
     .shape = GRPC_UNARY,                                        \
     .is_internal = true,                                        \
     .never_compress = true,                                     \
     .handler = &handler,                                        \
     .context = &servers[NUMBER_##id]},
    CONTRACT_TABLE(METHOD)
#undef METHOD
};

static enum console_server get_server(const struct grpc_call *call) {
    return *(const enum console_server *)grpc_call_get_method(call)->context;
}

// ---- its life ----

static bool is_off(const char *listen) {
    return !listen || !*listen || strcmp(listen, "none") == 0;
}

static enum status check(const struct app_settings *settings, char *ret_error, size_t error_size) {
    (void)settings;
    const char *lack = NULL;
    if (is_off(console_settings.listen))
        lack = "--console-listen: say where the console is to be served, such as 127.0.0.1:7090";
    else if (!is_off(http_settings.listen))
        lack = "--http-listen: this program serves the console alone; the servers have the methods";
    if (!lack)
        return console_servers_check(ret_error, error_size);
    snprintf(ret_error, error_size, "%s", lack);
    return STATUS_INVALID;
}

static enum status register_metrics(struct app *app) {
    enum status status = metrics_register(app_get_metrics(app), console_servers_write_metrics, NULL);
    return status == STATUS_OK ? metrics_register(app_get_metrics(app), worker_pool_write_metrics, workers)
                               : status;
}

static enum status start(struct app *app, char *ret_error, size_t error_size) {
    const struct worker_pool_options options = {.threads = (unsigned)console_servers_settings.calls_max,
                                                .queue_capacity =
                                                    (unsigned)app_get_settings(app)->worker_queue,
                                                .clock = app_get_clock(app)};
    trusted_proxies = app_get_trusted_proxies(app);
    shape = app_get_bearer_shape(app);
    console_servers_start(app_get_clock(app));
    enum status status = worker_pool_new(&options, &workers);
    if (status == STATUS_OK && (status = register_metrics(app)) != STATUS_OK) {
        worker_pool_free(workers);
        workers = NULL;
    }
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

static void stop(struct app *app) {
    (void)app;
    worker_pool_free(workers);
    workers = NULL;
    console_servers_stop();
}

static bool has_no_database(void) {
    return true;
}

const struct app_service console_relay_service = {
    .name = "servers",
    .inline_methods = methods,
    .inline_method_count = ARRAY_LENGTH(methods),
    .settings = console_servers_setting_table,
    .setting_count = CONSOLE_SERVERS_SETTING_COUNT,
    .settings_base = &console_servers_settings,
    .check = check,
    .start = start,
    .stop = stop,
    .tick = console_servers_tick,
    .reload = console_servers_reload,
    .has_no_database = has_no_database,
};
