#include "services/cli/whitelist_command.h"

#include <inttypes.h>
#include <string.h>

#include "common/grpc/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/json_print.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"
#include "services/cli/whitelist_text.h"

static const char *describe_settings(struct cli *cli, const ProtobufCMessage *whitelist) {
    const char *scope = answer_get_word(cli, whitelist, "scope", "WHITELIST_SCOPE_");
    int64_t count = field_get_integer(whitelist, "entry_count");
    if (!field_get_integer(whitelist, "enabled"))
        return cli_format(cli, "the whitelist is off: it restricts nothing; entries: %" PRId64, count);
    return cli_format(cli, "the whitelist is on, for %s; entries: %" PRId64,
                      strcmp(scope, "logins") == 0 ? "log-ins only" : "every token", count);
}

// ---- show ----

// Both parts as one object.
static void print_json(struct cli *cli, const ProtobufCMessage *settings, const struct answer_list *list) {
    json_t *json = answer_to_json(cli, settings);
    json_object_set(json, "entries", list->json);
    json_print(json, cli->out);
}

static ProtobufCMessage *make_list_request(struct cli *cli) {
    static const struct {
        const char *option, *field;
    } filters[] = {{"contains", "contains_ip"}, {"within", "within"}, {"note", "note_contains"}};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_WHITELIST_ENTRIES);
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++)
        if (options_has(&cli->options, filters[i].option))
            cli_must(field_set_text(&cli->arena, request, filters[i].field,
                                    options_find_text(&cli->options, filters[i].option)));
    return request;
}

enum exit_code whitelist_command_show(struct cli *cli) {
    const ProtobufCMessage *settings;
    enum exit_code code = calls_make(cli, RPC_GET_WHITELIST, CALLS_WITH_TOKEN,
                                     calls_new_request(cli, RPC_GET_WHITELIST), &settings);
    if (code != EXIT_CODE_DONE)
        return code;
    struct table table;
    struct answer_list list;
    whitelist_text_init_table(cli, &table);
    answer_list_init(&list, cli, "entries", &table, whitelist_text_add_entry);
    code =
        calls_make_pages(cli, RPC_LIST_WHITELIST_ENTRIES, make_list_request(cli), answer_list_on_page, &list);
    if (code == EXIT_CODE_DONE && cli->is_json) {
        print_json(cli, settings, &list);
    } else if (code == EXIT_CODE_DONE) {
        fprintf(cli->out, "%s\n", describe_settings(cli, field_find_message(settings, "whitelist")));
        answer_list_print(&list, "there are no entries yet; `latchkey whitelist add` makes some");
    }
    answer_list_fini(&list);
    return code;
}

// ---- enable, disable ----

static ProtobufCMessage *make_update(struct cli *cli, bool enabled) {
    struct arena *arena = &cli->arena;
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_WHITELIST), *whitelist, *mask;
    const char *scope = options_find_text(&cli->options, "scope");
    const char *const paths[] = {"enabled", "scope"};
    cli_must(field_set_message(arena, request, "whitelist", &whitelist));
    cli_must(field_set_message(arena, request, "update_mask", &mask));
    cli_must(field_set_texts(arena, mask, "paths", paths, scope ? 2 : 1));
    cli_must(field_set_integer(whitelist, "enabled", enabled));
    if (scope)
        cli_must(
            field_set_enum_name(whitelist, "scope", answer_to_enum_name(cli, "WHITELIST_SCOPE_", scope)));
    if (options_has(&cli->options, "force"))
        cli_must(field_set_integer(request, "force", true));
    calls_set_change_options(cli, request);
    return request;
}

static enum exit_code update(struct cli *cli, bool enabled) {
    const ProtobufCMessage *response;
    enum exit_code code =
        calls_make(cli, RPC_UPDATE_WHITELIST, CALLS_WITH_TOKEN, make_update(cli, enabled), &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        fprintf(cli->out, "%s%s\n", describe_settings(cli, field_find_message(response, "whitelist")),
                answer_describe_validators(cli, response));
    return answer_get_code(response);
}

enum exit_code whitelist_command_enable(struct cli *cli) {
    return update(cli, true);
}

enum exit_code whitelist_command_disable(struct cli *cli) {
    return update(cli, false);
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
    if (cli->options.argument_count > 0)
        cli_must(field_set_text(&cli->arena, request, "client_ip", cli->options.arguments[0]));
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
