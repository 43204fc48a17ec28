#include "services/cli/member_command.h"

#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/lookup.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"

// ---- shown ----

static void add_member(struct answer_list *list, const ProtobufCMessage *member) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(member, "member_id"),
                               field_get_text(member, "email"),
                               field_get_text(member, "display_name"),
                               answer_get_word(cli, member, "state", "MEMBER_STATE_"),
                               lookup_describe_roles(cli, list->context, member),
                           });
}

enum exit_code member_command_list(struct cli *cli) {
    static const char *const headings[] = {"MEMBER", "EMAIL", "NAME", "STATE", "ROLES"};
    static const struct request_field filters[] = {REQUEST_WORDS("state", "state", "MEMBER_STATE_"),
                                                   REQUEST_FIELD("name", "name_contains"),
                                                   REQUEST_FIELD("external-id", "external_id")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_MEMBERS);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    enum exit_code code = lookup_set_role(cli, request);
    if (code != EXIT_CODE_DONE)
        return code;
    const struct answer_listing listing = {"members",  headings,         ARRAY_LENGTH(headings),
                                           add_member, "there are none", lookup_load_roles(cli)};
    return answer_call_list(cli, RPC_LIST_MEMBERS, request, &listing);
}

// Of every answer that holds a member.
static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *member = field_find_message(response, "member");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "member", field_get_text(member, "member_id"));
    table_add_property(&table, "email", field_get_text(member, "email"));
    table_add_property(&table, "name", field_get_text(member, "display_name"));
    table_add_property(&table, "state", answer_get_word(cli, member, "state", "MEMBER_STATE_"));
    table_add_property(&table, "roles", lookup_describe_roles(cli, lookup_load_roles(cli), member));
    table_add_property(&table, "addresses", answer_get_list(cli, member, "allowed_ips", "any"));
    table_add_property(&table, "issuer", field_get_text(member, "issuer"));
    table_add_property(&table, "subject", field_get_text(member, "subject"));
    table_add_property(&table, "external id", field_get_text(member, "external_id"));
    table_add_property(&table, "created", answer_get_time(cli, member, "created_at", ""));
    table_add_property(&table, "removed", answer_get_time(cli, member, "removed_at", ""));
    table_print(&table, TABLE_UNCUT, cli->out);
    answer_print_validators(cli, response);
}

// The argument, an id or an e-mail address, as `member_id`.
static enum exit_code set_member(struct cli *cli, ProtobufCMessage *message) {
    if (cli->options.argument_count == 0)
        return EXIT_CODE_DONE;
    const char *id;
    enum exit_code code = lookup_find_member(cli, cli->options.arguments[0], &id);
    if (code == EXIT_CODE_DONE)
        cli_must(field_set_text(&cli->arena, message, "member_id", id));
    return code;
}

enum exit_code member_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_MEMBER);
    enum exit_code code = set_member(cli, request);
    return code == EXIT_CODE_DONE ? answer_call(cli, RPC_GET_MEMBER, request, print) : code;
}

// ---- changed ----

static const struct request_field fields[] = {
    REQUEST_FIELD("email", "email"), // of updates; what is made has it as an argument
    REQUEST_FIELD("display-name", "display_name"),
    REQUEST_FIELD("role", "role_ids"), // names become ids after it
    REQUEST_FIELD("allowed-ip", "allowed_ips"),
    REQUEST_FIELD("issuer", "issuer"),
    REQUEST_FIELD("subject", "subject"),
    REQUEST_FIELD("external-id", "external_id"),
};

enum exit_code member_command_create(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_MEMBER);
    request_set_argument(cli, request, "email");
    request_set(cli, request, fields + 1, ARRAY_LENGTH(fields) - 1);
    calls_set_change_options(cli, request);
    enum exit_code code = lookup_set_roles(cli, request);
    return code == EXIT_CODE_DONE ? answer_call(cli, RPC_CREATE_MEMBER, request, print) : code;
}

enum exit_code member_command_update(struct cli *cli) {
    static const struct request_field force[] = {REQUEST_FIELD("force", "force")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_MEMBER), *member;
    enum exit_code code = request_set_update(cli, request, "member", fields, ARRAY_LENGTH(fields), &member);
    if (code == EXIT_CODE_DONE)
        code = set_member(cli, member);
    if (code == EXIT_CODE_DONE)
        code = lookup_set_roles(cli, member);
    if (code != EXIT_CODE_DONE)
        return code;
    request_set(cli, request, force, ARRAY_LENGTH(force));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_UPDATE_MEMBER, request, print);
}

// ---- removed ----

// What the removed member's own list of addresses does to tokens that are handed over.
static void print_bound(struct cli *cli, const ProtobufCMessage *response) {
    int64_t narrowed = field_get_integer(response, "narrowed_count");
    int64_t unreachable = field_get_integer(response, "unreachable_count");
    if (narrowed > 0)
        fprintf(cli->out, "with a narrower list of addresses, since their owner's bounds them: %" PRId64 "\n",
                narrowed);
    if (unreachable > 0)
        fprintf(cli->out, "ended, since no address is in both lists: %" PRId64 "\n", unreachable);
}

static void print_removal(struct cli *cli, const ProtobufCMessage *response, bool is_dry) {
    const ProtobufCMessage *member = field_find_message(response, "member");
    const char *fate = options_has(&cli->options, "transfer-tokens-to") ? "handed over" : "ended";
    fprintf(cli->out, "%s %s (%s); access tokens %s: %" PRId64 ", log-ins ended: %" PRId64 "%s\n",
            is_dry ? "would remove" : "removed", field_get_text(member, "member_id"),
            terminal_clean(&cli->arena, field_get_text(member, "email")), fate,
            field_get_integer(response, "token_count"), field_get_integer(response, "login_count"),
            is_dry ? "" : answer_describe_validators(cli, response));
    print_bound(cli, response);
    for (size_t i = 0; i < field_get_count(response, "token_ids"); i++)
        fprintf(cli->out, "%s\n", field_get_text_at(response, "token_ids", i));
}

static void print_removed(struct cli *cli, const ProtobufCMessage *response) {
    print_removal(cli, response, false);
}

static void print_dry_run(struct cli *cli, const ProtobufCMessage *response) {
    print_removal(cli, response, true);
}

static enum exit_code make_remove_request(struct cli *cli, bool is_dry, ProtobufCMessage **ret_request) {
    ProtobufCMessage *request = *ret_request = calls_new_request(cli, RPC_REMOVE_MEMBER);
    const char *heir = options_find_text(&cli->options, "transfer-tokens-to");
    enum exit_code code = set_member(cli, request);
    if (code == EXIT_CODE_DONE && heir)
        code = lookup_find_member(cli, heir, &heir);
    if (code != EXIT_CODE_DONE)
        return code;
    if (heir)
        cli_must(field_set_text(&cli->arena, request, "transfer_tokens_to", heir));
    if (is_dry)
        cli_must(field_set_integer(request, "dry_run", true));
    else
        calls_set_change_options(cli, request);
    return code;
}

enum exit_code member_command_remove(struct cli *cli) {
    ProtobufCMessage *request;
    bool is_dry = options_has(&cli->options, "dry-run");
    enum exit_code code = make_remove_request(cli, is_dry, &request);
    if (code == EXIT_CODE_DONE && !is_dry)
        code = confirm_ask(cli, cli_format(cli, "Remove the member %s for good?%s", cli->options.arguments[0],
                                           options_has(&cli->options, "transfer-tokens-to")
                                               ? ""
                                               : " Every access token that it owns ends, too."));
    if (code != EXIT_CODE_DONE)
        return code;
    return answer_call(cli, RPC_REMOVE_MEMBER, request, is_dry ? print_dry_run : print_removed);
}
