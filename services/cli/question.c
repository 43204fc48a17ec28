#include "services/cli/question.h"

#include <string.h>

#include "common/ip/address.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"

#define VARIABLE "LATCHKEY_VALIDATE_TOKEN"

// NULL after cli_fail(), whose code is in `ret_code`.
static const char *read_secret(struct cli *cli, const char *other_way, enum exit_code *ret_code) {
    const char *file = options_find_text(&cli->options, "secret-file");
    if (file)
        return secret_text_read(cli, file, ret_code);
    const char *value = cli_get_variable(cli, VARIABLE);
    if (value)
        return secret_text_check(cli, value, VARIABLE, ret_code);
    *ret_code = cli_fail(cli, EXIT_CODE_USAGE,
                         "no token to ask about: %sput it into " VARIABLE
                         ", or its file's name into --secret-file (\"-\" is standard input)",
                         other_way);
    return NULL;
}

// why: the validator denies what it can't read, and that an address was mistyped would not be seen.
static enum exit_code check_address(struct cli *cli) {
    const char *text = options_find_text(&cli->options, "client-ip");
    struct ip_address address;
    enum ip_parse_result result = text ? ip_address_parse(bytes_of_text(text), &address) : IP_PARSE_OK;
    if (result == IP_PARSE_OK)
        return EXIT_CODE_DONE;
    return cli_fail(cli, EXIT_CODE_USAGE, "--client-ip is \"%s\": %s", text,
                    ip_parse_result_get_text(result));
}

static void set_options(struct cli *cli, ProtobufCMessage *request) {
    static const struct {
        const char *option, *field;
    } texts[] = {{"client-ip", "client_ip"}, {"domain", "domain"}, {"min-revision", "min_revision"}},
      lists[] = {{"permission", "permissions"}, {"any-permission", "any_permissions"}};
    const struct options *options = &cli->options;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (options_has(options, texts[i].option))
            cli_must(field_set_text(&cli->arena, request, texts[i].field,
                                    options_find_text(options, texts[i].option)));
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        size_t count;
        const char **items = cli_need(options_get_list(options, lists[i].option, &cli->arena, &count));
        cli_must(field_set_texts(&cli->arena, request, lists[i].field, items, count));
    }
    const char *channel = options_find_text(options, "channel");
    cli_must(field_set_enum_name(request, "channel",
                                 answer_to_enum_name(cli, "CHANNEL_", channel ? channel : "api")));
}

enum exit_code question_set_secret(struct cli *cli, ProtobufCMessage *question, const char *other_way) {
    enum exit_code code;
    const char *secret = read_secret(cli, other_way, &code);
    if (!secret)
        return code;
    cli_must(field_set_text(&cli->arena, question, "token", secret));
    return EXIT_CODE_DONE;
}

enum exit_code question_set(struct cli *cli, ProtobufCMessage *question) {
    enum exit_code code = check_address(cli);
    if (code == EXIT_CODE_DONE)
        set_options(cli, question);
    return code;
}

bool question_is_allowed(const ProtobufCMessage *decision) {
    return strcmp(field_get_enum_name(decision, "decision"), "DECISION_ALLOW") == 0;
}

const char *question_print_decision(struct cli *cli, const ProtobufCMessage *decision) {
    bool is_allowed = question_is_allowed(decision);
    const char *reason = field_get_enum_name(decision, "reason");
    if (strncmp(reason, "REASON_", 7) == 0)
        reason += 7;
    terminal_print(cli->out, is_allowed ? TERMINAL_GREEN : TERMINAL_RED, is_allowed ? "ALLOW" : "DENY");
    fprintf(cli->out, " %s\n", is_allowed ? field_get_text(decision, "token_id") : reason);
    return reason;
}
