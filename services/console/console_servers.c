#include "services/console/console_servers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/watched_files.h"
#include "common/base/log.h"
#include "common/protobuf/contract.h"

enum { ERROR_MAX = 512, LABELS_MAX = 64, MINUTE_MS = 60000 };

struct console_servers_settings console_servers_settings;

#define OF(member) offsetof(struct console_servers_settings, member)
#define OWN_ADDRESS(server) OF(own_address) + CONSOLE_SERVER_##server * sizeof(const char *)

const struct setting console_servers_setting_table[] = {
    {.name = "services-address",
     .type = SETTING_TEXT,
     .offset = OF(address),
     .default_value = "127.0.0.1:7070",
     .value_name = "ADDRESS",
     .help = "Where the servers are that have no address of their own below: HOST:PORT, several of them, "
             "https://HOST:PORT or dns:///HOST:PORT. They need this program's address in their "
             "--trusted-proxies."},
    {.name = "token-address",
     .type = SETTING_TEXT,
     .offset = OWN_ADDRESS(TOKEN),
     .value_name = "ADDRESS",
     .help = "Where latchkey-token is."},
    {.name = "whitelist-address",
     .type = SETTING_TEXT,
     .offset = OWN_ADDRESS(WHITELIST),
     .value_name = "ADDRESS",
     .help = "Where latchkey-whitelist is."},
    {.name = "invitation-address",
     .type = SETTING_TEXT,
     .offset = OWN_ADDRESS(INVITATION),
     .value_name = "ADDRESS",
     .help = "Where latchkey-invitation is."},
    {.name = "validator-address",
     .type = SETTING_TEXT,
     .offset = OWN_ADDRESS(VALIDATOR),
     .value_name = "ADDRESS",
     .help = "Where a latchkey-validator is, which explains decisions."},
    {.name = "services-ca-file",
     .type = SETTING_TEXT,
     .offset = OF(ca_file),
     .value_name = "PATH",
     .help = "PEM file of the authorities that may vouch for the servers' certificates; makes the "
             "connections TLS. Unset: the system's, where TLS is spoken."},
    {.name = "services-certificate-file",
     .type = SETTING_TEXT,
     .offset = OF(certificate_file),
     .value_name = "PATH",
     .help = "This program's own certificate, for servers that ask for one; makes the connections TLS."},
    {.name = "services-key-file",
     .type = SETTING_TEXT,
     .offset = OF(key_file),
     .value_name = "PATH",
     .help = "The key of that certificate."},
    {.name = "services-server-name",
     .type = SETTING_TEXT,
     .offset = OF(server_name),
     .value_name = "NAME",
     .help = "The name that the servers' certificates are for. Unset: the host of the address."},
    {.name = "services-allow-plaintext",
     .type = SETTING_BOOLEAN,
     .offset = OF(allow_plaintext),
     .default_value = "false",
     .help = "Speak to servers on other machines without TLS."},
    {.name = "services-timeout",
     .type = SETTING_DURATION,
     .offset = OF(timeout_ms),
     .default_value = "30s",
     .min = 100,
     .max = 10 * MINUTE_MS,
     .help = "How long a call to a server may take at most."},
    {.name = "services-calls",
     .type = SETTING_INTEGER,
     .offset = OF(calls_max),
     .default_value = "32",
     .min = 4,
     .max = 1024,
     .help =
         "Calls to the servers at once, each on a thread and a connection, of which those of one lane get "
         "three quarters; more wait as --worker-queue says."},
};

static const char *const names[] = {
    [CONSOLE_SERVER_TOKEN] = "token",
    [CONSOLE_SERVER_WHITELIST] = "whitelist",
    [CONSOLE_SERVER_INVITATION] = "invitation",
    [CONSOLE_SERVER_VALIDATOR] = "validator",
};

// ---- making clients ----

static const struct clock *time_source;

static bool is_set(const char *text) {
    return text && *text;
}

static const char *get_address(enum console_server server) {
    const char *own = console_servers_settings.own_address[server];
    return is_set(own) ? own : console_servers_settings.address;
}

static const char *find_text(const char *text) {
    return is_set(text) ? text : NULL;
}

static enum status make_client(enum console_server server, struct grpc_client **ret_client, char *ret_error,
                               size_t error_size) {
    const struct console_servers_settings *settings = &console_servers_settings;
    const struct grpc_client_tls tls = {.ca_file = find_text(settings->ca_file),
                                        .certificate_file = find_text(settings->certificate_file),
                                        .key_file = find_text(settings->key_file),
                                        .server_name = find_text(settings->server_name)};
    bool is_tls = tls.ca_file || tls.certificate_file || tls.key_file || tls.server_name;
    const struct grpc_client_options options = {.call_timeout_ms = settings->timeout_ms,
                                                .clock = time_source,
                                                .tls = is_tls ? &tls : NULL,
                                                .allow_plaintext = settings->allow_plaintext};
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    return grpc_client_new(get_address(server), &options, ret_client, ret_error, error_size);
}

enum status console_servers_check(char *ret_error, size_t error_size) {
    const struct console_servers_settings *settings = &console_servers_settings;
    if (is_set(settings->certificate_file) != is_set(settings->key_file)) {
        snprintf(ret_error, error_size,
                 "--services-certificate-file and --services-key-file: give both, or neither");
        return STATUS_INVALID;
    }
    for (size_t i = 0; i < CONSOLE_SERVER_COUNT; i++) {
        char error[ERROR_MAX];
        struct grpc_client *client = NULL;
        enum status status = make_client((enum console_server)i, &client, error, sizeof(error));
        grpc_client_free(client);
        if (status == STATUS_OK)
            continue;
        snprintf(ret_error, error_size, "the console's way to the servers of %s: %s", names[i], error);
        return status;
    }
    return STATUS_OK;
}

// ---- keeping them ----

struct kept_client {
    struct kept_client *next;
    struct grpc_client *client;
    unsigned generation;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
// Under `mutex`. Those in use are nobody's but their callers'.
static struct kept_client *idle[CONSOLE_SERVER_COUNT];
static unsigned generation; // of the files of TLS

static void free_client(struct kept_client *kept) {
    grpc_client_free(kept->client);
    free(kept);
}

static struct kept_client *take_kept(enum console_server server, unsigned *ret_generation) {
    pthread_mutex_lock(&mutex);
    struct kept_client *kept = idle[server];
    if (kept)
        idle[server] = kept->next;
    *ret_generation = generation;
    pthread_mutex_unlock(&mutex);
    return kept;
}

// NULL, with a sentence: the files can't be read as they are now.
static struct kept_client *take_client(enum console_server server, char *ret_error, size_t error_size) {
    unsigned present;
    struct kept_client *kept;
    while ((kept = take_kept(server, &present)) && kept->generation != present)
        free_client(kept);
    if (kept)
        return kept;
    snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
    kept = calloc(1, sizeof(*kept));
    if (!kept)
        return NULL;
    kept->generation = present;
    if (make_client(server, &kept->client, ret_error, error_size) == STATUS_OK)
        return kept;
    free(kept);
    return NULL;
}

static void give_back(enum console_server server, struct kept_client *kept) {
    pthread_mutex_lock(&mutex);
    kept->next = idle[server];
    idle[server] = kept;
    pthread_mutex_unlock(&mutex);
}

static enum status read_files(char *ret_error, size_t error_size) {
    enum status status = console_servers_check(ret_error, error_size);
    if (status != STATUS_OK)
        return status;
    pthread_mutex_lock(&mutex);
    generation++;
    pthread_mutex_unlock(&mutex);
    return STATUS_OK;
}

static struct watched_files files = {
    .paths = {&console_servers_settings.ca_file, &console_servers_settings.certificate_file,
              &console_servers_settings.key_file},
    .read = read_files,
    .read_again = "the files of TLS for the console's servers were read again",
    .unusable = "the files of TLS for the console's servers can't be used",
};

void console_servers_start(const struct clock *clock) {
    time_source = clock;
    (void)watched_files_look(&files);
}

void console_servers_stop(void) {
    struct kept_client *kept;
    unsigned ignored;
    for (size_t i = 0; i < CONSOLE_SERVER_COUNT; i++)
        while ((kept = take_kept((enum console_server)i, &ignored)))
            free_client(kept);
}

void console_servers_tick(void) {
    watched_files_tick(&files);
}

void console_servers_reload(void) {
    watched_files_reload(&files);
}

// ---- calls ----

// Relaxed: read by the admin port, and by whoever is about to log.
static _Atomic uint64_t answered[CONSOLE_SERVER_COUNT], unanswered[CONSOLE_SERVER_COUNT];
static atomic_bool is_away[CONSOLE_SERVER_COUNT];

// Whether the words are this side's own, or about this side.
static bool is_ours(const char *reason) {
    static const char *const reasons[] = {GRPC_CLIENT_NAME_NOT_FOUND,     GRPC_CLIENT_NOT_REACHABLE,
                                          GRPC_CLIENT_CONNECT_TIMEOUT,    GRPC_CLIENT_NOT_GRPC,
                                          GRPC_CLIENT_TLS_FAILED,         GRPC_CLIENT_TLS_REQUIRED,
                                          GRPC_CLIENT_PLAINTEXT_REFUSED,  GRPC_CLIENT_NOT_SERVING,
                                          GRPC_CLIENT_CONNECTION_LOST,    GRPC_CLIENT_RESPONSE_TOO_LARGE,
                                          GRPC_CLIENT_RESPONSE_MALFORMED, GRPC_CLIENT_STREAM_RESET,
                                          GRPC_CLIENT_DEADLINE,           "PROXY_NOT_TRUSTED"};
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

static void note_away(enum console_server server, const char *reason, const char *words) {
    atomic_fetch_add_explicit(&unanswered[server], 1, memory_order_relaxed);
    if (!atomic_exchange_explicit(&is_away[server], true, memory_order_relaxed))
        log_event(LOG_LEVEL_WARNING, "a server can't be asked", LOG_TEXT("server", names[server]),
                  LOG_TEXT("address", get_address(server)), LOG_TEXT("reason", reason),
                  LOG_TEXT("words", words));
}

static void note_answer(enum console_server server) {
    atomic_fetch_add_explicit(&answered[server], 1, memory_order_relaxed);
    if (atomic_exchange_explicit(&is_away[server], false, memory_order_relaxed))
        log_event(LOG_LEVEL_INFO, "a server can be asked again", LOG_TEXT("server", names[server]));
}

// What the browser is told in place of `theirs`. A change may have been made that nothing was heard of.
static enum status tell(const struct grpc_client_call *call, const struct fault *theirs,
                        struct fault *fault) {
    bool is_late = theirs->status == STATUS_DEADLINE_EXCEEDED;
    if (theirs->status == STATUS_OUTCOME_UNKNOWN || (is_late && !contract_is_reading(call->path)))
        return fault_set(fault, STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN",
                         "nothing was heard of what was asked for: it may have been done");
    if (is_late)
        return fault_set(fault, STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
                         "the call's deadline has passed");
    return fault_set(fault, STATUS_UNAVAILABLE, "SERVER_UNAVAILABLE",
                     "the console does not reach what would answer this; try again later");
}

enum status console_servers_call(enum console_server server, const struct grpc_client_call *call,
                                 struct arena *arena, ProtobufCMessage **ret_response, struct fault *fault) {
    char error[ERROR_MAX];
    struct fault theirs;
    fault_init(&theirs, arena);
    struct kept_client *kept = take_client(server, error, sizeof(error));
    if (!kept) {
        note_away(server, "CLIENT_NOT_MADE", error);
        return tell(call, &theirs, fault);
    }
    enum status status = grpc_client_call(kept->client, call, arena, ret_response, &theirs);
    give_back(server, kept);
    if (status == STATUS_OK || (theirs.reason && !is_ours(theirs.reason))) {
        note_answer(server);
        *fault = theirs;
        return status;
    }
    note_away(server, theirs.reason, theirs.message);
    return tell(call, &theirs, fault);
}

void console_servers_write_metrics(struct metrics_writer *writer, void *context) {
    (void)context;
    const struct {
        const char *name;
        _Atomic uint64_t *counts;
    } outcomes[] = {{"answered", answered}, {"unanswered", unanswered}};
    for (size_t i = 0; i < CONSOLE_SERVER_COUNT * ARRAY_LENGTH(outcomes); i++) {
        char labels[LABELS_MAX];
        size_t server = i / ARRAY_LENGTH(outcomes), outcome = i % ARRAY_LENGTH(outcomes);
        snprintf(labels, sizeof(labels), "server=\"%s\",outcome=\"%s\"", names[server],
                 outcomes[outcome].name);
        metrics_write_counter(
            writer, "latchkey_console_calls_total",
            "Calls that the console has passed on, by who was asked and whether they answered.", labels,
            atomic_load_explicit(&outcomes[outcome].counts[server], memory_order_relaxed));
    }
    watched_files_write_metrics(writer, "latchkey_console_reload_total",
                                "Times that files of TLS for the console's servers were read again.", &files,
                                1);
}
