#include "services/cli/token_command.h"

#include "common/grpc/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/confirm.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"
#include "services/cli/token_text.h"

static const struct {
    const char *option, *field;
} filters[] = {{"label", "label_contains"},
               {"permission", "permission"},
               {"member", "member_id"},
               {"external-id", "external_id"}};

static ProtobufCMessage *make_list_request(struct cli *cli) {
    const struct options *options = &cli->options;
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_ACCESS_TOKENS);
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++)
        if (options_has(options, filters[i].option))
            cli_must(field_set_text(&cli->arena, request, filters[i].field,
                                    options_find_text(options, filters[i].option)));
    if (options_has(options, "expires-before"))
        cli_must(field_set_time_ms(&cli->arena, request, "expires_before",
                                   options_get_number(options, "expires-before", 0)));
    const char *state = options_find_text(options, "state");
    if (state)
        cli_must(field_set_enum_name(request, "state", answer_to_enum_name(cli, "TOKEN_STATE_", state)));
    return request;
}

static void add_token(struct answer_list *list, const ProtobufCMessage *token) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(token, "token_id"),
                               field_get_text(token, "label"),
                               answer_get_word(cli, token, "state", "TOKEN_STATE_"),
                               answer_get_time(cli, token, "expires_at", "never"),
                               answer_get_list(cli, token, "permissions", "none"),
                           });
}

enum exit_code token_command_list(struct cli *cli) {
    static const char *const headings[] = {"TOKEN", "LABEL", "STATE", "EXPIRES", "PERMISSIONS"};
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, "access_tokens", &table, add_token);
    enum exit_code code =
        calls_make_pages(cli, RPC_LIST_ACCESS_TOKENS, make_list_request(cli), answer_list_on_page, &list);
    if (code == EXIT_CODE_DONE)
        answer_list_print(&list, "there are no tokens yet; `latchkey token create` makes one");
    answer_list_fini(&list);
    return code;
}

enum exit_code token_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_ACCESS_TOKEN);
    cli_must(field_set_text(&cli->arena, request, "token_id", cli->options.arguments[0]));
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, RPC_GET_ACCESS_TOKEN, CALLS_WITH_TOKEN, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        token_text_print(cli, field_find_message(response, "access_token"));
    return EXIT_CODE_DONE;
}

static ProtobufCMessage *make_deactivate_request(struct cli *cli, const char *token_id) {
    const char *reason = options_find_text(&cli->options, "reason"),
               *note = options_find_text(&cli->options, "note");
    ProtobufCMessage *request = calls_new_request(cli, RPC_DEACTIVATE_ACCESS_TOKEN);
    cli_must(field_set_text(&cli->arena, request, "token_id", token_id));
    if (reason)
        cli_must(
            field_set_enum_name(request, "reason", answer_to_enum_name(cli, "DEACTIVATE_REASON_", reason)));
    if (note)
        cli_must(field_set_text(&cli->arena, request, "note", note));
    calls_set_change_options(cli, request);
    return request;
}

// The token, to be asked about; NULL where the caller may not see it.
static const ProtobufCMessage *look_up(struct cli *cli, const char *token_id) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_ACCESS_TOKEN);
    cli_must(field_set_text(&cli->arena, request, "token_id", token_id));
    const ProtobufCMessage *response = calls_try(cli, RPC_GET_ACCESS_TOKEN, request);
    return response ? field_find_message(response, "access_token") : NULL;
}

// Nothing is looked up for --yes, which is to be fast.
static enum exit_code ask(struct cli *cli, const char *token_id) {
    if (options_has(&cli->options, "yes") || !terminal_is_one(cli->in))
        return confirm_ask(cli, "");
    enum exit_code code = calls_begin(cli);
    if (code != EXIT_CODE_DONE)
        return code;
    const ProtobufCMessage *token = look_up(cli, token_id);
    if (!token)
        return confirm_ask(cli, cli_format(cli, "Deactivate %s for good?", token_id));
    const char *since = answer_get_time(cli, token, "deactivated_at", NULL);
    return confirm_ask(cli, cli_format(cli, "Deactivate %s (%s%s%s) for good?", token_id,
                                       field_get_text(token, "label"),
                                       since ? ", deactivated already at " : "", since ? since : ""));
}

enum exit_code token_command_deactivate(struct cli *cli) {
    const char *token_id = cli->options.arguments[0];
    enum exit_code code = ask(cli, token_id);
    if (code != EXIT_CODE_DONE)
        return code;
    const ProtobufCMessage *response;
    code = calls_make(cli, RPC_DEACTIVATE_ACCESS_TOKEN, CALLS_WITH_TOKEN,
                      make_deactivate_request(cli, token_id), &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json) {
        answer_print_json(cli, response);
        return answer_get_code(response);
    }
    const ProtobufCMessage *token = field_find_message(response, "access_token");
    fprintf(cli->out, "deactivated %s (%s)%s\n", field_get_text(token, "token_id"),
            terminal_clean(&cli->arena, field_get_text(token, "label")),
            answer_describe_validators(cli, response));
    return answer_get_code(response);
}
