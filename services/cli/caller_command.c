#include "services/cli/caller_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"

static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *caller = field_find_message(response, "caller");
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
    return answer_call(cli, RPC_GET_CALLER, calls_new_request(cli, RPC_GET_CALLER), print);
}
