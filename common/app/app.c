#include "common/app/app.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app/admin.h"
#include "common/app/client_address.h"
#include "common/app/command_line.h"
#include "common/app/config_check.h"
#include "common/app/database_check.h"
#include "common/app/database_metrics.h"
#include "common/app/database_probe.h"
#include "common/app/deployment.h"
#include "common/app/dispatch.h"
#include "common/app/exit_status.h"
#include "common/app/http_door.h"
#include "common/app/http_rpc.h"
#include "common/app/loop_hooks.h"
#include "common/app/mailer.h"
#include "common/app/maintenance.h"
#include "common/app/process.h"
#include "common/app/process_metrics.h"
#include "common/app/readiness.h"
#include "common/app/ready_probe.h"
#include "common/app/service_manager.h"
#include "common/app/signals.h"
#include "common/app/tls_material.h"
#include "common/app/transport_metrics.h"
#include "common/app/validators.h"
#include "common/app/worker.h"
#include "common/base/log.h"
#include "common/db/end.h"
#include "common/grpc/health.h"
#include "common/grpc/reflection.h"
#include "common/grpc/server.h"
#include "common/net/listener.h"

enum {
    ERROR_MAX = 1024,
    MISTAKES_MAX = 8192,
    TICK_MS = 1000,
    DATABASE_PATIENCE_MS = 5000, // before a server starts without its database
};

// ROLE of management servers, and of those that only read: see the schema's roles.
#define ROLE_APP "latchkey_app"
#define ROLE_VALIDATOR "latchkey_validator"

struct app {
    const struct app_program *program;
    const struct clock *clock;
    struct app_settings settings;
    struct grpc_server_settings transport_settings;
    char instance_name[300];

    struct db_end *end; // of what is asked of the database
    struct metrics *metrics;
    struct use_log *uses;
    struct loop_group *loops;
    struct grpc_server *server;
    struct grpc_health *health;
    struct grpc_reflection *reflection;
    struct admin *admin;
    struct http_door *doors[APP_SERVICES_MAX + 1]; // --http-listen, and the services' sites
    size_t door_count;
    const struct listener *listener;

    // Of management methods only.
    struct db_pool *database;
    struct worker_pool *workers;
    struct validators *validators;
    struct deployment_cache *deployments;
    struct ip_set *trusted_proxies;
    struct dispatch dispatch;
    struct jobs *jobs;
    struct database_probe probe;

    struct router_table managed_tables[APP_SERVICES_MAX];
    struct loop_hook *loop_hooks;
    size_t started_services;

    struct readiness readiness;
    struct process_metrics process;

    // The main thread's.
    bool is_open; // its ports are
};

static bool has_managed_methods(const struct app *app) {
    for (size_t i = 0; i < app->program->service_count; i++)
        if (app->program->services[i]->method_count > 0)
            return true;
    return false;
}

// ---- settings ----

// Returns an exit code to end with, or -1 to go on.
static int read_settings(struct app *app, int argc, char **argv) {
    char error[MISTAKES_MAX];
    struct sentences mistakes = sentences_in(error, sizeof(error));
    switch (command_line_read(app->program, argc, argv, &app->settings, &app->transport_settings, mistakes)) {
    case COMMAND_LINE_SERVE: break;
    case COMMAND_LINE_CHECK: return config_check(app->program, &app->settings, app->clock, mistakes);
    case COMMAND_LINE_READY: return ready_probe(app->settings.admin_listen);
    case COMMAND_LINE_ANSWERED: return EXIT_STATUS_OK;
    case COMMAND_LINE_WRONG: return exit_status_explain(EXIT_STATUS_USAGE, error);
    case COMMAND_LINE_UNREAD: return exit_status_explain(EXIT_STATUS_TEMPORARY, error);
    }
    enum status status = client_address_parse_trusted(app->settings.trusted_proxies, &app->trusted_proxies,
                                                      error, sizeof(error));
    if (status == STATUS_OK)
        status = tls_material_open(app->clock, error, sizeof(error));
    if (status == STATUS_OK && mailer_is_needed(app->program))
        status = mailer_open(app->program, error, sizeof(error));
    if (status == STATUS_OK) // what succeeded may have left words
        status = config_check_services(app->program, sentences_in(error, sizeof(error)));
    return status == STATUS_OK ? -1 : exit_status_explain(exit_status_of(status), error);
}

// ---- database ----

static struct db_connection_options get_connection_options(const struct app *app) {
    return (struct db_connection_options){
        .url = app->settings.database_url,
        .application_name = app->program->name,
        .role = has_managed_methods(app) ? ROLE_APP : ROLE_VALIDATOR,
        .prepare = app->settings.database_prepare == DATABASE_PREPARE_OFF ? DB_PREPARE_OFF : DB_PREPARE_ONCE,
        .clock = app->clock,
        .end = app->end};
}

// Returns an exit code, or -1 to go on: also without the database, which may come later.
static int check_database(struct app *app, uint64_t patience_ms) {
    struct db_connection_options options = get_connection_options(app);
    uint64_t deadline_ns = clock_get_monotonic_ns(app->clock) + patience_ms * 1000000;
    char error[ERROR_MAX];
    bool is_needed = database_is_needed(app->program);
    switch (is_needed ? database_check(&options, deadline_ns, error, sizeof(error)) : STATUS_OK) {
    case STATUS_OK:
        atomic_store_explicit(&app->readiness.is_database_checked, true, memory_order_relaxed);
        return -1;
    case STATUS_INVALID: return exit_status_explain(EXIT_STATUS_USAGE, error);
    case STATUS_FAILED_PRECONDITION: return exit_status_explain(EXIT_STATUS_SCHEMA, error);
    case STATUS_PERMISSION_DENIED: return exit_status_explain(EXIT_STATUS_NOPERM, error);
    default:
        log_event(LOG_LEVEL_WARNING, "the database is not there; waiting for it", LOG_TEXT("reason", error));
        return -1;
    }
}

static enum status open_jobs(struct app *app) {
    struct jobs_options options = {.app = app, .database = app->database, .clock = app->clock};
    enum status status = jobs_new(&options, &app->jobs);
    if (status == STATUS_OK)
        status = jobs_add(app->jobs, &maintenance_job);
    if (status == STATUS_OK && mailer_is_needed(app->program))
        status = jobs_add(app->jobs, &mailer_job);
    for (size_t i = 0; i < app->program->service_count; i++)
        for (size_t j = 0; status == STATUS_OK && j < app->program->services[i]->job_count; j++)
            status = jobs_add(app->jobs, app->program->services[i]->jobs[j]);
    return status;
}

static enum status open_management(struct app *app) {
    struct db_pool_options pool = {.connection = get_connection_options(app),
                                   .size = (unsigned)app->settings.database_pool_size};
    struct worker_pool_options workers = {.threads = (unsigned)app->settings.workers,
                                          .queue_capacity = (unsigned)app->settings.worker_queue};
    enum status status = db_pool_new(&pool, &app->database);
    if (status == STATUS_OK)
        status = worker_pool_new(&workers, &app->workers);
    if (status == STATUS_OK)
        status = validators_new(app->database, app->clock, &app->validators);
    if (status == STATUS_OK && !(app->deployments = deployment_cache_new()))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = open_jobs(app);
    app->dispatch = (struct dispatch){.app = app,
                                      .clock = app->clock,
                                      .workers = app->workers,
                                      .database = app->database,
                                      .validators = app->validators,
                                      .deployments = app->deployments,
                                      .uses = app->uses,
                                      .trusted_proxies = app->trusted_proxies,
                                      .shape = app_get_bearer_shape(app),
                                      .wait_for_validators_max_ms = app->settings.wait_for_validators_max_ms,
                                      .database_lease_wait_ms = app->settings.database_lease_wait_ms};
    app->readiness.database = app->database;
    app->probe =
        (struct database_probe){.database = app->database, .workers = app->workers, .clock = app->clock};
    return status;
}

static enum status open_uses(struct app *app) {
    struct use_log_options options = {.loops = app->loops,
                                      .connection = get_connection_options(app),
                                      .clock = app->clock,
                                      .server = app->program->name,
                                      .is_kept = database_is_needed(app->program),
                                      .flush_interval_ms = app->settings.use_flush_interval_ms,
                                      .capacity = (size_t)app->settings.use_table_size};
    return use_log_new(&options, &app->uses);
}

// why: the main thread waits for signals and nothing else, so this is how it is told
void app_readiness_changed(struct app *app) {
    (void)app;
    kill(getpid(), SIGUSR1);
}

// ---- metrics ----

static enum status register_metrics(struct app *app) {
    const struct {
        metrics_source write;
        void *context;
        bool is_there;
    } sources[] = {
        {process_metrics_write, &app->process, true},
        {readiness_write_metrics, &app->readiness, true},
        {transport_metrics_write, app->server, true},
        {tls_material_write_metrics, NULL, true},
        {use_log_write_metrics, app->uses, true},
        {database_metrics_write, app->database, app->database},
        {worker_pool_write_metrics, app->workers, app->workers},
        {validators_write_metrics, app->validators, app->validators},
        {jobs_write_metrics, app->jobs, app->jobs},
        {mailer_write_metrics, NULL, app->database && mailer_is_needed(app->program)},
        {maintenance_write_metrics, NULL, app->database},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < ARRAY_LENGTH(sources); i++)
        if (sources[i].is_there)
            status = metrics_register(app->metrics, sources[i].write, sources[i].context);
    for (size_t i = 0; status == STATUS_OK && i < app->door_count; i++)
        status = metrics_register(app->metrics, http_door_write_metrics, app->doors[i]);
    return status;
}

// ---- start ----

static size_t count_cores(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}

static enum status open_transport(struct app *app) {
    const struct app_program *program = app->program;
    const char *names[APP_SERVICES_MAX];
    struct router_table tables[2 * APP_SERVICES_MAX + 2];
    size_t count = 0;
    for (size_t i = 0; i < program->service_count; i++)
        names[i] = program->services[i]->name;

    enum status status = grpc_health_new(app->loops, names, program->service_count, &app->health);
    if (status == STATUS_OK)
        status = grpc_reflection_new(&app->reflection);
    for (size_t i = 0; i < program->service_count && status == STATUS_OK; i++) {
        const struct app_service *service = program->services[i];
        status = dispatch_new_table(&app->dispatch, service->methods, service->method_count, service->screen,
                                    &app->managed_tables[i]);
        tables[count++] = app->managed_tables[i];
        tables[count++] = (struct router_table){service->inline_methods, service->inline_method_count};
    }
    if (status != STATUS_OK)
        return status;
    app->readiness.health = app->health;
    tables[count++] = grpc_health_get_table(app->health);
    tables[count++] = grpc_reflection_get_table(app->reflection);
    struct grpc_server_options options = {
        .loops = app->loops, .settings = app->transport_settings, .tables = tables, .table_count = count};
    tls_material_fill(&options);
    if ((status = grpc_server_new(&options, &app->server)) != STATUS_OK)
        return status;
    return grpc_reflection_set_router(app->reflection, grpc_server_get_router(app->server));
}

static void name_instance(struct app *app) {
    char host[256] = "localhost";
    gethostname(host, sizeof(host) - 1);
    snprintf(app->instance_name, sizeof(app->instance_name), "%s:%u", host, listener_get_port(app->listener));
}

static int start_services(struct app *app) {
    char error[ERROR_MAX] = "";
    for (size_t i = 0; i < app->program->service_count; i++) {
        const struct app_service *service = app->program->services[i];
        enum status status = service->start ? service->start(app, error, sizeof(error)) : STATUS_OK;
        if (status != STATUS_OK)
            return exit_status_explain(status == STATUS_INVALID ? EXIT_STATUS_USAGE : EXIT_STATUS_UNAVAILABLE,
                                       error);
        app->started_services = i + 1;
    }
    return -1;
}

static int make_admin(struct app *app) {
    char error[ERROR_MAX];
    struct admin_options options = {.listen = app->settings.admin_listen,
                                    .metrics = app->metrics,
                                    .is_shared = app->transport_settings.reuse_port,
                                    .write_unready = readiness_write_unready,
                                    .context = &app->readiness};
    if (!app->settings.admin_listen || admin_new(&options, &app->admin, error, sizeof(error)) == STATUS_OK)
        return -1;
    return exit_status_explain(EXIT_STATUS_UNAVAILABLE, error);
}

static int make_door(struct app *app, const struct http_site *site, const struct app_program *program) {
    char error[ERROR_MAX];
    const struct http_door_options options = {.site = site,
                                              .settings = &http_settings,
                                              .clock = app->clock,
                                              .program = program,
                                              .server = app->server,
                                              .loops = app->loops,
                                              .is_shared = app->transport_settings.reuse_port};
    bool is_made = http_door_new(&options, &app->doors[app->door_count++], error, sizeof(error)) == STATUS_OK;
    return is_made ? -1 : exit_status_explain(EXIT_STATUS_UNAVAILABLE, error);
}

static int make_doors(struct app *app) {
    int exit_code = make_door(app, &http_rpc_site, app->program);
    for (size_t i = 0; exit_code < 0 && i < app->program->service_count; i++)
        if (app->program->services[i]->site)
            exit_code = make_door(app, app->program->services[i]->site, NULL);
    return exit_code;
}

static enum status open_parts(struct app *app) {
    size_t loops = app->settings.loops ? (size_t)app->settings.loops : count_cores();
    enum status status = metrics_new(&app->metrics);
    if (status == STATUS_OK)
        status = loop_group_new(loops, app->clock, &app->loops);
    if (status == STATUS_OK)
        status = db_end_new(&app->end);
    if (status == STATUS_OK)
        status = open_uses(app);
    if (status == STATUS_OK && has_managed_methods(app))
        status = open_management(app);
    return status == STATUS_OK ? open_transport(app) : status;
}

// From here on threads run.
static enum status start_threads(struct app *app) {
    if (app->jobs) {
        enum status status = jobs_start(app->jobs);
        if (status != STATUS_OK)
            return status;
    }
    return loop_group_start(app->loops);
}

// Returns an exit code, or -1 to go on.
static int open_ports(struct app *app) {
    char error[ERROR_MAX];
    app->is_open = true;
    enum status status = admin_open(app->admin, error, sizeof(error));
    for (size_t i = 0; status == STATUS_OK && i < app->door_count; i++)
        status = http_door_open(app->doors[i], error, sizeof(error));
    if (status == STATUS_OK)
        status = grpc_server_open(app->server, error, sizeof(error));
    if (status != STATUS_OK)
        return exit_status_explain(EXIT_STATUS_UNAVAILABLE, error);
    log_event(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", listener_get_address(app->listener)),
              app->admin ? LOG_INTEGER("admin_port", admin_get_port(app->admin))
                         : LOG_TEXT("admin_port", NULL),
              app->doors[0] ? LOG_INTEGER("http_port", http_door_get_port(app->doors[0]))
                            : LOG_TEXT("http_port", NULL),
              LOG_INTEGER("loops", loop_group_get_count(app->loops)));
    service_manager_say_ready();
    return -1;
}

// Everything but the first call. Returns an exit code, or -1 to go on.
static int start(struct app *app) {
    char error[ERROR_MAX];
    enum status status = open_parts(app);
    if (status != STATUS_OK)
        return exit_status_explain(EXIT_STATUS_SOFTWARE, status_get_text(status));
    if (grpc_server_listen(app->server, app->settings.listen, error, sizeof(error), &app->listener) !=
        STATUS_OK)
        return exit_status_explain(EXIT_STATUS_UNAVAILABLE, error);
    name_instance(app);

    int exit_code = make_doors(app);
    if (exit_code < 0)
        exit_code = make_admin(app);
    if (exit_code < 0) // all addresses are ours
        exit_code = start_services(app);
    if (exit_code >= 0)
        return exit_code;
    status = register_metrics(app);
    if (status == STATUS_OK)
        status = loop_hooks_add(app->program, app->loops, &app->loop_hooks);
    if (status != STATUS_OK)
        return exit_status_explain(EXIT_STATUS_SOFTWARE, status_get_text(status));
    if ((status = start_threads(app)) != STATUS_OK)
        return exit_status_explain(EXIT_STATUS_SOFTWARE, status_get_text(status));
    return app->transport_settings.reuse_port ? -1 : open_ports(app);
}

// ---- life ----

static void tick_services(const struct app *app) {
    for (size_t i = 0; i < app->program->service_count; i++)
        if (app->program->services[i]->tick)
            app->program->services[i]->tick();
}

static void reload_services(const struct app *app) {
    for (size_t i = 0; i < app->program->service_count; i++)
        if (app->program->services[i]->reload)
            app->program->services[i]->reload();
}

// Returns an exit code, or -1 when it was told to stop.
static int serve(struct app *app, const sigset_t *signals) {
    for (int number = 0; number != SIGTERM && number != SIGINT; number = signals_wait(signals, TICK_MS)) {
        if (!atomic_load_explicit(&app->readiness.is_database_checked, memory_order_relaxed)) {
            int exit_code = check_database(app, TICK_MS);
            if (exit_code >= 0)
                return exit_code;
        }
        if (app->database)
            database_probe_tick(&app->probe);
        if (number == SIGHUP) {
            tls_material_reload();
            reload_services(app);
        }
        tls_material_tick();
        tick_services(app);
        if (readiness_update(&app->readiness) && !app->is_open) {
            int exit_code = open_ports(app);
            if (exit_code >= 0)
                return exit_code;
        }
    }
    return -1;
}

static int64_t get_now_ms(const struct app *app) {
    return (int64_t)(clock_get_monotonic_ns(app->clock) / 1000000);
}

static void drain(struct app *app, const sigset_t *signals) {
    log_event(LOG_LEVEL_INFO, "leaving");
    service_manager_say_stopping();
    for (size_t i = 0; i < app->door_count; i++)
        http_door_leave(app->doors[i]);
    if (app->transport_settings.reuse_port)
        admin_leave(app->admin);
    atomic_store_explicit(&app->readiness.is_leaving, true, memory_order_relaxed);
    (void)readiness_update(&app->readiness);
    int64_t until_ms = get_now_ms(app) + app->settings.drain_delay_ms;
    for (int64_t left_ms; (left_ms = until_ms - get_now_ms(app)) > 0;) {
        int number = signals_wait(signals, left_ms);
        if (number == SIGTERM || number == SIGINT)
            break;
    }
    log_event(LOG_LEVEL_INFO, "draining");
    grpc_health_end_watches(app->health);
    for (size_t i = 0; i < app->door_count; i++)
        http_door_stop_accepting(app->doors[i]);
    until_ms = get_now_ms(app) + app->settings.drain_grace_ms;
    if (!grpc_server_drain(app->server, (uint32_t)app->settings.drain_grace_ms))
        log_event(LOG_LEVEL_WARNING, "calls were still running after the grace period");
    for (size_t i = 0; i < app->door_count; i++) {
        int64_t left_ms = until_ms - get_now_ms(app);
        http_door_drain(app->doors[i], left_ms > 0 ? (uint32_t)left_ms : 0);
    }
}

// In the reverse order of start(), from wherever that stopped.
static void stop(struct app *app) {
    db_end_begin(app->end);
    validators_end_waits(app->validators);
    for (size_t i = 0; i < app->door_count; i++)
        http_door_close(app->doors[i]);
    if (app->loops)
        loop_group_stop(app->loops);
    admin_free(app->admin); // it asks the others, so it ends before them
    use_log_free(app->uses);
    jobs_free(app->jobs);
    mailer_close();
    for (size_t i = app->started_services; i-- > 0;)
        if (app->program->services[i]->stop)
            app->program->services[i]->stop(app);
    validators_free(app->validators);
    worker_pool_free(app->workers);
    db_pool_free(app->database);
    db_end_free(app->end);
    for (size_t i = 0; i < app->door_count; i++)
        http_door_free(app->doors[i]);
    grpc_server_free(app->server);
    tls_material_close();
    loop_group_free(app->loops);
    grpc_health_free(app->health);
    grpc_reflection_free(app->reflection);
    for (size_t i = 0; i < app->program->service_count; i++)
        dispatch_free_table(&app->managed_tables[i]);
    loop_hooks_free(app->loop_hooks);
    metrics_free(app->metrics);
    deployment_cache_free(app->deployments);
    ip_set_free(app->trusted_proxies);
}

int app_main(const struct app_program *program, int argc, char **argv) {
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return exit_status_explain(EXIT_STATUS_SOFTWARE, status_get_text(STATUS_NO_MEMORY));
    app->program = program;
    app->clock = clock_get_system();
    app->process = (struct process_metrics){program->name, clock_get_realtime_ms(app->clock)};
    app->readiness.program = program;
    app->readiness.probe = &app->probe;

    int exit_code = read_settings(app, argc, argv);
    if (exit_code < 0) {
        sigset_t signals;
        process_set_up();
        signals_block(&signals);
        log_configure((enum log_level)app->settings.log_level, (enum log_format)app->settings.log_format,
                      program->name);
        exit_code = check_database(app, DATABASE_PATIENCE_MS);
        if (exit_code < 0)
            exit_code = start(app);
        if (exit_code < 0 && (exit_code = serve(app, &signals)) < 0) {
            drain(app, &signals);
            exit_code = EXIT_STATUS_OK;
        }
        stop(app);
        if (exit_code == EXIT_STATUS_OK)
            log_event(LOG_LEVEL_INFO, "stopped");
    }
    config_files_free(app->settings.config);
    free(app);
    return exit_code;
}

// ---- for services ----

const struct app_settings *app_get_settings(const struct app *app) {
    return &app->settings;
}

struct bearer_shape app_get_bearer_shape(const struct app *app) {
    return (struct bearer_shape){app->settings.brand, app->settings.accept_foreign_secrets};
}

const struct clock *app_get_clock(const struct app *app) {
    return app->clock;
}

struct db_pool *app_get_database(const struct app *app) {
    return app->database;
}

const struct db_end *app_get_database_end(const struct app *app) {
    return app->end;
}

const struct ip_set *app_get_trusted_proxies(const struct app *app) {
    return app->trusted_proxies;
}

struct metrics *app_get_metrics(const struct app *app) {
    return app->metrics;
}

size_t app_get_loop_count(const struct app *app) {
    return loop_group_get_count(app->loops);
}

struct use_loop *app_get_use_loop(struct app *app, size_t index) {
    return use_log_get_loop(app->uses, index);
}

void app_wake_validators(struct app *app) {
    validators_wake(app->validators);
}

const char *app_get_instance_name(const struct app *app) {
    return app->instance_name;
}
