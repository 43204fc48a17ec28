// What the invited person does with a link: `latchkey invitation lookup` and `accept`. The link is a secret,
// so it is read from a file or typed unseen; nobody needs a token.
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/invitation_command.h"
#include "services/cli/request.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"

// The part after "#" of the whole link, or the secret alone, into `secret`.
static enum exit_code set_secret(struct cli *cli, ProtobufCMessage *request) {
    enum exit_code code = EXIT_CODE_DONE;
    const char *link = secret_text_read_or_ask(cli, "Paste the link: ", &code);
    if (!link)
        return code;
    struct bytes rest = bytes_of_text(link), before = bytes_split(&rest, '#');
    cli_must(field_set_text(&cli->arena, request, "secret",
                            rest.data ? (const char *)rest.data : (const char *)before.data));
    return EXIT_CODE_DONE;
}

static void print_lookup(struct cli *cli, const ProtobufCMessage *response) {
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "company", field_get_text(response, "company_name"));
    table_add_property(&table, "invites", field_get_text(response, "email_masked"));
    table_add_property(&table, "link ends", answer_get_time(cli, response, "expires_at", ""));
    table_print(&table, TABLE_UNCUT, cli->out);
}

enum exit_code invitation_command_lookup(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_LOOKUP_INVITATION);
    enum exit_code code = set_secret(cli, request);
    return code == EXIT_CODE_DONE ? answer_call_as_anybody(cli, RPC_LOOKUP_INVITATION, request, print_lookup)
                                  : code;
}

static void print_accepted(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *member = field_find_message(response, "member");
    fprintf(cli->out, "welcome, %s: you are the member %s (%s)\n",
            terminal_clean(&cli->arena, field_get_text(member, "display_name")),
            field_get_text(member, "member_id"),
            terminal_clean(&cli->arena, field_get_text(member, "email")));
    answer_print_validators(cli, response);
}

enum exit_code invitation_command_accept(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("display-name", "display_name")};
    if (!options_has(&cli->options, "display-name"))
        return cli_fail(cli, EXIT_CODE_USAGE, "--display-name is missing: your name for others to see");
    ProtobufCMessage *request = calls_new_request(cli, RPC_ACCEPT_INVITATION);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    enum exit_code code = set_secret(cli, request);
    return code == EXIT_CODE_DONE
               ? answer_call_as_anybody(cli, RPC_ACCEPT_INVITATION, request, print_accepted)
               : code;
}
