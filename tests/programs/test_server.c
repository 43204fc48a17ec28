#include "tests/programs/test_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/app/http_door.h"
#include "common/app/http_rpc.h"
#include "common/app/tls_material.h"
#include "common/app/tls_settings.h"
#include "common/base/config.h"

struct test_settings {
    const char *listen;
    int64_t loops;
    int64_t drain_grace_ms;
};

static const struct setting rows[] = {
    {.name = "listen",
     .type = SETTING_TEXT,
     .offset = offsetof(struct test_settings, listen),
     .default_value = "127.0.0.1:0",
     .help = "Where to listen."},
    {.name = "loops",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct test_settings, loops),
     .default_value = "1",
     .min = 1,
     .max = 64,
     .help = "Event loops."},
    {.name = "drain-grace",
     .type = SETTING_DURATION,
     .offset = offsetof(struct test_settings, drain_grace_ms),
     .default_value = "10s",
     .min = 0,
     .max = 600000,
     .help = "How long calls may go on after SIGTERM."},
};

static int fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    return EXIT_FAILURE;
}

static void get_signals(sigset_t *ret_signals) {
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGUSR1);
    sigaddset(ret_signals, SIGHUP);
}

static void print_counters(const struct grpc_server *server) {
    struct grpc_stats stats;
    grpc_server_read_stats(server, &stats, NULL);
    printf("counters refused=%lu inflated=%lu slowed=%lu", stats.calls_refused, stats.calls_inflated,
           stats.connections_slowed);
    for (int i = 0; i < GRPC_CLOSE_COUNT; i++)
        printf(" %s=%lu", grpc_close_get_name((enum grpc_close)i), stats.connections_closed[i]);
    printf("\n");
    fflush(stdout);
}

static void wait_for_end(const struct grpc_server *server) {
    sigset_t signals;
    int number = 0;
    get_signals(&signals);
    while (sigwait(&signals, &number) == 0 && (number == SIGUSR1 || number == SIGHUP)) {
        if (number == SIGHUP)
            tls_material_reload();
        else
            print_counters(server);
    }
}

static void print_address(const struct test_server *test, const struct listener *listener,
                          unsigned http_port) {
    (void)test, (void)http_port;
    printf("listening %s\n", listener_get_address(listener));
}

static int serve(const struct test_server *test, struct grpc_server *server, struct http_door *door,
                 const struct test_settings *settings) {
    char error[256];
    const struct listener *listener;
    if (grpc_server_listen(server, settings->listen, error, sizeof(error), &listener) != STATUS_OK)
        return fail(error);
    if (loop_group_start(test->options.loops) != STATUS_OK)
        return fail("cannot start the loops");
    if (http_door_open(door, error, sizeof(error)) != STATUS_OK)
        return fail(error);
    (test->on_listening ? test->on_listening : print_address)(test, listener, http_door_get_port(door));
    fflush(stdout);
    wait_for_end(server);
    bool is_drained = grpc_server_drain(server, (uint32_t)settings->drain_grace_ms);
    http_door_drain(door, (uint32_t)settings->drain_grace_ms);
    return is_drained ? EXIT_SUCCESS : fail("calls were cut off");
}

static int serve_and_stop(const struct test_server *test, struct grpc_server *server,
                          const struct test_settings *settings) {
    struct loop_group *loops = test->options.loops;
    const struct http_door_options options = {.site = &http_rpc_site,
                                              .settings = &http_settings,
                                              .clock = clock_get_system(),
                                              .server = server,
                                              .loops = loops};
    char error[256];
    struct http_door *door;
    if (http_door_new(&options, &door, error, sizeof(error)) != STATUS_OK)
        return fail(error);
    int result = serve(test, server, door, settings);
    http_door_close(door);
    loop_group_stop(loops);
    http_door_free(door);
    return result;
}

int test_server_run(struct test_server *test, int argc, char **argv) {
    struct grpc_server_options *options = &test->options;
    struct test_settings settings;
    const struct config_table tables[] = {
        {.title = "Test server", .settings = rows, .count = ARRAY_LENGTH(rows), .base = &settings},
        grpc_server_settings_get_table(&options->settings),
        tls_settings_get_table(),
        {.title = "HTTP/1.1",
         .settings = http_setting_table,
         .count = http_setting_count,
         .base = &http_settings},
    };
    char error[256];
    if (config_read(tables, ARRAY_LENGTH(tables), &argc, argv, environ, error, sizeof(error)) != STATUS_OK ||
        tls_settings_complete(error, sizeof(error)) != STATUS_OK ||
        tls_material_open(clock_get_system(), error, sizeof(error)) != STATUS_OK)
        return fail(error);
    tls_material_fill(options);

    sigset_t signals;
    get_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct grpc_server *server;
    if (loop_group_new((size_t)settings.loops, clock_get_system(), &options->loops) != STATUS_OK)
        return fail("out of memory");
    int result = EXIT_FAILURE;
    if (grpc_server_new(options, &server) == STATUS_OK) {
        result = serve_and_stop(test, server, &settings);
        grpc_server_free(server);
    }
    loop_group_free(options->loops);
    tls_material_close();
    return result;
}
