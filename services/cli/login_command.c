#include "services/cli/login_command.h"

#include <inttypes.h>
#include <string.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/lookup.h"
#include "services/cli/request.h"
#include "services/cli/secret_sink.h"
#include "services/cli/watch.h"

// ---- create ----

static void print_login(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *login = field_find_message(response, "login_token");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "token", field_get_text(login, "token_id"));
    table_add_property(&table, "member", field_get_text(login, "member_id"));
    table_add_property(&table, "state", answer_get_word(cli, login, "state", "TOKEN_STATE_"));
    table_add_property(&table, "channel", answer_get_word(cli, login, "channel", "CHANNEL_"));
    table_add_property(&table, "address", field_get_text(login, "client_ip"));
    table_add_property(&table, "agent", field_get_text(login, "user_agent"));
    table_add_property(&table, "expires", answer_get_time(cli, login, "expires_at", ""));
    table_print(&table, TABLE_UNCUT, cli->out);
}

enum exit_code login_command_create(struct cli *cli) {
    static const struct request_field fields[] = {
        REQUEST_FIELD("issuer", "issuer"), REQUEST_FIELD("subject", "subject"),
        REQUEST_FIELD("client-ip", "client_ip"), REQUEST_FIELD("user-agent", "user_agent"),
        REQUEST_WORDS("channel", "channel", "CHANNEL_")};
    static const struct secret_sink_words words = {
        .withheld = "log in once more, under another --request-id",
        .remedy = "end that log-in and make another",
        .print = print_login,
    };
    const char *member = cli->options.argument_count > 0 ? cli->options.arguments[0] : NULL;
    if (!member == !options_has(&cli->options, "subject"))
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "name the person in one way: MEMBER, or --issuer with --subject");
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_LOGIN_TOKEN);
    if (member)
        request_set_argument(cli, request, strchr(member, '@') ? "email" : "member_id");
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return secret_sink_call(cli, RPC_CREATE_LOGIN_TOKEN, request, &words);
}

// ---- list ----

// "active", or why it was refused.
static const char *get_outcome(struct cli *cli, const ProtobufCMessage *authentication) {
    const ProtobufCMessage *login = field_find_message(authentication, "login_token");
    if (login)
        return answer_get_word(cli, login, "state", "TOKEN_STATE_");
    return cli_format(cli, "refused: %s", answer_get_word(cli, authentication, "refused_reason", "REASON_"));
}

static void add_authentication(struct answer_list *list, const ProtobufCMessage *authentication) {
    struct cli *cli = list->cli;
    const ProtobufCMessage *login = field_find_message(authentication, "login_token");
    table_add(list->table, (const char *const[]){
                               answer_get_time(cli, authentication, "at", ""),
                               field_get_text(authentication, "member_id"),
                               get_outcome(cli, authentication),
                               field_get_text(authentication, "client_ip"),
                               login ? field_get_text(login, "token_id") : "none",
                               login ? answer_get_time(cli, login, "last_used_at", "never") : "never",
                               field_get_text(authentication, "user_agent"),
                           });
}

static enum exit_code list(struct cli *cli) {
    static const char *const headings[] = {"AT",    "MEMBER",    "OUTCOME", "ADDRESS",
                                           "TOKEN", "LAST USED", "AGENT"};
    static const struct answer_listing listing = {"authentications",          headings,
                                                  ARRAY_LENGTH(headings),     add_authentication,
                                                  "nobody has logged in yet", NULL};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_RECENT_AUTHENTICATIONS);
    if (cli->options.argument_count > 0) {
        const char *id;
        enum exit_code code = lookup_find_member(cli, cli->options.arguments[0], &id);
        if (code != EXIT_CODE_DONE)
            return code;
        cli_must(field_set_text(&cli->arena, request, "member_id", id));
    }
    return answer_call_list(cli, RPC_LIST_RECENT_AUTHENTICATIONS, request, &listing);
}

enum exit_code login_command_list(struct cli *cli) {
    return watch_run(cli, list);
}

// ---- end ----

static void print_ended(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *login = field_find_message(response, "login_token");
    fprintf(cli->out, "ended %s of %s%s\n", field_get_text(login, "token_id"),
            field_get_text(login, "member_id"), answer_describe_validators(cli, response));
}

static void print_count(struct cli *cli, const ProtobufCMessage *response) {
    fprintf(cli->out, "ended %" PRId64 " log-ins%s\n", field_get_integer(response, "count"),
            answer_describe_validators(cli, response));
}

static enum exit_code end(struct cli *cli, enum rpc_id id, const char *field, const char *value,
                          answer_printer *printer) {
    ProtobufCMessage *request = calls_new_request(cli, id);
    cli_must(field_set_text(&cli->arena, request, field, value));
    calls_set_change_options(cli, request);
    return answer_call(cli, id, request, printer);
}

enum exit_code login_command_end(struct cli *cli) {
    const char *member = options_find_text(&cli->options, "member");
    if (!member == (cli->options.argument_count == 0))
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "name a log-in by its TOKEN-ID, or all of a member's by --member");
    const char *question = member ? cli_format(cli, "End every log-in of %s?", member)
                                  : cli_format(cli, "End the log-in %s?", cli->options.arguments[0]);
    enum exit_code code = confirm_ask(cli, question);
    if (code == EXIT_CODE_DONE && member)
        code = lookup_find_member(cli, member, &member);
    if (code != EXIT_CODE_DONE)
        return code;
    if (member)
        return end(cli, RPC_DEACTIVATE_MEMBER_LOGINS, "member_id", member, print_count);
    return end(cli, RPC_DEACTIVATE_LOGIN_TOKEN, "token_id", cli->options.arguments[0], print_ended);
}
