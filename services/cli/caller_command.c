#include "services/cli/caller_command.h"

#include "common/grpc/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/table.h"

static void print_caller(struct cli *cli, const ProtobufCMessage *caller) {
    struct table table;
    const char *member = field_get_text(caller, "member_id");
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "company", field_get_text(caller, "company_id"));
    table_add_property(&table, "company name", field_get_text(caller, "company_name"));
    table_add_property(&table, "acting",
                       field_get_integer(caller, "acting_for_company") ? "as operator" : "");
    table_add_property(&table, "member", member[0] ? member : "none: the company owns this token");
    table_add_property(&table, "email", field_get_text(caller, "email"));
    table_add_property(&table, "token", field_get_text(caller, "token_id"));
    table_add_property(&table, "label", field_get_text(caller, "label"));
    table_add_property(&table, "kind", answer_get_word(cli, caller, "kind", "TOKEN_KIND_"));
    table_add_property(&table, "expires", answer_get_time(cli, caller, "expires_at", "never"));
    table_add_property(&table, "address", field_get_text(caller, "client_ip"));
    size_t count = field_get_count(caller, "permissions");
    for (size_t i = 0; i < count; i++)
        table_add_property(&table, i == 0 ? "permissions" : "", field_get_text_at(caller, "permissions", i));
    if (count == 0)
        table_add_property(&table, "permissions", "none");
    table_print(&table, TABLE_UNCUT, cli->out);
}

enum exit_code caller_command_show(struct cli *cli) {
    const ProtobufCMessage *request = calls_new_request(cli, RPC_GET_CALLER), *response;
    enum exit_code code = calls_make(cli, RPC_GET_CALLER, CALLS_WITH_TOKEN, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        print_caller(cli, field_find_message(response, "caller"));
    return EXIT_CODE_DONE;
}

static void add_permission(struct answer_list *list, const ProtobufCMessage *permission) {
    table_add(list->table, (const char *const[]){field_get_text(permission, "name"),
                                                 field_get_text(permission, "description")});
}

enum exit_code caller_command_list_permissions(struct cli *cli) {
    static const char *const headings[] = {"PERMISSION", "DESCRIPTION"};
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, "permissions", &table, add_permission);
    enum exit_code code = calls_make_pages(
        cli, RPC_LIST_PERMISSIONS, calls_new_request(cli, RPC_LIST_PERMISSIONS), answer_list_on_page, &list);
    if (code == EXIT_CODE_DONE)
        answer_list_print(&list, "the catalogue is empty");
    answer_list_fini(&list);
    return code;
}
