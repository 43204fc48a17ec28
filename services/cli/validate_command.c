#include "services/cli/validate_command.h"

#include <string.h>

#include "common/ip/address.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/secret_text.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"
#include "services/cli/whitelist_text.h"

#define VARIABLE "LATCHKEY_VALIDATE_TOKEN"

// NULL after cli_fail(), whose code is in `ret_code`.
static const char *read_secret(struct cli *cli, enum exit_code *ret_code) {
    const char *file = options_find_text(&cli->options, "secret-file");
    if (file)
        return secret_text_read(cli, file, ret_code);
    const char *value = cli_get_variable(cli, VARIABLE);
    if (value)
        return secret_text_check(cli, value, VARIABLE, ret_code);
    *ret_code = cli_fail(cli, EXIT_CODE_USAGE,
                         "no token to validate: put it into " VARIABLE
                         ", or its file's name into --secret-file (\"-\" is standard input)");
    return NULL;
}

// why: the validator denies what it can't read, and that an address was mistyped would not be seen.
static enum exit_code check_address(struct cli *cli) {
    const char *text = options_find_text(&cli->options, "client-ip");
    struct ip_address address;
    enum ip_parse_result result = text ? ip_address_parse(bytes_of_text(text), &address) : IP_PARSE_OK;
    if (result == IP_PARSE_OK)
        return EXIT_CODE_DONE;
    return cli_fail(cli, EXIT_CODE_USAGE, "--client-ip is \"%s\": %s", text,
                    ip_parse_result_get_text(result));
}

static void set_options(struct cli *cli, ProtobufCMessage *request) {
    static const struct {
        const char *option, *field;
    } texts[] = {{"client-ip", "client_ip"}, {"domain", "domain"}, {"min-revision", "min_revision"}},
      lists[] = {{"permission", "permissions"}, {"any-permission", "any_permissions"}};
    const struct options *options = &cli->options;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (options_has(options, texts[i].option))
            cli_must(field_set_text(&cli->arena, request, texts[i].field,
                                    options_find_text(options, texts[i].option)));
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        size_t count;
        const char **items = cli_need(options_get_list(options, lists[i].option, &cli->arena, &count));
        cli_must(field_set_texts(&cli->arena, request, lists[i].field, items, count));
    }
    const char *channel = options_find_text(options, "channel");
    cli_must(field_set_enum_name(request, "channel",
                                 answer_to_enum_name(cli, "CHANNEL_", channel ? channel : "api")));
}

static void print_properties(struct cli *cli, const ProtobufCMessage *decision) {
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "company", field_get_text(decision, "company_id"));
    table_add_property(&table, "token", field_get_text(decision, "token_id"));
    table_add_property(&table, "member", field_get_text(decision, "member_id"));
    table_add_property(&table, "permissions", answer_get_list(cli, decision, "permissions", ""));
    table_add_property(&table, "missing", answer_get_list(cli, decision, "missing_permissions", ""));
    table_add_property(&table, "expires", answer_get_time(cli, decision, "expires_at", ""));
    table_print(&table, TABLE_UNCUT, cli->out);
}

// Whether the caller's whitelist is that of the token; taken to be so where the validator does not tell.
static bool is_own_company(struct cli *cli, const ProtobufCMessage *decision) {
    const char *company = field_get_text(decision, "company_id");
    if (company[0] == '\0')
        return true;
    const ProtobufCMessage *response = calls_try(cli, RPC_GET_CALLER, calls_new_request(cli, RPC_GET_CALLER));
    return response &&
           strcmp(field_get_text(field_find_message(response, "caller"), "company_id"), company) == 0;
}

// What the whitelist has nearest to the address, where the caller may see it.
static void print_nearest(struct cli *cli, const ProtobufCMessage *decision) {
    const char *address = options_find_text(&cli->options, "client-ip");
    if (!address || !is_own_company(cli, decision))
        return;
    ProtobufCMessage *request = calls_new_request(cli, RPC_CHECK_IP);
    cli_must(field_set_text(&cli->arena, request, "client_ip", address));
    const ProtobufCMessage *check = calls_try(cli, RPC_CHECK_IP, request);
    if (check && !field_get_integer(check, "listed"))
        fprintf(cli->out, "%s\n", whitelist_text_get_nearest(cli, check));
}

static bool has_suffix(const char *text, const char *suffix) {
    size_t len = strlen(text), suffix_len = strlen(suffix);
    return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

static void print(struct cli *cli, const ProtobufCMessage *decision, bool is_allowed) {
    const char *reason = field_get_enum_name(decision, "reason");
    if (strncmp(reason, "REASON_", 7) == 0)
        reason += 7;
    terminal_print(cli->out, is_allowed ? TERMINAL_GREEN : TERMINAL_RED, is_allowed ? "ALLOW" : "DENY");
    fprintf(cli->out, " %s\n", is_allowed ? field_get_text(decision, "token_id") : reason);
    if (has_suffix(reason, "_IP_NOT_LISTED") && !options_has(&cli->options, "client-ip"))
        fputs("no --client-ip was given: without an address every list refuses\n", cli->out);
    if (strcmp(reason, "COMPANY_IP_NOT_LISTED") == 0)
        print_nearest(cli, decision);
    print_properties(cli, decision);
}

enum exit_code validate_command_run(struct cli *cli) {
    enum exit_code code;
    const char *secret = read_secret(cli, &code);
    if (!secret)
        return code;
    code = check_address(cli);
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_VALIDATE);
    cli_must(field_set_text(&cli->arena, request, "token", secret));
    set_options(cli, request);
    const ProtobufCMessage *decision;
    code = calls_make(cli, RPC_VALIDATE, CALLS_WITH_ANY_CALLER, request, &decision);
    if (code != EXIT_CODE_DONE)
        return code;
    bool is_allowed = strcmp(field_get_enum_name(decision, "decision"), "DECISION_ALLOW") == 0;
    if (cli->is_json)
        answer_print_json(cli, decision);
    else
        print(cli, decision, is_allowed);
    return is_allowed ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
