// Authorization of Envoy: its settings, its method, and its life.
#include <stdio.h>
#include <stdlib.h>

#include "envoy/service/auth/v3/external_auth.pb-c.h"
#include "services/validator/gateway/ext_authz_rpc.h"
#include "services/validator/validator_service.h"

// why not Validate's limit: what a client sends decides how long the question is, and a call that is refused
// for its length is let through by a gateway whose failure_mode_allow says so. Envoy itself takes 60 KiB of
// headers unless it is told otherwise.
enum { REQUEST_BYTES_MAX = 1 << 20 };

struct ext_authz_settings {
    const char *routes_file;
    int64_t trusted_hops;
    bool pass_token;
};

// Of the process: filled by start(), then the loops' or const.
static struct ext_authz_settings own_settings;
static struct ext_authz ext_authz;

// ---- start and stop ----

static enum status make_loops(size_t count) {
    ext_authz.loops = aligned_alloc(_Alignof(struct ext_authz_loop), count * sizeof(*ext_authz.loops));
    if (!ext_authz.loops)
        return STATUS_NO_MEMORY;
    for (ext_authz.loop_count = 0; ext_authz.loop_count < count; ext_authz.loop_count++)
        ext_authz.loops[ext_authz.loop_count] = (struct ext_authz_loop){0};
    return STATUS_OK;
}

static void free_loops(void) {
    free(ext_authz.loops);
    ext_authz.loops = NULL;
    ext_authz.loop_count = 0;
}

static enum status register_metrics(struct app *app) {
    struct metrics *metrics = app_get_metrics(app);
    enum status status = metrics_register(metrics, ext_authz_write_metrics, &ext_authz);
    return status == STATUS_OK ? metrics_register(metrics, route_file_write_metrics, NULL) : status;
}

static enum status start(struct app *app, char *ret_error, size_t error_size) {
    ext_authz = (struct ext_authz){.validate = validator_service_get(),
                                   .cookie = validator_service_get_cookie(),
                                   .trusted_hops = (unsigned)own_settings.trusted_hops,
                                   .passes_token = own_settings.pass_token};
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    enum status status = make_loops(app_get_loop_count(app));
    if (status == STATUS_OK)
        status = register_metrics(app);
    if (status == STATUS_OK)
        status = route_file_open(own_settings.routes_file, ret_error, error_size);
    if (status != STATUS_OK)
        free_loops();
    return status;
}

static enum status check(const struct app_settings *settings, char *ret_error, size_t error_size) {
    (void)settings;
    enum status status = route_file_open(own_settings.routes_file, ret_error, error_size);
    route_file_close();
    return status;
}

static void stop(struct app *app) {
    (void)app;
    route_file_close();
    free_loops();
}

static void leave_loop(struct loop *loop) {
    route_view_release(&ext_authz.loops[loop_get_index(loop)].routes);
}

// ---- tables ----

static const struct grpc_method methods[] = {
    {.path = "/envoy.service.auth.v3.Authorization/Check",
     .request = &envoy__service__auth__v3__check_request__descriptor,
     .response = &envoy__service__auth__v3__check_response__descriptor,
     .shape = GRPC_UNARY,
     .max_request_bytes = REQUEST_BYTES_MAX,
     .never_compress = true,
     .handler = &ext_authz_handler,
     .context = &ext_authz},
};

#define OF(member) offsetof(struct ext_authz_settings, member)

static const struct setting settings_table[] = {
    {.name = "routes-file",
     .type = SETTING_TEXT,
     .offset = OF(routes_file),
     .default_value = "",
     .value_name = "FILE",
     .help = "What the requests that Envoy asks about need, by method and path, a line each, such as \"GET "
             "/charges/* charges.read\". What no line has is refused. Read again when it changes and on "
             "SIGHUP. Empty: nothing but what Envoy's context_extensions name."},
    {.name = "trusted-hops",
     .type = SETTING_INTEGER,
     .offset = OF(trusted_hops),
     .default_value = "0",
     .min = 0,
     .max = 16,
     .help = "The number of proxies in front of an Envoy that asks: the client's address is so many steps to "
             "the left in x-forwarded-for. 0: --trusted-proxies say whom to believe."},
    {.name = "ext-authz-pass-token",
     .type = SETTING_BOOLEAN,
     .offset = OF(pass_token),
     .default_value = "false",
     .help = "Let the token reach the service behind Envoy. Without it, Envoy is told to take it away."},
};

// It decides by what the validator knows.
static bool has_no_database(void) {
    return true;
}

const struct app_service ext_authz_service = {
    .name = "envoy.service.auth.v3.Authorization",
    .inline_methods = methods,
    .inline_method_count = ARRAY_LENGTH(methods),
    .settings = settings_table,
    .setting_count = ARRAY_LENGTH(settings_table),
    .settings_base = &own_settings,
    .check = check,
    .start = start,
    .stop = stop,
    .leave_loop = leave_loop,
    .has_no_database = has_no_database,
    .tick = route_file_tick,
    .reload = route_file_reload,
};
