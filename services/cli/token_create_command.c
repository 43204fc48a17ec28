// `latchkey token create`.
#include "common/ip/prefix.h"
#include "common/protobuf/field.h"
#include "services/cli/range_text.h"
#include "services/cli/request.h"
#include "services/cli/secret_sink.h"
#include "services/cli/token_command.h"
#include "services/cli/token_text.h"

static const struct request_field fields[] = {
    REQUEST_FIELD("label", "label"),
    REQUEST_FIELD("description", "description"),
    REQUEST_FIELD("external-id", "external_id"),
    REQUEST_FIELD("permission", "permissions"),
    REQUEST_FIELD("allowed-ip", "allowed_ips"),
    REQUEST_FIELD("domain", "allowed_domains"),
    REQUEST_WORDS("channel", "channels", "CHANNEL_"),
    REQUEST_FIELD("not-before", "not_before"),
    REQUEST_FIELD("expires-at", "expires_at"),
    REQUEST_FIELD("expires-in", "expire_in"),
    REQUEST_FIELD("company-owned", "company_owned"),
    REQUEST_FIELD("metadata", "metadata"),
};

static void print_meanings(struct cli *cli) {
    size_t count;
    const char **typed = cli_need(options_get_list(&cli->options, "allowed-ip", &cli->arena, &count));
    for (size_t i = 0; i < count; i++)
        range_text_print_meaning(cli, typed[i], IP_PREFIX_BITS_UNSET);
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    token_text_print(cli, field_find_message(response, "access_token"));
    print_meanings(cli);
    if (!options_has(&cli->options, "permission"))
        fputs(
            "It has no permission: it is admitted only where none is asked for; --permission grants some.\n",
            cli->out);
}

enum exit_code token_command_create(struct cli *cli) {
    static const struct secret_sink_words words = {
        .withheld = "make another token under another --request-id",
        .remedy = "deactivate the token and make another",
        .print = print,
    };
    if (!options_has(&cli->options, "label"))
        return cli_fail(cli, EXIT_CODE_USAGE, "--label is missing: a name by which people know the token");
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_ACCESS_TOKEN);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return secret_sink_call(cli, RPC_CREATE_ACCESS_TOKEN, request, &words);
}
