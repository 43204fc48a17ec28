// ValidationService: its methods, and its life between the first loop's entrance and the last
// answer. A method of the contract that is not here is answered UNIMPLEMENTED.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/check_history_rpc.h"
#include "services/validator/decide/denials_rpc.h"
#include "services/validator/decide/explain_rpc.h"
#include "services/validator/decide/validate_batch_rpc.h"
#include "services/validator/decide/validate_rpc.h"
#include "services/validator/decide/validate_stream_rpc.h"
#include "services/validator/decide/watch_rpc.h"
#include "services/validator/feed/feed.h"
#include "services/validator/follow/follower.h"
#include "services/validator/follow/upstream_rpc.h"
#include "services/validator/gateway/forward_auth.h"
#include "services/validator/gateway/introspection.h"
#include "services/validator/validator_service.h"
#include "services/validator/validator_settings.h"

enum {
    REQUEST_BYTES_MAX = 64 * 1024, // where no setting says otherwise
    HISTORY_BYTES_MAX = 512 * 1024,
};

enum {
    METHOD_VALIDATE,
    METHOD_BATCH,
    METHOD_STREAM,
    METHOD_EXPLAIN,
    METHOD_LIST_DENIALS,
    METHOD_WATCH,
    METHOD_CHECK_HISTORY,
    METHOD_COUNT
};

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(REASON_OK, LATCHKEY__V1__REASON__REASON_OK);
SAME(REASON_MALFORMED, LATCHKEY__V1__REASON__REASON_MALFORMED);
SAME(REASON_UNKNOWN, LATCHKEY__V1__REASON__REASON_UNKNOWN);
SAME(REASON_COMPANY_SUSPENDED, LATCHKEY__V1__REASON__REASON_COMPANY_SUSPENDED);
SAME(REASON_MEMBER_REMOVED, LATCHKEY__V1__REASON__REASON_MEMBER_REMOVED);
SAME(REASON_DEACTIVATED, LATCHKEY__V1__REASON__REASON_DEACTIVATED);
SAME(REASON_SUSPENDED, LATCHKEY__V1__REASON__REASON_SUSPENDED);
SAME(REASON_NOT_YET_VALID, LATCHKEY__V1__REASON__REASON_NOT_YET_VALID);
SAME(REASON_EXPIRED, LATCHKEY__V1__REASON__REASON_EXPIRED);
SAME(REASON_CHANNEL_NOT_ALLOWED, LATCHKEY__V1__REASON__REASON_CHANNEL_NOT_ALLOWED);
SAME(REASON_COMPANY_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_COMPANY_IP_NOT_LISTED);
SAME(REASON_MEMBER_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_MEMBER_IP_NOT_LISTED);
SAME(REASON_TOKEN_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_TOKEN_IP_NOT_LISTED);
SAME(REASON_DOMAIN_NOT_LISTED, LATCHKEY__V1__REASON__REASON_DOMAIN_NOT_LISTED);
SAME(REASON_PERMISSION_MISSING, LATCHKEY__V1__REASON__REASON_PERMISSION_MISSING);
SAME(REASON_NOT_CURRENT, LATCHKEY__V1__REASON__REASON_NOT_CURRENT);
SAME(CHANNEL_API, LATCHKEY__V1__CHANNEL__CHANNEL_API);
SAME(CHANNEL_UI, LATCHKEY__V1__CHANNEL__CHANNEL_UI);
SAME(TOKEN_KIND_ACCESS, LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_ACCESS);
SAME(TOKEN_KIND_LOGIN, LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN);

// Of the process: filled by start(), then the loops' (service.loops), the follower's (validator) or const.
static struct validator_settings own_settings;
static struct validator validator;
static struct validate_service service;
static struct lane_set served;
static struct forward_auth forward_auth;
static struct db_connection_options database;
static struct app *app;
static size_t loop_count;
static struct follower *follower;
static struct watch_service watch;
static struct grpc_client_tls upstream_tls;
static struct upstream *upstream;
static enum lease_state last_state; // the follower thread's

// ---- while it lives ----

static void send_errand(struct errand *errand) {
    follower_send_errand(follower, errand);
}

static const struct lookup_service lookups = {&service, send_errand};

static enum status tell_loss(const struct loss_message *message, struct loss_standing *ret_standing) {
    return follower_tell_loss(follower, message, ret_standing);
}

static const struct history_service history = {&service, send_errand, tell_loss};

static void wake_follower(void *context) {
    (void)context;
    follower_wake(follower);
}

// On the follower's thread: who waits for a revision looks again, and health tells when it may decide or not.
static void on_round(void *context) {
    (void)context;
    for (size_t i = 0; i < loop_count; i++)
        validate_waits_tell(&service.loops[i].waits);
    enum lease_state state = lease_get_state(&validator.lease, clock_get_boottime_ns(app_get_clock(app)));
    if (state != last_state)
        app_readiness_changed(app);
    last_state = state;
}

static void write_metrics(struct metrics_writer *writer, void *context) {
    (void)context;
    struct validate_counters sums = {0};
    for (size_t i = 0; i < loop_count; i++)
        validate_counters_add(&sums, &service.loops[i].counters);
    validate_counters_write(&sums, writer);
    follower_write_metrics(writer, follower);
    feed_write_metrics(writer, watch.feed);
}

static void write_unready(struct buffer *to) {
    follower_write_unready(follower, to);
}

static void enter_loop(struct loop *loop) {
    validate_loop_enter(&service.loops[loop_get_index(loop)], loop);
}

static void leave_loop(struct loop *loop) {
    validate_loop_leave(&service.loops[loop_get_index(loop)]);
}

// ---- start and stop ----

static struct grpc_method methods[METHOD_COUNT]; // below

static void set_largest_requests(void) {
    methods[METHOD_VALIDATE].max_request_bytes = (uint32_t)own_settings.max_validate_bytes;
    methods[METHOD_STREAM].max_request_bytes = (uint32_t)own_settings.max_validate_bytes;
    methods[METHOD_BATCH].max_request_bytes = (uint32_t)own_settings.max_batch_bytes;
}

static enum status make_denial_log(struct denial_log **ret_log) {
    if (own_settings.denials == 0)
        return STATUS_OK;
    return denial_log_new((size_t)own_settings.denials, (size_t)own_settings.denials_per_company, ret_log);
}

static enum status make_loops(size_t count) {
    struct validate_waits_options options = {.validator = &validator,
                                             .max = (size_t)own_settings.min_revision_calls,
                                             .wake_follower = wake_follower};
    service.loops = aligned_alloc(_Alignof(struct validate_loop), count * sizeof(*service.loops));
    if (!service.loops)
        return STATUS_NO_MEMORY;
    for (loop_count = 0; loop_count < count; loop_count++) {
        struct validate_loop *mine = &service.loops[loop_count];
        *mine = (struct validate_loop){.uses = app_get_use_loop(app, loop_count)};
        if (make_denial_log(&mine->denials) != STATUS_OK)
            return STATUS_NO_MEMORY;
        options.reading = &mine->reading;
        validate_waits_init(&mine->waits, &options);
    }
    service.loop_count = loop_count;
    return STATUS_OK;
}

static void free_loops(void) {
    while (loop_count > 0) {
        struct validate_loop *mine = &service.loops[--loop_count];
        validate_waits_fini(&mine->waits);
        denial_log_free(mine->denials);
    }
    free(service.loops);
    service.loops = NULL;
}

static enum status make_feed(void) {
    const struct feed_options options = {.validator = &validator,
                                         .log_bytes_max = (size_t)own_settings.feed_log_bytes,
                                         .wake_follower = wake_follower};
    watch.validate = &service;
    return feed_new(&options, &watch.feed);
}

static bool has_upstream(void) {
    return own_settings.upstream && own_settings.upstream[0];
}

static const char *find_text(const char *setting) {
    return setting && setting[0] ? setting : NULL;
}

static enum status make_upstream(const struct clock *clock, char *ret_error, size_t error_size) {
    upstream_tls =
        (struct grpc_client_tls){.ca_file = find_text(own_settings.upstream_ca_file),
                                 .certificate_file = find_text(own_settings.upstream_certificate_file),
                                 .key_file = find_text(own_settings.upstream_key_file),
                                 .server_name = find_text(own_settings.upstream_server_name)};
    bool is_tls = upstream_tls.ca_file || upstream_tls.certificate_file;
    const struct upstream_options options = {.target = own_settings.upstream,
                                             .token_file = find_text(own_settings.upstream_token_file),
                                             .tls = is_tls ? &upstream_tls : NULL,
                                             .allow_plaintext = own_settings.upstream_allow_plaintext,
                                             .clock = clock};
    return has_upstream() ? upstream_new(&options, &upstream, ret_error, error_size) : STATUS_OK;
}

// why not both: a secret that names no lane finds nobody who could say that there is no such token.
static enum status check_lanes(const struct app_settings *settings, char *ret_error, size_t error_size) {
    struct lane_set lanes;
    bool is_told = !lane_set_parse(bytes_of_text(own_settings.lanes), &lanes); // by the table
    if (is_told || lane_set_is_all(lanes) || !settings->accept_foreign_secrets)
        return STATUS_OK;
    snprintf(
        ret_error, error_size,
        "lanes: with accept-foreign-secrets all lanes are served, for foreign secrets name none; leave out "
        "one of the two");
    return STATUS_INVALID;
}

static enum status check(const struct app_settings *settings, char *ret_error, size_t error_size) {
    enum status status = check_lanes(settings, ret_error, error_size);
    if (status == STATUS_OK)
        status = make_upstream(clock_get_system(), ret_error, error_size);
    upstream_free(upstream);
    upstream = NULL;
    return status;
}

static enum status start_follower(const struct app_settings *settings) {
    database = (struct db_connection_options){
        .url = settings->database_direct_url,
        .application_name = "latchkey-validator",
        .role = "latchkey_validator",
        .prepare = settings->database_prepare == DATABASE_PREPARE_OFF ? DB_PREPARE_OFF : DB_PREPARE_ONCE,
        .clock = app_get_clock(app),
        .end = app_get_database_end(app)};
    const struct follower_options options = {.database = &database,
                                             .clock = app_get_clock(app),
                                             .name = app_get_instance_name(app),
                                             .address = settings->listen,
                                             .upstream = upstream,
                                             .feed = watch.feed,
                                             .lanes = served,
                                             .poll_ms = own_settings.poll_interval_ms,
                                             .max_staleness_ms = own_settings.max_staleness_ms,
                                             .max_clock_skew_ms = own_settings.max_clock_skew_ms,
                                             .snapshot_path = upstream ? NULL : own_settings.snapshot_file,
                                             .snapshot_period_ms = own_settings.snapshot_period_ms,
                                             .load_connections = (size_t)own_settings.load_connections,
                                             .on_round = on_round};
    return follower_new(&options, &validator, &follower);
}

static enum status start(struct app *the_app, char *ret_error, size_t error_size) {
    const struct app_settings *settings = app_get_settings(the_app);
    app = the_app;
    service.validator = &validator;
    service.shape = app_get_bearer_shape(app);
    service.trusted_proxies = app_get_trusted_proxies(app);
    service.folds_reasons = own_settings.fold_reasons;
    set_largest_requests();
    random_fill(service.page_key, sizeof(service.page_key));
    service.min_revision_wait_ms = own_settings.min_revision_wait_ms;
    forward_auth = (struct forward_auth){service.trusted_proxies, own_settings.check_cookie};
    enum status status =
        lane_set_parse(bytes_of_text(own_settings.lanes), &served) ? STATUS_OK : STATUS_INVALID;
    if (status == STATUS_OK)
        status = make_loops(app_get_loop_count(app));
    if (status == STATUS_OK)
        status = make_feed();
    if (status == STATUS_OK)
        status = metrics_register(app_get_metrics(app), write_metrics, NULL);
    if (status == STATUS_OK)
        status = make_upstream(app_get_clock(app), ret_error, error_size);
    if (status == STATUS_OK)
        status = start_follower(settings);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (ret_error[0] == '\0')
        snprintf(ret_error, error_size, "the validator can't start: %s", status_get_text(status));
    upstream_free(upstream);
    upstream = NULL;
    feed_free(watch.feed);
    watch.feed = NULL;
    free_loops();
    return status;
}

static void stop(struct app *the_app) {
    (void)the_app;
    follower_free(follower);
    follower = NULL;
    upstream_free(upstream);
    upstream = NULL;
    feed_free(watch.feed);
    watch.feed = NULL;
    free_loops();
}

const struct validate_service *validator_service_get(void) {
    return &service;
}

const char *validator_service_get_cookie(void) {
    return own_settings.check_cookie;
}

// ---- tables ----

// Const but for the largest requests, which start() sets.
static struct grpc_method methods[METHOD_COUNT] = {
    [METHOD_VALIDATE] = {.path = "/latchkey.v1.ValidationService/Validate",
                         .request = &latchkey__v1__validate_request__descriptor,
                         .response = &latchkey__v1__validate_response__descriptor,
                         .shape = GRPC_UNARY,
                         .never_compress = true,
                         .handler = &validate_handler,
                         .context = &service},
    [METHOD_BATCH] = {.path = "/latchkey.v1.ValidationService/ValidateBatch",
                      .request = &latchkey__v1__validate_batch_request__descriptor,
                      .response = &latchkey__v1__validate_batch_response__descriptor,
                      .shape = GRPC_UNARY,
                      .never_compress = true,
                      .handler = &validate_batch_handler,
                      .context = &service},
    [METHOD_STREAM] = {.path = "/latchkey.v1.ValidationService/ValidateStream",
                       .request = &latchkey__v1__validate_stream_request__descriptor,
                       .response = &latchkey__v1__validate_stream_response__descriptor,
                       .shape = GRPC_BIDI,
                       .never_compress = true,
                       .handler = &validate_stream_handler,
                       .context = &service},
    [METHOD_EXPLAIN] = {.path = "/latchkey.v1.ValidationService/Explain",
                        .request = &latchkey__v1__explain_request__descriptor,
                        .response = &latchkey__v1__explain_response__descriptor,
                        .shape = GRPC_UNARY,
                        .max_request_bytes = REQUEST_BYTES_MAX,
                        .handler = &explain_handler,
                        .context = &lookups},
    [METHOD_LIST_DENIALS] = {.path = "/latchkey.v1.ValidationService/ListDenials",
                             .request = &latchkey__v1__list_denials_request__descriptor,
                             .response = &latchkey__v1__list_denials_response__descriptor,
                             .shape = GRPC_UNARY,
                             .max_request_bytes = REQUEST_BYTES_MAX,
                             .handler = &list_denials_handler,
                             .context = &lookups},
    [METHOD_WATCH] = {.path = "/latchkey.v1.ValidationService/WatchChanges",
                      .request = &latchkey__v1__watch_changes_request__descriptor,
                      .response = &latchkey__v1__watch_changes_response__descriptor,
                      .shape = GRPC_BIDI,
                      .max_request_bytes = REQUEST_BYTES_MAX,
                      .never_compress = true,
                      .handler = &watch_handler,
                      .context = &watch},
    [METHOD_CHECK_HISTORY] = {.path = "/latchkey.v1.ValidationService/CheckHistory",
                              .request = &latchkey__v1__check_history_request__descriptor,
                              .response = &latchkey__v1__check_history_response__descriptor,
                              .shape = GRPC_UNARY,
                              .max_request_bytes = HISTORY_BYTES_MAX,
                              .handler = &check_history_handler,
                              .context = &history},
};

static const struct http_route http_routes[] = {
    {.path = "/check",
     .name = "check",
     .context = &forward_auth,
     .ask = forward_auth_ask,
     .tell = forward_auth_tell},
    {.path = "/introspect",
     .name = "introspect",
     .methods = "POST",
     .max_body_bytes = REQUEST_BYTES_MAX,
     .refuses_foreign_origins = true,
     .ask = introspection_ask,
     .tell = introspection_tell},
};

const struct app_service validator_service = {
    .name = "latchkey.v1.ValidationService",
    .inline_methods = methods,
    .inline_method_count = ARRAY_LENGTH(methods),
    .http_routes = http_routes,
    .http_route_count = ARRAY_LENGTH(http_routes),
    .settings = validator_setting_table,
    .setting_count = VALIDATOR_SETTING_COUNT,
    .settings_base = &own_settings,
    .check = check,
    .start = start,
    .stop = stop,
    .write_unready = write_unready,
    .has_no_database = has_upstream,
    .enter_loop = enter_loop,
    .leave_loop = leave_loop,
};
