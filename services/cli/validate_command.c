#include "services/cli/validate_command.h"

#include <string.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/question.h"
#include "services/cli/table.h"
#include "services/cli/whitelist_text.h"

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

static void print(struct cli *cli, const ProtobufCMessage *decision) {
    const char *reason = question_print_decision(cli, decision);
    if (has_suffix(reason, "_IP_NOT_LISTED") && !options_has(&cli->options, "client-ip"))
        fputs("no --client-ip was given: without an address every list refuses\n", cli->out);
    if (strcmp(reason, "COMPANY_IP_NOT_LISTED") == 0)
        print_nearest(cli, decision);
    print_properties(cli, decision);
}

enum exit_code validate_command_run(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_VALIDATE);
    enum exit_code code = question_set_secret(cli, request, "");
    if (code == EXIT_CODE_DONE)
        code = question_set(cli, request);
    if (code != EXIT_CODE_DONE)
        return code;
    const ProtobufCMessage *decision;
    code = calls_make(cli, RPC_VALIDATE, CALLS_WITH_ANY_CALLER, request, &decision);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, decision);
    else
        print(cli, decision);
    return question_is_allowed(decision) ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
