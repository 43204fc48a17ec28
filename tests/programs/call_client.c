// The product's client, driven by lines on standard input, for the tests of it against other people's
// servers. Every call is from one google.protobuf.StringValue to another.
//
//     call-client --target=ADDRESS [--tls] [--service-config=JSON] [--timeout=5s] ...
//
// A line is FLAGS PATH VALUE: the flags r (repeatable), w (wait for ready) or - (none). It is answered by
// "OK VALUE" or "STATUS REASON MESSAGE".
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/config.h"
#include "common/grpc/status_code.h"
#include "common/grpc_client/client.h"
#include "google/protobuf/wrappers.pb-c.h"

#define LINE_MAX_BYTES 4096

struct settings {
    const char *target, *service_config;
    bool is_tls, allow_plaintext;
    const char *ca_file, *certificate_file, *key_file, *server_name;
    int64_t timeout_ms, connect_timeout_ms, keepalive_time_ms, keepalive_timeout_ms, max_response_bytes;
};

#define TEXT(name_, field, help_) \
    { .name = name_, .type = SETTING_TEXT, .offset = offsetof(struct settings, field), .help = help_ }
#define FLAG(name_, field, help_) \
    { .name = name_, .type = SETTING_BOOLEAN, .offset = offsetof(struct settings, field), .help = help_ }
#define NUMBER(name_, type_, field, value, help_)                                                         \
    {                                                                                                     \
        .name = name_, .type = type_, .offset = offsetof(struct settings, field), .default_value = value, \
        .max = INT32_MAX, .help = help_                                                                   \
    }

static const struct setting rows[] = {
    TEXT("target", target, "Where the servers are."),
    TEXT("service-config", service_config, "gRPC's service config as JSON."),
    FLAG("tls", is_tls, "Speak TLS."),
    FLAG("plaintext", allow_plaintext, "Speak to other machines without TLS."),
    TEXT("ca", ca_file, "Who vouches for the servers."),
    TEXT("certificate", certificate_file, "This client's own."),
    TEXT("key", key_file, "Of the certificate."),
    TEXT("server-name", server_name, "That the server's certificate is for."),
    NUMBER("timeout", SETTING_DURATION, timeout_ms, "10s", "Of a call."),
    NUMBER("connect-timeout", SETTING_DURATION, connect_timeout_ms, "5s", "Until the server has spoken."),
    NUMBER("keepalive-time", SETTING_DURATION, keepalive_time_ms, "0", "Silence before a PING."),
    NUMBER("keepalive-timeout", SETTING_DURATION, keepalive_timeout_ms, "0", "For its answer."),
    NUMBER("max-response", SETTING_SIZE, max_response_bytes, "0", "Of one message."),
};

static int fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    return EXIT_FAILURE;
}

static void print_fault(const struct fault *fault) {
    printf("%s %s %s\n", grpc_code_get_name(grpc_code_from_status(fault->status)),
           fault->reason && fault->reason[0] ? fault->reason : "-", fault->message ? fault->message : "");
}

static void call(struct grpc_client *client, const char *flags, const char *path, char *value) {
    Google__Protobuf__StringValue request = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    request.value = value;
    const struct grpc_client_call call = {.path = path,
                                          .request = &request.base,
                                          .response = &google__protobuf__string_value__descriptor,
                                          .is_repeatable = strchr(flags, 'r') != NULL,
                                          .wait_for_ready = strchr(flags, 'w') != NULL};
    struct arena arena;
    struct fault fault;
    ProtobufCMessage *response;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    if (grpc_client_call(client, &call, &arena, &response, &fault) == STATUS_OK)
        printf("OK %s\n", ((const Google__Protobuf__StringValue *)response)->value);
    else
        print_fault(&fault);
    fflush(stdout);
    arena_fini(&arena);
}

static void obey_lines(struct grpc_client *client) {
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof(line), stdin)) {
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        const char *flags = strsep(&rest, " "), *path = strsep(&rest, " ");
        if (path)
            call(client, flags, path, rest ? rest : line + strlen(line));
    }
}

int main(int argc, char **argv) {
    struct settings settings;
    const struct config_table table = {
        .title = "Test client", .settings = rows, .count = ARRAY_LENGTH(rows), .base = &settings};
    char error[600];
    if (config_read(&table, 1, &argc, argv, environ, error, sizeof(error)) != STATUS_OK)
        return fail(error);
    const struct grpc_client_tls tls = {.ca_file = settings.ca_file,
                                        .certificate_file = settings.certificate_file,
                                        .key_file = settings.key_file,
                                        .server_name = settings.server_name};
    const struct grpc_client_options options = {.call_timeout_ms = settings.timeout_ms,
                                                .connect_timeout_ms = settings.connect_timeout_ms,
                                                .max_response_bytes = (uint32_t)settings.max_response_bytes,
                                                .tls = settings.is_tls ? &tls : NULL,
                                                .allow_plaintext = settings.allow_plaintext,
                                                .service_config = settings.service_config,
                                                .keepalive_time_ms = settings.keepalive_time_ms,
                                                .keepalive_timeout_ms = settings.keepalive_timeout_ms};
    struct grpc_client *client;
    if (grpc_client_new(settings.target, &options, &client, error, sizeof(error)) != STATUS_OK)
        return fail(error);
    signal(SIGPIPE, SIG_IGN);
    obey_lines(client);
    grpc_client_free(client);
    return EXIT_SUCCESS;
}
