#include "services/cli/invitation_command.h"

#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/lookup.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"
#include "services/cli/watch.h"

// "sent", or "failed: what the mail server said".
static const char *describe_delivery(struct cli *cli, const ProtobufCMessage *invitation) {
    const char *delivery = answer_get_word(cli, invitation, "delivery", "DELIVERY_"),
               *detail = field_get_text(invitation, "delivery_detail");
    return cli_format(cli, "%s%s%s", delivery, detail[0] ? ": " : "", detail);
}

static void add_invitation(struct answer_list *list, const ProtobufCMessage *invitation) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(invitation, "invitation_id"),
                               field_get_text(invitation, "email"),
                               answer_get_word(cli, invitation, "state", "INVITATION_STATE_"),
                               answer_get_time(cli, invitation, "expires_at", ""),
                               lookup_describe_roles(cli, list->context, invitation),
                               describe_delivery(cli, invitation),
                           });
}

static enum exit_code list(struct cli *cli) {
    static const char *const headings[] = {"INVITATION", "EMAIL", "STATE", "LINK ENDS", "ROLES", "MAIL"};
    static const struct request_field filters[] = {REQUEST_WORDS("state", "state", "INVITATION_STATE_")};
    const struct answer_listing listing = {"invitations",
                                           headings,
                                           ARRAY_LENGTH(headings),
                                           add_invitation,
                                           "nobody was invited yet; `latchkey invitation create` does it",
                                           lookup_load_roles(cli)};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_INVITATIONS);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    return answer_call_list(cli, RPC_LIST_INVITATIONS, request, &listing);
}

enum exit_code invitation_command_list(struct cli *cli) {
    return watch_run(cli, list);
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *invitation = field_find_message(response, "invitation");
    int64_t resent = field_get_integer(invitation, "resent_count");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "invitation", field_get_text(invitation, "invitation_id"));
    table_add_property(&table, "email", field_get_text(invitation, "email"));
    table_add_property(&table, "state", answer_get_word(cli, invitation, "state", "INVITATION_STATE_"));
    table_add_property(&table, "mail", describe_delivery(cli, invitation));
    table_add_property(&table, "sent again", resent > 0 ? cli_format(cli, "%" PRId64 " times", resent) : "");
    table_add_property(&table, "link ends", answer_get_time(cli, invitation, "expires_at", ""));
    table_add_property(&table, "roles", lookup_describe_roles(cli, lookup_load_roles(cli), invitation));
    table_add_property(&table, "addresses", answer_get_list(cli, invitation, "allowed_ips", "any"));
    table_add_property(&table, "accepted", answer_get_time(cli, invitation, "accepted_at", ""));
    table_add_property(&table, "member", field_get_text(invitation, "member_id"));
    table_add_property(&table, "created", answer_get_time(cli, invitation, "created_at", ""));
    table_add_property(&table, "created by", field_get_text(invitation, "created_by"));
    table_print(&table, TABLE_UNCUT, cli->out);
}

static enum exit_code show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_INVITATION);
    request_set_argument(cli, request, "invitation_id");
    return answer_call(cli, RPC_GET_INVITATION, request, print);
}

enum exit_code invitation_command_show(struct cli *cli) {
    return watch_run(cli, show);
}

static ProtobufCMessage *make_change(struct cli *cli, enum rpc_id id) {
    ProtobufCMessage *request = calls_new_request(cli, id);
    request_set_argument(cli, request, "invitation_id");
    calls_set_change_options(cli, request);
    return request;
}

static void print_resent(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *invitation = field_find_message(response, "invitation");
    fprintf(cli->out, "a new link goes to %s and is good until %s; the links before are dead\n",
            terminal_clean(&cli->arena, field_get_text(invitation, "email")),
            answer_get_time(cli, invitation, "expires_at", "?"));
}

enum exit_code invitation_command_resend(struct cli *cli) {
    return answer_call(cli, RPC_RESEND_INVITATION, make_change(cli, RPC_RESEND_INVITATION), print_resent);
}

static void print_deactivated(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *invitation = field_find_message(response, "invitation");
    fprintf(cli->out, "deactivated %s (%s): every link of it is dead\n",
            field_get_text(invitation, "invitation_id"),
            terminal_clean(&cli->arena, field_get_text(invitation, "email")));
}

enum exit_code invitation_command_deactivate(struct cli *cli) {
    enum exit_code code = confirm_ask(
        cli, cli_format(cli, "Deactivate the invitation %s for good?", cli->options.arguments[0]));
    if (code != EXIT_CODE_DONE)
        return code;
    return answer_call(cli, RPC_DEACTIVATE_INVITATION, make_change(cli, RPC_DEACTIVATE_INVITATION),
                       print_deactivated);
}
