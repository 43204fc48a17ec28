#include "services/cli/role_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/lookup.h"
#include "services/cli/request.h"

static const char *const headings[] = {"ROLE", "NAME", "KIND", "PERMISSIONS"};

static void add_role(struct answer_list *list, const ProtobufCMessage *role) {
    table_add(list->table, (const char *const[]){
                               field_get_text(role, "role_id"),
                               field_get_text(role, "name"),
                               field_get_integer(role, "built_in") ? "built in" : "your own",
                               answer_get_list(list->cli, role, "permissions", "none"),
                           });
}

enum exit_code role_command_list(struct cli *cli) {
    static const struct answer_listing listing = {"roles",  headings,         ARRAY_LENGTH(headings),
                                                  add_role, "there are none", NULL};
    return answer_call_list(cli, RPC_LIST_ROLES, calls_new_request(cli, RPC_LIST_ROLES), &listing);
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *role = field_find_message(response, "role");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "role", field_get_text(role, "role_id"));
    table_add_property(&table, "name", field_get_text(role, "name"));
    table_add_property(&table, "permissions", answer_get_list(cli, role, "permissions", "none"));
    table_add_property(&table, "created", answer_get_time(cli, role, "created_at", ""));
    table_print(&table, TABLE_UNCUT, cli->out);
    answer_print_validators(cli, response);
}

enum exit_code role_command_create(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("permission", "permissions")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_ROLE);
    request_set_argument(cli, request, "name");
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_CREATE_ROLE, request, print);
}

// The argument, an id or a name, as `role_id`.
static enum exit_code set_role(struct cli *cli, ProtobufCMessage *message) {
    const char *id;
    enum exit_code code = lookup_find_role(cli, cli->options.arguments[0], &id);
    if (code == EXIT_CODE_DONE)
        cli_must(field_set_text(&cli->arena, message, "role_id", id));
    return code;
}

enum exit_code role_command_update(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("name", "name"),
                                                  REQUEST_FIELD("permission", "permissions")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_ROLE), *role;
    enum exit_code code = request_set_update(cli, request, "role", fields, ARRAY_LENGTH(fields), &role);
    if (code == EXIT_CODE_DONE)
        code = set_role(cli, role);
    if (code != EXIT_CODE_DONE)
        return code;
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_UPDATE_ROLE, request, print);
}

static void print_deleted(struct cli *cli, const ProtobufCMessage *response) {
    fprintf(cli->out, "deleted%s\n", answer_describe_validators(cli, response));
}

enum exit_code role_command_delete(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_DELETE_ROLE);
    enum exit_code code = set_role(cli, request);
    if (code == EXIT_CODE_DONE)
        code = confirm_ask(cli, cli_format(cli, "Delete the role %s for good?", cli->options.arguments[0]));
    if (code != EXIT_CODE_DONE)
        return code;
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_DELETE_ROLE, request, print_deleted);
}
