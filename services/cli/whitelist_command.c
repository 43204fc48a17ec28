#include "services/cli/whitelist_command.h"

#include <inttypes.h>
#include <string.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/json_print.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"
#include "services/cli/watch.h"
#include "services/cli/whitelist_text.h"

// ---- show ----

// Both parts as one object.
static void print_json(struct cli *cli, const ProtobufCMessage *settings, const struct answer_list *list) {
    json_t *json = answer_to_json(cli, settings);
    json_object_set(json, "entries", list->json);
    json_print(json, cli->out);
}

static ProtobufCMessage *make_list_request(struct cli *cli) {
    static const struct request_field filters[] = {
        REQUEST_FIELD("draft", "draft_id"),
        REQUEST_FIELD("contains", "contains_ip"),
        REQUEST_FIELD("within", "within"),
        REQUEST_FIELD("note", "note_contains"),
        REQUEST_FIELD("expires-before", "expires_before"),
        REQUEST_FIELD("never-hit", "never_hit"),
    };
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_WHITELIST_ENTRIES);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    return request;
}

// The live list, or the draft that the settings name.
static const char *describe(struct cli *cli, const ProtobufCMessage *settings) {
    const char *draft_id = options_find_text(&cli->options, "draft");
    if (!draft_id)
        return whitelist_text_describe(cli, field_find_message(settings, "whitelist"));
    for (size_t i = 0; i < field_get_count(settings, "drafts"); i++) {
        const ProtobufCMessage *draft = field_get_message_at(settings, "drafts", i);
        if (strcmp(field_get_text(draft, "draft_id"), draft_id) == 0)
            return cli_format(cli, "the draft %s; entries: %" PRId64 "%s", draft_id,
                              field_get_integer(draft, "entry_count"),
                              field_get_integer(draft, "outdated") ? "; the live list has changed since"
                                                                   : "");
    }
    return cli_format(cli, "the draft %s", draft_id);
}

static enum exit_code show(struct cli *cli) {
    const ProtobufCMessage *settings;
    enum exit_code code = calls_make(cli, RPC_GET_WHITELIST, CALLS_WITH_TOKEN,
                                     calls_new_request(cli, RPC_GET_WHITELIST), &settings);
    if (code != EXIT_CODE_DONE)
        return code;
    struct table table;
    struct answer_list list;
    whitelist_text_init_table(cli, &table);
    answer_list_init(&list, cli, "entries", &table, whitelist_text_add_entry);
    code = answer_list_fetch(&list, RPC_LIST_WHITELIST_ENTRIES, make_list_request(cli));
    if (code == EXIT_CODE_DONE && cli->is_json) {
        print_json(cli, settings, &list);
    } else if (code == EXIT_CODE_DONE) {
        fprintf(cli->out, "%s\n", describe(cli, settings));
        answer_list_print(&list, "there are no entries yet; `latchkey whitelist add` makes some");
    }
    answer_list_fini(&list);
    return code;
}

enum exit_code whitelist_command_show(struct cli *cli) {
    return watch_run(cli, show);
}

// ---- enable, disable ----

static ProtobufCMessage *make_update(struct cli *cli, bool enabled) {
    static const struct request_field settings[] = {REQUEST_WORDS("scope", "scope", "WHITELIST_SCOPE_")},
                                      force[] = {REQUEST_FIELD("force", "force")};
    struct arena *arena = &cli->arena;
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_WHITELIST), *whitelist, *mask;
    const char *const paths[] = {"enabled", "scope"};
    cli_must(field_set_message(arena, request, "whitelist", &whitelist));
    cli_must(field_set_message(arena, request, "update_mask", &mask));
    cli_must(field_set_texts(arena, mask, "paths", paths, options_has(&cli->options, "scope") ? 2 : 1));
    cli_must(field_set_integer(whitelist, "enabled", enabled));
    request_set(cli, whitelist, settings, ARRAY_LENGTH(settings));
    request_set(cli, request, force, ARRAY_LENGTH(force));
    calls_set_change_options(cli, request);
    return request;
}

static void print_settings(struct cli *cli, const ProtobufCMessage *response) {
    fprintf(cli->out, "%s%s\n", whitelist_text_describe(cli, field_find_message(response, "whitelist")),
            answer_describe_validators(cli, response));
}

static void print_enabled(struct cli *cli, const ProtobufCMessage *response) {
    print_settings(cli, response);
    if (options_has(&cli->options, "confirm-within") &&
        !field_find_message(field_find_message(response, "whitelist"), "confirm_by"))
        fputs(
            "latchkey: nothing waits to be confirmed: it covered that before, or the server is one that does "
            "not know --confirm-within\n",
            cli->err);
    fputs("It is not for companies whose people come through VPNs or from changing addresses: whose address "
          "changes is locked out.\n",
          cli->out);
}

enum exit_code whitelist_command_enable(struct cli *cli) {
    static const struct request_field trial[] = {REQUEST_FIELD("confirm-within", "confirm_within")};
    ProtobufCMessage *request = make_update(cli, true);
    request_set(cli, request, trial, ARRAY_LENGTH(trial));
    return answer_call(cli, RPC_UPDATE_WHITELIST, request, print_enabled);
}

enum exit_code whitelist_command_disable(struct cli *cli) {
    return answer_call(cli, RPC_UPDATE_WHITELIST, make_update(cli, false), print_settings);
}

// ---- confirm ----

enum exit_code whitelist_command_confirm(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_CONFIRM_WHITELIST);
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_CONFIRM_WHITELIST, request, print_settings);
}

// ---- check ----

static void print_check(struct cli *cli, const ProtobufCMessage *check) {
    const ProtobufCMessage *matched = field_find_message(check, "matched_entry");
    bool is_listed = field_get_integer(check, "listed");
    terminal_print(cli->out, is_listed ? TERMINAL_GREEN : TERMINAL_RED, is_listed ? "LISTED" : "NOT LISTED");
    fprintf(cli->out, " %s: %s\n", field_get_text(check, "client_ip"),
            matched ? whitelist_text_get_entry(cli, matched) : whitelist_text_get_nearest(cli, check));
    if (!field_get_integer(check, "enabled"))
        fputs("(the whitelist is off: it restricts nothing)\n", cli->out);
}

enum exit_code whitelist_command_check(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_CHECK_IP);
    request_set_argument(cli, request, "client_ip");
    const ProtobufCMessage *check;
    enum exit_code code = calls_make(cli, RPC_CHECK_IP, CALLS_WITH_TOKEN, request, &check);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, check);
    else
        print_check(cli, check);
    return field_get_integer(check, "listed") ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
