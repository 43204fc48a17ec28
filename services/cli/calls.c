#include "services/cli/calls.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/crypto/secret.h"
#include "common/grpc_client/client.h"
#include "common/protobuf/field.h"
#include "services/cli/secret_text.h"
#include "services/cli/transport_options.h"

#define METADATA_MAX 2
#define NS_PER_MS 1000000
#define CALL_TIMEOUT_MS 30000
#define ERROR_MAX 400

static const char *const address_variables[RPC_SERVER_COUNT] = {
    [RPC_SERVER_TOKEN] = "LATCHKEY_TOKEN_ADDRESS",
    [RPC_SERVER_WHITELIST] = "LATCHKEY_WHITELIST_ADDRESS",
    [RPC_SERVER_INVITATION] = "LATCHKEY_INVITATION_ADDRESS",
    [RPC_SERVER_VALIDATOR] = "LATCHKEY_VALIDATOR_ADDRESS",
};

struct server {
    const char *address;
    struct grpc_client *client;
};

struct servers {
    struct server by_address[RPC_SERVER_COUNT]; // the first `count`; servers at one address share it
    size_t count;
    char *authorization; // "Bearer ..."; NULL = none
    const char *company;
    int64_t last_ms;
};

static const char *get_address(const struct cli *cli, enum rpc_server server) {
    const char *address = options_find_text(&cli->options, "address");
    if (!address)
        address = cli_get_variable(cli, address_variables[server]);
    if (!address)
        address = cli_get_variable(cli, "LATCHKEY_ADDRESS");
    return address ? address : CALLS_DEFAULT_ADDRESS;
}

// The variable that holds the caller's token, by whether --operator was given.
static const char *get_token_variable(const struct cli *cli) {
    return options_has(&cli->options, "operator") ? "LATCHKEY_OPERATOR_TOKEN" : "LATCHKEY_TOKEN";
}

// NULL with EXIT_CODE_DONE when there is none.
static const char *read_token(struct cli *cli, enum exit_code *ret_code) {
    *ret_code = EXIT_CODE_DONE;
    const char *file = options_find_text(&cli->options, "token-file");
    if (file)
        return secret_text_read(cli, file, ret_code);
    const char *variable = get_token_variable(cli), *value = cli_get_variable(cli, variable);
    file = cli_get_variable(cli, "LATCHKEY_TOKEN_FILE");
    if (value && file && !options_has(&cli->options, "operator")) {
        *ret_code = cli_fail(cli, EXIT_CODE_USAGE,
                             "LATCHKEY_TOKEN and LATCHKEY_TOKEN_FILE are both set, and may name two tokens: "
                             "unset one, or say --token-file");
        return NULL;
    }
    if (value)
        return secret_text_check(cli, value, variable, ret_code);
    return file ? secret_text_read(cli, file, ret_code) : NULL;
}

const char *calls_describe_token(struct cli *cli) {
    const char *file = options_find_text(&cli->options, "token-file"), *variable = get_token_variable(cli);
    if (!file && cli_get_variable(cli, variable))
        return cli_format(cli, "your token came from %s", variable);
    if (!file)
        file = cli_get_variable(cli, "LATCHKEY_TOKEN_FILE");
    if (!file)
        return cli_format(cli, "put your token into %s, or its file's name into --token-file", variable);
    return cli_format(cli, "your token came from %s", strcmp(file, "-") == 0 ? "standard input" : file);
}

enum exit_code calls_begin(struct cli *cli) {
    if (cli->servers)
        return EXIT_CODE_DONE;
    enum exit_code code;
    const char *token = read_token(cli, &code);
    if (!token && code != EXIT_CODE_DONE)
        return code;
    struct servers *servers = cli_need(ARENA_NEW(&cli->arena, struct servers));
    if (token)
        servers->authorization = cli_need(arena_format(&cli->arena, "Bearer %s", token));
    servers->company = options_find_text(&cli->options, "company");
    if (!servers->company)
        servers->company = cli_get_variable(cli, "LATCHKEY_COMPANY");
    cli->servers = servers;
    return EXIT_CODE_DONE;
}

static enum exit_code make_client(struct cli *cli, const char *address, struct grpc_client **ret_client) {
    struct transport_options transport;
    enum exit_code code = transport_options_read(cli, address, &transport);
    if (code != EXIT_CODE_DONE)
        return code;
    const struct grpc_client_options options = {.call_timeout_ms = CALL_TIMEOUT_MS,
                                                .tls = transport.is_tls ? &transport.tls : NULL,
                                                .allow_plaintext = transport.allow_plaintext};
    char error[ERROR_MAX];
    enum status status = grpc_client_new(address, &options, ret_client, error, sizeof(error));
    if (status == STATUS_OK)
        return EXIT_CODE_DONE;
    return cli_fail(cli, exit_code_from_status(status), "%s", error);
}

static enum exit_code find_client(struct cli *cli, enum rpc_server wanted, struct grpc_client **ret_client) {
    struct servers *servers = cli->servers;
    const char *address = get_address(cli, wanted);
    for (size_t i = 0; i < servers->count; i++) {
        if (strcmp(servers->by_address[i].address, address) == 0) {
            *ret_client = servers->by_address[i].client;
            return EXIT_CODE_DONE;
        }
    }
    struct server *server = &servers->by_address[servers->count];
    enum exit_code code = make_client(cli, address, &server->client);
    if (code != EXIT_CODE_DONE)
        return code;
    server->address = address;
    servers->count++;
    *ret_client = server->client;
    return EXIT_CODE_DONE;
}

const char *calls_get_address_variable(enum rpc_server server) {
    return address_variables[server];
}

ProtobufCMessage *calls_new_request(struct cli *cli, enum rpc_id id) {
    return cli_need(field_new_message(&cli->arena, rpc_get(id)->request));
}

void calls_set_wait(struct cli *cli, ProtobufCMessage *request) {
    int64_t wait_ms = options_get_number(&cli->options, "wait", 0);
    if (wait_ms > 0)
        cli_must(field_set_duration_ms(&cli->arena, request, "wait_for_validators", wait_ms));
}

void calls_set_change_options(struct cli *cli, ProtobufCMessage *request) {
    calls_set_wait(cli, request);
    const char *id = options_find_text(&cli->options, "request-id");
    if (id)
        cli_must(field_set_text(&cli->arena, request, "request_id", id));
}

static enum exit_code refuse_without_token(struct cli *cli) {
    return cli_fail(
        cli, EXIT_CODE_NOT_ALLOWED,
        "no token: put yours into %s, or its file's name into --token-file (\"-\" is standard input)",
        get_token_variable(cli));
}

// --timeout, or what --wait asks for and the usual time for the rest of the call; 0 = the client's.
static int64_t get_timeout_ms(const struct cli *cli) {
    const struct options *options = &cli->options;
    int64_t timeout_ms = options_get_number(options, "timeout", 0);
    if (timeout_ms > 0 || !option_find(options->tables, options->table_count, "wait"))
        return timeout_ms;
    int64_t wait_ms = options_get_number(options, "wait", 0);
    return wait_ms > 0 ? wait_ms + CALL_TIMEOUT_MS : 0;
}

// Whether it does no harm when a call that failed is made once more.
static bool is_repeatable(const struct rpc *rpc, const ProtobufCMessage *request) {
    return contract_is_reading(rpc->path) || field_is_set(request, "request_id");
}

static enum status call(struct cli *cli, struct grpc_client *client, const struct rpc *rpc,
                        const ProtobufCMessage *request, ProtobufCMessage **ret_response,
                        struct fault *fault) {
    struct servers *servers = cli->servers;
    struct grpc_metadata metadata[METADATA_MAX];
    struct grpc_client_call call = {.path = rpc->path,
                                    .request = request,
                                    .response = rpc->response,
                                    .metadata = metadata,
                                    .timeout_ms = get_timeout_ms(cli),
                                    .is_repeatable = is_repeatable(rpc, request),
                                    .wait_for_ready = options_has(&cli->options, "wait-for-ready")};
    if (servers->authorization)
        metadata[call.metadata_count++] = (struct grpc_metadata){"authorization", servers->authorization};
    if (servers->company)
        metadata[call.metadata_count++] = (struct grpc_metadata){"latchkey-company", servers->company};
    uint64_t began_ns = clock_get_monotonic_ns(clock_get_system());
    enum status status = grpc_client_call(client, &call, &cli->arena, ret_response, fault);
    servers->last_ms = (int64_t)((clock_get_monotonic_ns(clock_get_system()) - began_ns) / NS_PER_MS);
    return status;
}

enum exit_code calls_make_quietly(struct cli *cli, enum rpc_id id, enum calls_caller caller,
                                  const ProtobufCMessage *request, const ProtobufCMessage **ret_response,
                                  struct fault *ret_fault) {
    fault_init(ret_fault, &cli->arena);
    enum exit_code code = calls_begin(cli);
    if (code != EXIT_CODE_DONE)
        return code;
    if (caller == CALLS_WITH_TOKEN && !cli->servers->authorization)
        return refuse_without_token(cli);
    const struct rpc *rpc = rpc_get(id);
    struct grpc_client *client = NULL;
    code = find_client(cli, rpc->server, &client);
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *response;
    enum status status = call(cli, client, rpc, request, &response, ret_fault);
    if (status != STATUS_OK)
        return exit_code_from_status(status);
    *ret_response = response;
    return EXIT_CODE_DONE;
}

enum exit_code calls_make(struct cli *cli, enum rpc_id id, enum calls_caller caller,
                          const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
    struct fault fault;
    enum exit_code code = calls_make_quietly(cli, id, caller, request, ret_response, &fault);
    return fault.status == STATUS_OK ? code : cli_fail_with_fault(cli, &fault);
}

const ProtobufCMessage *calls_try(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request) {
    const struct rpc *rpc = rpc_get(id);
    struct grpc_client *client = NULL;
    if (!cli->servers || !cli->servers->authorization ||
        find_client(cli, rpc->server, &client) != EXIT_CODE_DONE)
        return NULL;
    struct fault fault;
    fault_init(&fault, &cli->arena);
    ProtobufCMessage *response;
    return call(cli, client, rpc, request, &response, &fault) == STATUS_OK ? response : NULL;
}

// Asks for one page, hands it out, and makes the request that for the next one; its texts are in the arena.
// *left is 0 after the last one.
static enum exit_code make_page(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                calls_on_page *on_page, void *context, int64_t *left) {
    const ProtobufCMessage *page;
    cli_must(field_set_integer(request, "page_size", *left < CALLS_PAGE_SIZE ? *left : CALLS_PAGE_SIZE));
    enum exit_code code = calls_make(cli, id, CALLS_WITH_TOKEN, request, &page);
    if (code != EXIT_CODE_DONE)
        return code;
    int64_t count = (int64_t)on_page(context, page);
    *left = field_is_set(page, "next_page_token") && count < *left ? *left - count : 0;
    cli_must(field_set_text(&cli->arena, request, "page_token", field_get_text(page, "next_page_token")));
    return EXIT_CODE_DONE;
}

enum exit_code calls_make_pages(struct cli *cli, enum rpc_id id, ProtobufCMessage *request, int64_t limit,
                                calls_on_page *on_page, void *context) {
    int64_t left = limit;
    enum exit_code code = EXIT_CODE_DONE;
    while (left > 0 && code == EXIT_CODE_DONE)
        code = make_page(cli, id, request, on_page, context, &left);
    return code;
}

enum exit_code calls_stream_pages(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                  calls_on_page *on_page, void *context) {
    enum exit_code code = calls_begin(cli); // what it keeps is no page's
    struct arena whole = cli->arena, pages[2];
    arena_init(&pages[0], 0);
    arena_init(&pages[1], 0);
    int64_t left = CALLS_UNLIMITED;
    for (size_t turn = 0; left > 0 && code == EXIT_CODE_DONE; turn = 1 - turn) {
        cli->arena = pages[turn]; // the other one has the page token
        arena_reset(&cli->arena);
        code = make_page(cli, id, request, on_page, context, &left);
        pages[turn] = cli->arena;
    }
    cli->arena = whole;
    arena_fini(&pages[0]);
    arena_fini(&pages[1]);
    return code;
}

int64_t calls_get_last_ms(const struct cli *cli) {
    return cli->servers->last_ms;
}

void calls_end(struct cli *cli) {
    struct servers *servers = cli->servers;
    if (!servers)
        return;
    for (size_t i = 0; i < servers->count; i++)
        grpc_client_free(servers->by_address[i].client);
    if (servers->authorization)
        secret_wipe(servers->authorization, strlen(servers->authorization));
    cli->servers = NULL;
}
