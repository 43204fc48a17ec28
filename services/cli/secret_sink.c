#include "services/cli/secret_sink.h"

#include <errno.h>
#include <string.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/json_print.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"

#define NO_FILE (-1)

static enum exit_code open_sink(struct cli *cli, struct secret_sink *ret_sink) {
    const char *path = options_find_text(&cli->options, "secret-file");
    *ret_sink = (struct secret_sink){.fd = NO_FILE};
    if (path && strcmp(path, "-") == 0)
        return EXIT_CODE_DONE;
    if (!path && !terminal_is_one(cli->out))
        return cli_fail(
            cli, EXIT_CODE_USAGE,
            "standard output is no terminal, and a secret is not written where it may be kept: name "
            "a new file for it with --secret-file, or say --secret-file - to have it there all the "
            "same");
    if (!path)
        return EXIT_CODE_DONE;
    enum exit_code code = EXIT_CODE_DONE;
    ret_sink->path = path;
    return secret_text_create_file(cli, path, &ret_sink->fd, &code) ? EXIT_CODE_DONE : code;
}

static void print_json(struct cli *cli, const ProtobufCMessage *response, const struct secret_sink *sink) {
    json_t *json = answer_to_json(cli, response);
    if (sink->path) {
        json_object_del(json, "secret");
        json_object_set_new(json, "secret_file", json_string(sink->path));
    }
    json_print(json, cli->out);
}

static void print(struct cli *cli, const ProtobufCMessage *response, const struct secret_sink *sink,
                  const struct secret_sink_words *words) {
    words->print(cli, response);
    answer_print_validators(cli, response);
    if (field_get_integer(response, "secret_withheld"))
        fprintf(cli->out, "\nThis request was made before, so the secret is not shown again; %s.\n",
                words->withheld);
    else if (sink->path)
        fprintf(cli->out, "\nIts secret is in %s.\n", terminal_clean(&cli->arena, sink->path));
    else
        fprintf(cli->out, "\nIts secret, shown this once: keep it now, nobody can show it again.\n\n%s\n",
                field_get_text(response, "secret"));
}

static enum exit_code fill(struct cli *cli, const struct secret_sink *sink, const ProtobufCMessage *response,
                           const struct secret_sink_words *words) {
    const char *secret = field_get_text(response, "secret");
    if (secret[0])
        return secret_text_write_file(cli, sink->path, sink->fd, secret, words->remedy);
    secret_text_discard_file(sink->path, sink->fd);
    return cli_fail(cli, EXIT_CODE_REFUSED,
                    "an earlier request of this id has done it, and its secret can't be shown again; %s",
                    words->withheld);
}

static enum exit_code finish(struct cli *cli, const struct secret_sink *sink,
                             const ProtobufCMessage *response, const struct secret_sink_words *words) {
    if (sink->path) {
        enum exit_code code = fill(cli, sink, response, words);
        if (code != EXIT_CODE_DONE)
            return code;
    }
    if (cli->is_json)
        print_json(cli, response, sink);
    else
        print(cli, response, sink, words);
    // It exists by now: whoever did not get it has to know what to do.
    if (!sink->path && fflush(cli->out) != 0)
        return cli_fail(cli, EXIT_CODE_FAILED, "the secret could not be written to standard output: %s; %s",
                        strerror(errno), words->remedy);
    return answer_get_code(response);
}

enum exit_code secret_sink_call(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request,
                                const struct secret_sink_words *words) {
    struct secret_sink sink;
    enum exit_code code = open_sink(cli, &sink);
    if (code != EXIT_CODE_DONE)
        return code;
    const ProtobufCMessage *response;
    code = calls_make(cli, id, CALLS_WITH_TOKEN, request, &response);
    if (code == EXIT_CODE_DONE)
        return finish(cli, &sink, response, words);
    if (sink.path)
        secret_text_discard_file(sink.path, sink.fd);
    return code;
}
