#include "services/cli/company_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"

static void add_policy(struct cli *cli, struct table *table, const ProtobufCMessage *policy) {
    table_add_property(table, "token lifetime",
                       answer_get_span(cli, policy, "max_token_lifetime", "unlimited"));
    table_add_property(table, "expiry",
                       field_get_integer(policy, "require_expiry") ? "required" : "not required");
    table_add_property(table, "unused tokens",
                       answer_get_span(cli, policy, "deactivate_unused_after", "kept"));
    const char *leak = answer_get_word(cli, policy, "leak_action", "LEAK_ACTION_"),
               *reuse = answer_get_word(cli, policy, "reuse_action", "REUSE_ACTION_");
    table_add_property(table, "leaked tokens", leak[0] ? leak : "deactivate");
    table_add_property(table, "reused secrets", reuse[0] ? reuse : "audit");
    table_add_property(table, "log-ins last", answer_get_span(cli, policy, "login_lifetime", "3h"));
}

// Of every answer that holds a company.
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
    answer_print_validators(cli, response);
}

enum exit_code company_command_create(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("administrator", "administrator_email"),
                                                  REQUEST_FIELD("external-id", "external_id")};
    if (!options_has(&cli->options, "administrator"))
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "--administrator is missing: the e-mail address of the company's first member");
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_COMPANY);
    request_set_argument(cli, request, "name");
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_CREATE_COMPANY, request, print);
}

enum exit_code company_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_COMPANY);
    request_set_argument(cli, request, "company_id");
    return answer_call(cli, RPC_GET_COMPANY, request, print);
}

static void add_company(struct answer_list *list, const ProtobufCMessage *company) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(company, "company_id"),
                               field_get_text(company, "name"),
                               answer_get_word(cli, company, "state", "COMPANY_STATE_"),
                               answer_get_time(cli, company, "created_at", ""),
                               field_get_text(company, "external_id"),
                           });
}

enum exit_code company_command_list(struct cli *cli) {
    static const char *const headings[] = {"COMPANY", "NAME", "STATE", "CREATED", "EXTERNAL ID"};
    static const struct answer_listing listing = {
        "companies", headings, ARRAY_LENGTH(headings), add_company, "there are no companies", NULL};
    static const struct request_field filters[] = {REQUEST_WORDS("state", "state", "COMPANY_STATE_"),
                                                   REQUEST_FIELD("name", "name_contains"),
                                                   REQUEST_FIELD("external-id", "external_id")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_COMPANIES);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    return answer_call_list(cli, RPC_LIST_COMPANIES, request, &listing);
}

enum exit_code company_command_update(struct cli *cli) {
    static const struct request_field fields[] = {
        REQUEST_FIELD("name", "name"),
        REQUEST_FIELD("external-id", "external_id"),
        REQUEST_FIELD("max-token-lifetime", "policy.max_token_lifetime"),
        REQUEST_FIELD("require-expiry", "policy.require_expiry"),
        REQUEST_FIELD("deactivate-unused-after", "policy.deactivate_unused_after"),
        REQUEST_WORDS("leak-action", "policy.leak_action", "LEAK_ACTION_"),
        REQUEST_WORDS("reuse-action", "policy.reuse_action", "REUSE_ACTION_"),
        REQUEST_FIELD("login-lifetime", "policy.login_lifetime"),
    };
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_COMPANY), *company;
    enum exit_code code = request_set_update(cli, request, "company", fields, ARRAY_LENGTH(fields), &company);
    if (code != EXIT_CODE_DONE)
        return code;
    request_set_argument(cli, company, "company_id");
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_UPDATE_COMPANY, request, print);
}

static void print_state(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *company = field_find_message(response, "company");
    fprintf(cli->out, "%s (%s) is %s%s\n", field_get_text(company, "company_id"),
            terminal_clean(&cli->arena, field_get_text(company, "name")),
            answer_get_word(cli, company, "state", "COMPANY_STATE_"),
            answer_describe_validators(cli, response));
}

static ProtobufCMessage *make_state_request(struct cli *cli, enum rpc_id id) {
    ProtobufCMessage *request = calls_new_request(cli, id);
    request_set_argument(cli, request, "company_id");
    calls_set_change_options(cli, request);
    return request;
}

enum exit_code company_command_suspend(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("note", "note")};
    ProtobufCMessage *request = make_state_request(cli, RPC_SUSPEND_COMPANY);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    return answer_call(cli, RPC_SUSPEND_COMPANY, request, print_state);
}

enum exit_code company_command_resume(struct cli *cli) {
    return answer_call(cli, RPC_RESUME_COMPANY, make_state_request(cli, RPC_RESUME_COMPANY), print_state);
}
