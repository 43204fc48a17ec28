// `latchkey token create`: the file for the secret is there before the secret is made, and goes again if none
// was.
#include <string.h>

#include "common/crypto/secret.h"
#include "common/grpc/field.h"
#include "common/ip/prefix.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/json_print.h"
#include "services/cli/range_text.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"
#include "services/cli/token_command.h"
#include "services/cli/token_text.h"

#define NO_FILE (-1)

// Where the secret goes.
struct sink {
    const char *path; // NULL = standard output
    int fd;
};

static const struct {
    const char *option, *field;
} texts[] = {{"label", "label"}, {"description", "description"}, {"external-id", "external_id"}},
  lists[] = {{"permission", "permissions"}, {"allowed-ip", "allowed_ips"}, {"domain", "allowed_domains"}},
  times[] = {{"not-before", "not_before"}, {"expires-at", "expires_at"}};

static enum exit_code set_channels(struct cli *cli, ProtobufCMessage *request) {
    size_t count;
    const char **words = cli_need(options_get_list(&cli->options, "channel", &cli->arena, &count));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "api") != 0 && strcmp(words[i], "ui") != 0)
            return cli_fail(cli, EXIT_CODE_USAGE, "--channel is \"%s\", but must be api or ui", words[i]);
        words[i] = answer_to_enum_name(cli, "CHANNEL_", words[i]);
    }
    cli_must(field_set_enum_names(&cli->arena, request, "channels", words, count));
    return EXIT_CODE_DONE;
}

static enum exit_code set_metadata(struct cli *cli, ProtobufCMessage *request) {
    size_t count;
    const char **pairs = cli_need(options_get_list(&cli->options, "metadata", &cli->arena, &count));
    ProtobufCMessage **messages;
    cli_must(field_set_messages(&cli->arena, request, "metadata", count, &messages));
    for (size_t i = 0; i < count; i++) {
        struct bytes rest = bytes_of_text(pairs[i]), key = bytes_split(&rest, '=');
        if (!rest.data || key.len == 0)
            return cli_fail(cli, EXIT_CODE_USAGE, "--metadata is \"%s\", but must be KEY=VALUE", pairs[i]);
        cli_must(
            field_set_text(&cli->arena, messages[i], "key", cli_need(arena_copy_bytes(&cli->arena, key))));
        cli_must(field_set_text(&cli->arena, messages[i], "value", (const char *)rest.data));
    }
    return EXIT_CODE_DONE;
}

static void set_plain_options(struct cli *cli, ProtobufCMessage *request) {
    const struct options *options = &cli->options;
    struct arena *arena = &cli->arena;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (options_has(options, texts[i].option))
            cli_must(
                field_set_text(arena, request, texts[i].field, options_find_text(options, texts[i].option)));
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        size_t count;
        const char **items = cli_need(options_get_list(options, lists[i].option, arena, &count));
        cli_must(field_set_texts(arena, request, lists[i].field, items, count));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        if (options_has(options, times[i].option))
            cli_must(field_set_time_ms(arena, request, times[i].field,
                                       options_get_number(options, times[i].option, 0)));
    int64_t expire_in_ms = options_get_number(options, "expires-in", 0);
    if (expire_in_ms > 0)
        cli_must(field_set_duration_ms(arena, request, "expire_in", expire_in_ms));
    if (options_has(options, "company-owned"))
        cli_must(field_set_integer(request, "company_owned", true));
    calls_set_change_options(cli, request);
}

static enum exit_code make_request(struct cli *cli, ProtobufCMessage **ret_request) {
    if (!options_has(&cli->options, "label"))
        return cli_fail(cli, EXIT_CODE_USAGE, "--label is missing: a name by which people know the token");
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_ACCESS_TOKEN);
    set_plain_options(cli, request);
    enum exit_code code = set_channels(cli, request);
    if (code == EXIT_CODE_DONE)
        code = set_metadata(cli, request);
    *ret_request = request;
    return code;
}

static void print_json(struct cli *cli, const ProtobufCMessage *response, const struct sink *sink) {
    json_t *json = answer_to_json(cli, response);
    if (sink->path) {
        json_object_del(json, "secret");
        json_object_set_new(json, "secret_file", json_string(sink->path));
    }
    json_print(json, cli->out);
}

static void print_meanings(struct cli *cli) {
    size_t count;
    const char **typed = cli_need(options_get_list(&cli->options, "allowed-ip", &cli->arena, &count));
    for (size_t i = 0; i < count; i++)
        range_text_print_meaning(cli, typed[i], IP_PREFIX_BITS_UNSET);
}

static void print(struct cli *cli, const ProtobufCMessage *response, const struct sink *sink) {
    token_text_print(cli, field_find_message(response, "access_token"));
    print_meanings(cli);
    if (!options_has(&cli->options, "permission"))
        fputs(
            "It has no permission: it is admitted only where none is asked for; --permission grants some.\n",
            cli->out);
    if (field_get_integer(response, "secret_withheld"))
        fputs(
            "\nThis request was made before, so the secret is not shown again; make another token under another "
            "--request-id.\n",
            cli->out);
    else if (sink->path)
        fprintf(cli->out, "\nIts secret is in %s.\n", terminal_clean(&cli->arena, sink->path));
    else
        fprintf(cli->out, "\nIts secret, shown this once:\n\n%s\n", field_get_text(response, "secret"));
}

static enum exit_code fill(struct cli *cli, const struct sink *sink, const ProtobufCMessage *response) {
    const char *secret = field_get_text(response, "secret");
    if (secret[0])
        return secret_text_write_file(cli, sink->path, sink->fd, secret,
                                      "deactivate the token and make another");
    secret_text_discard_file(sink->path, sink->fd);
    return cli_fail(cli, EXIT_CODE_REFUSED,
                    "the token %s was made by an earlier request of this id, and its secret can't be shown "
                    "again; make another one under another --request-id",
                    field_get_text(field_find_message(response, "access_token"), "token_id"));
}

static enum exit_code finish(struct cli *cli, const struct sink *sink, const ProtobufCMessage *response) {
    if (sink->path) {
        enum exit_code code = fill(cli, sink, response);
        if (code != EXIT_CODE_DONE)
            return code;
    }
    if (cli->is_json)
        print_json(cli, response, sink);
    else
        print(cli, response, sink);
    return answer_get_code(response);
}

enum exit_code token_command_create(struct cli *cli) {
    ProtobufCMessage *request = NULL;
    enum exit_code code = make_request(cli, &request);
    if (code != EXIT_CODE_DONE)
        return code;
    struct sink sink = {.path = options_find_text(&cli->options, "secret-file"), .fd = NO_FILE};
    if (sink.path && !secret_text_create_file(cli, sink.path, &sink.fd, &code))
        return code;
    const ProtobufCMessage *response;
    code = calls_make(cli, RPC_CREATE_ACCESS_TOKEN, CALLS_WITH_TOKEN, request, &response);
    if (code == EXIT_CODE_DONE)
        return finish(cli, &sink, response);
    if (sink.path)
        secret_text_discard_file(sink.path, sink.fd);
    return code;
}
