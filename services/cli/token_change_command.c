// `latchkey token update`, `suspend`, `resume` and `rotate`.
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/request.h"
#include "services/cli/secret_sink.h"
#include "services/cli/terminal.h"
#include "services/cli/token_command.h"
#include "services/cli/token_text.h"

static ProtobufCMessage *make_request(struct cli *cli, enum rpc_id id) {
    ProtobufCMessage *request = calls_new_request(cli, id);
    request_set_argument(cli, request, "token_id");
    calls_set_change_options(cli, request);
    return request;
}

static void print_token(struct cli *cli, const ProtobufCMessage *response) {
    token_text_print(cli, field_find_message(response, "access_token"));
    answer_print_validators(cli, response);
}

enum exit_code token_command_update(struct cli *cli) {
    static const struct request_field fields[] = {
        REQUEST_FIELD("label", "label"),
        REQUEST_FIELD("description", "description"),
        REQUEST_FIELD("permission", "permissions"),
        REQUEST_FIELD("allowed-ip", "allowed_ips"),
        REQUEST_FIELD("domain", "allowed_domains"),
        REQUEST_FIELD("expires-at", "expires_at"),
        REQUEST_FIELD("expires-in", "expires_at"),
        REQUEST_FIELD("metadata", "metadata"),
    };
    static const struct request_field force[] = {REQUEST_FIELD("force", "force")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_ACCESS_TOKEN), *token;
    enum exit_code code =
        request_set_update(cli, request, "access_token", fields, ARRAY_LENGTH(fields), &token);
    if (code != EXIT_CODE_DONE)
        return code;
    request_set_argument(cli, token, "token_id");
    request_set(cli, request, force, ARRAY_LENGTH(force));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_UPDATE_ACCESS_TOKEN, request, print_token);
}

static void print_suspended(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *token = field_find_message(response, "access_token");
    const char *until = answer_get_time(cli, token, "suspended_until", NULL);
    fprintf(cli->out, "suspended %s (%s) until %s%s\n", field_get_text(token, "token_id"),
            terminal_clean(&cli->arena, field_get_text(token, "label")), until ? until : "it is resumed",
            answer_describe_validators(cli, response));
}

enum exit_code token_command_suspend(struct cli *cli) {
    static const struct request_field fields[] = {
        REQUEST_FIELD("until", "until"), REQUEST_FIELD("for", "until"), REQUEST_FIELD("note", "note"),
        REQUEST_FIELD("force", "force")};
    ProtobufCMessage *request = make_request(cli, RPC_SUSPEND_ACCESS_TOKEN);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    return answer_call(cli, RPC_SUSPEND_ACCESS_TOKEN, request, print_suspended);
}

static void print_resumed(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *token = field_find_message(response, "access_token");
    fprintf(cli->out, "resumed %s (%s), which is %s now%s\n", field_get_text(token, "token_id"),
            terminal_clean(&cli->arena, field_get_text(token, "label")),
            answer_get_word(cli, token, "state", "TOKEN_STATE_"), answer_describe_validators(cli, response));
}

enum exit_code token_command_resume(struct cli *cli) {
    return answer_call(cli, RPC_RESUME_ACCESS_TOKEN, make_request(cli, RPC_RESUME_ACCESS_TOKEN),
                       print_resumed);
}

static void print_rotated(struct cli *cli, const ProtobufCMessage *response) {
    token_text_print(cli, field_find_message(response, "access_token"));
}

enum exit_code token_command_rotate(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("grace", "grace"),
                                                  REQUEST_FIELD("supersede", "supersede")};
    static const struct secret_sink_words words = {
        .withheld =
            "rotate the token once more, under another --request-id, with --supersede where a grace runs",
        .remedy = "rotate the token once more, with --supersede where a grace runs",
        .print = print_rotated,
    };
    enum exit_code code = EXIT_CODE_DONE;
    if (!options_has(&cli->options, "grace"))
        code = confirm_ask(cli, cli_format(cli, "The old secret of %s stops working at once. Rotate it?",
                                           cli->options.arguments[0]));
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = make_request(cli, RPC_ROTATE_ACCESS_TOKEN);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    return secret_sink_call(cli, RPC_ROTATE_ACCESS_TOKEN, request, &words);
}
