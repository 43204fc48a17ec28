#include "services/cli/company_command.h"

#include "common/base/time_text.h"
#include "common/grpc/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/table.h"

static const char *get_span(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *zero) {
    char text[TIME_TEXT_SPAN_MAX + 1];
    int64_t ms = field_get_duration_ms(message, field);
    if (ms <= 0)
        return zero;
    time_text_format_span(ms, text);
    return cli_format(cli, "%s", text);
}

static void add_policy(struct cli *cli, struct table *table, const ProtobufCMessage *policy) {
    table_add_property(table, "token lifetime", get_span(cli, policy, "max_token_lifetime", "unlimited"));
    table_add_property(table, "expiry",
                       field_get_integer(policy, "require_expiry") ? "required" : "not required");
    table_add_property(table, "unused tokens", get_span(cli, policy, "deactivate_unused_after", "kept"));
    table_add_property(table, "leaked tokens", answer_get_word(cli, policy, "leak_action", "LEAK_ACTION_"));
    table_add_property(table, "reused secrets",
                       answer_get_word(cli, policy, "reuse_action", "REUSE_ACTION_"));
    table_add_property(table, "log-ins last", get_span(cli, policy, "login_lifetime", "3h"));
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *company = field_find_message(response, "company"),
                           *administrator = field_find_message(response, "administrator"),
                           *policy = field_find_message(company, "policy");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "company", field_get_text(company, "company_id"));
    table_add_property(&table, "name", field_get_text(company, "name"));
    table_add_property(&table, "external id", field_get_text(company, "external_id"));
    table_add_property(&table, "state", answer_get_word(cli, company, "state", "COMPANY_STATE_"));
    table_add_property(&table, "created", answer_get_time(cli, company, "created_at", ""));
    if (administrator) {
        table_add_property(&table, "administrator", field_get_text(administrator, "member_id"));
        table_add_property(&table, "email", field_get_text(administrator, "email"));
    }
    if (policy)
        add_policy(cli, &table, policy);
    table_print(&table, TABLE_UNCUT, cli->out);
}

static enum exit_code call(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request) {
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, id, CALLS_WITH_TOKEN, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        print(cli, response);
    return answer_get_code(response);
}

enum exit_code company_command_create(struct cli *cli) {
    struct arena *arena = &cli->arena;
    const char *email = options_find_text(&cli->options, "administrator");
    const char *external_id = options_find_text(&cli->options, "external-id");
    if (!email)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "--administrator is missing: the e-mail address of the company's first member");
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_COMPANY);
    cli_must(field_set_text(arena, request, "name", cli->options.arguments[0]));
    cli_must(field_set_text(arena, request, "administrator_email", email));
    if (external_id)
        cli_must(field_set_text(arena, request, "external_id", external_id));
    calls_set_change_options(cli, request);
    return call(cli, RPC_CREATE_COMPANY, request);
}

enum exit_code company_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_COMPANY);
    if (cli->options.argument_count > 0)
        cli_must(field_set_text(&cli->arena, request, "company_id", cli->options.arguments[0]));
    return call(cli, RPC_GET_COMPANY, request);
}
