// `latchkey token deactivate`: one by its id, or all that filters name.
#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"
#include "services/cli/token_command.h"
#include "services/cli/token_text.h"

static void set_cause(struct cli *cli, ProtobufCMessage *request) {
    static const struct request_field fields[] = {REQUEST_WORDS("reason", "reason", "DEACTIVATE_REASON_"),
                                                  REQUEST_FIELD("note", "note")};
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
}

// ---- one ----

// When the token was deactivated before; NULL if it was not, or where the caller may not see it. `ret_label`
// is "" where it may not.
static enum exit_code look_up(struct cli *cli, const char *token_id, const char **ret_label,
                              const char **ret_since) {
    *ret_label = "";
    *ret_since = NULL;
    enum exit_code code = calls_begin(cli);
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_ACCESS_TOKEN);
    cli_must(field_set_text(&cli->arena, request, "token_id", token_id));
    const ProtobufCMessage *response = calls_try(cli, RPC_GET_ACCESS_TOKEN, request);
    if (!response)
        return EXIT_CODE_DONE;
    const ProtobufCMessage *token = field_find_message(response, "access_token");
    *ret_label = field_get_text(token, "label");
    *ret_since = answer_get_time(cli, token, "deactivated_at", NULL);
    return EXIT_CODE_DONE;
}

static const char *make_question(struct cli *cli, const char *token_id, const char *label,
                                 const char *since) {
    if (!label[0])
        return cli_format(cli, "Deactivate %s for good?", token_id);
    return cli_format(cli, "Deactivate %s (%s%s%s) for good?", token_id, label,
                      since ? ", deactivated already at " : "", since ? since : "");
}

static void print_deactivated(struct cli *cli, const ProtobufCMessage *response, const char *since) {
    const ProtobufCMessage *token = field_find_message(response, "access_token");
    fprintf(cli->out, "%s %s (%s)%s%s%s\n", since ? "nothing to do:" : "deactivated",
            field_get_text(token, "token_id"), terminal_clean(&cli->arena, field_get_text(token, "label")),
            since ? " was deactivated already at " : "", since ? since : "",
            since && !field_find_message(response, "validators") ? ""
                                                                 : answer_describe_validators(cli, response));
}

static enum exit_code deactivate_one(struct cli *cli) {
    const char *token_id = cli->options.arguments[0], *label, *since;
    enum exit_code code = look_up(cli, token_id, &label, &since);
    if (code == EXIT_CODE_DONE)
        code = confirm_ask(cli, make_question(cli, token_id, label, since));
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_DEACTIVATE_ACCESS_TOKEN);
    request_set_argument(cli, request, "token_id");
    set_cause(cli, request);
    calls_set_change_options(cli, request);
    const ProtobufCMessage *response;
    code = calls_make(cli, RPC_DEACTIVATE_ACCESS_TOKEN, CALLS_WITH_TOKEN, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        print_deactivated(cli, response, since);
    return answer_get_code(response);
}

// ---- many ----

static void print_ids(struct cli *cli, const ProtobufCMessage *response) {
    size_t shown = field_get_count(response, "token_ids");
    int64_t count = field_get_integer(response, "count");
    for (size_t i = 0; i < shown; i++)
        fprintf(cli->out, "%s\n", field_get_text_at(response, "token_ids", i));
    if (count > (int64_t)shown)
        fprintf(cli->out, "and %" PRId64 " more\n", count - (int64_t)shown);
}

static void print_dry_run(struct cli *cli, const ProtobufCMessage *response) {
    print_ids(cli, response);
    fprintf(cli->out, "%" PRId64 " would be deactivated\n", field_get_integer(response, "count"));
}

static void print_many(struct cli *cli, const ProtobufCMessage *response) {
    print_ids(cli, response);
    fprintf(cli->out, "%" PRId64 " deactivated%s\n", field_get_integer(response, "count"),
            answer_describe_validators(cli, response));
}

static ProtobufCMessage *make_request(struct cli *cli, bool is_dry) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_DEACTIVATE_ACCESS_TOKENS);
    (void)token_text_set_filters(cli, request);
    set_cause(cli, request);
    // A dry run is no change: there is nothing to wait for, and the request id is for the one that follows.
    if (is_dry)
        cli_must(field_set_integer(request, "dry_run", true));
    else
        calls_set_change_options(cli, request);
    return request;
}

// How many it would be is asked only where somebody is there to read it.
static enum exit_code ask(struct cli *cli) {
    if (options_has(&cli->options, "yes") || !terminal_is_one(cli->in))
        return confirm_ask(cli, "");
    const ProtobufCMessage *response;
    enum exit_code code =
        calls_make(cli, RPC_DEACTIVATE_ACCESS_TOKENS, CALLS_WITH_TOKEN, make_request(cli, true), &response);
    if (code != EXIT_CODE_DONE)
        return code;
    return confirm_ask(cli, cli_format(cli, "Deactivate %" PRId64 " tokens for good?",
                                       field_get_integer(response, "count")));
}

static enum exit_code deactivate_many(struct cli *cli) {
    if (options_has(&cli->options, "dry-run"))
        return answer_call(cli, RPC_DEACTIVATE_ACCESS_TOKENS, make_request(cli, true), print_dry_run);
    enum exit_code code = ask(cli);
    if (code != EXIT_CODE_DONE)
        return code;
    return answer_call(cli, RPC_DEACTIVATE_ACCESS_TOKENS, make_request(cli, false), print_many);
}

enum exit_code token_command_deactivate(struct cli *cli) {
    bool has_id = cli->options.argument_count > 0;
    ProtobufCMessage *probe = calls_new_request(cli, RPC_DEACTIVATE_ACCESS_TOKENS);
    bool has_filter = token_text_set_filters(cli, probe);
    if (has_id && (has_filter || options_has(&cli->options, "dry-run")))
        return cli_fail(cli, EXIT_CODE_USAGE, "name a token, or filters, not both; --dry-run is for filters");
    if (!has_id && !has_filter)
        return cli_fail(cli, EXIT_CODE_USAGE, "name a token, or filters such as --unused-since");
    return has_id ? deactivate_one(cli) : deactivate_many(cli);
}
