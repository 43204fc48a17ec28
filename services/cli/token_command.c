#include "services/cli/token_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/request.h"
#include "services/cli/token_text.h"
#include "services/cli/watch.h"

static void add_token(struct answer_list *list, const ProtobufCMessage *token) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(token, "token_id"),
                               field_get_text(token, "label"),
                               answer_get_word(cli, token, "state", "TOKEN_STATE_"),
                               answer_get_time(cli, token, "expires_at", "never"),
                               answer_get_time(cli, token, "last_used_at", "never"),
                               answer_get_list(cli, token, "permissions", "none"),
                           });
}

static enum exit_code list(struct cli *cli) {
    static const char *const headings[] = {"TOKEN", "LABEL", "STATE", "EXPIRES", "LAST USED", "PERMISSIONS"};
    static const struct answer_listing listing = {
        "access_tokens",
        headings,
        ARRAY_LENGTH(headings),
        add_token,
        "there are no tokens yet; `latchkey token create` makes one",
        NULL};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_ACCESS_TOKENS);
    token_text_set_filters(cli, request);
    return answer_call_list(cli, RPC_LIST_ACCESS_TOKENS, request, &listing);
}

enum exit_code token_command_list(struct cli *cli) {
    return watch_run(cli, list);
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    token_text_print(cli, field_find_message(response, "access_token"));
}

enum exit_code token_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_ACCESS_TOKEN);
    request_set_argument(cli, request, "token_id");
    return answer_call(cli, RPC_GET_ACCESS_TOKEN, request, print);
}
