#include "services/cli/permissions_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/permissions_file.h"

static void add_permission(struct answer_list *list, const ProtobufCMessage *permission) {
    table_add(list->table, (const char *const[]){field_get_text(permission, "name"),
                                                 field_get_text(permission, "description")});
}

static const char *const headings[] = {"PERMISSION", "DESCRIPTION"};
static const struct answer_listing listing = {
    "permissions", headings, ARRAY_LENGTH(headings), add_permission, "the catalogue is empty", NULL};

enum exit_code permissions_command_list(struct cli *cli) {
    return answer_call_list(cli, RPC_LIST_PERMISSIONS, calls_new_request(cli, RPC_LIST_PERMISSIONS),
                            &listing);
}

static void print_set(struct cli *cli, const ProtobufCMessage *response) {
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, listing.items, &table, listing.add);
    answer_list_on_page(&list, response);
    answer_list_print(&list, "the deployment's part of the catalogue is empty");
    answer_list_fini(&list);
    answer_print_validators(cli, response);
}

enum exit_code permissions_command_set(struct cli *cli) {
    struct permissions_file file;
    enum exit_code code = permissions_file_read(cli, cli->options.arguments[0], &file);
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_SET_PERMISSIONS), **permissions;
    cli_must(field_set_messages(&cli->arena, request, "permissions", file.count, &permissions));
    for (size_t i = 0; i < file.count; i++) {
        cli_must(field_set_text(&cli->arena, permissions[i], "name",
                                cli_need(arena_copy_bytes(&cli->arena, file.names[i]))));
        cli_must(field_set_text(&cli->arena, permissions[i], "description",
                                cli_need(arena_copy_bytes(&cli->arena, file.descriptions[i]))));
    }
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_SET_PERMISSIONS, request, print_set);
}
