// `latchkey whitelist add`, `update` and `remove`.
#include <inttypes.h>

#include "common/ip/prefix.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/range_text.h"
#include "services/cli/request.h"
#include "services/cli/terminal.h"
#include "services/cli/whitelist_command.h"
#include "services/cli/whitelist_ids.h"
#include "services/cli/whitelist_text.h"

#define BITS_UNSET (-1)

// ---- add ----

static const struct request_field entry_fields[] = {
    REQUEST_FIELD("bits", "checking_bits"),    REQUEST_FIELD("note", "note"),
    REQUEST_FIELD("owner", "owner"),           REQUEST_FIELD("disabled", "disabled"),
    REQUEST_FIELD("expires-at", "expires_at"), REQUEST_FIELD("expires-in", "expires_at"),
};
static const struct request_field call_fields[] = {REQUEST_FIELD("draft", "draft_id"),
                                                   REQUEST_FIELD("force", "force")};

static ProtobufCMessage *make_add_request(struct cli *cli) {
    size_t count = cli->options.argument_count;
    ProtobufCMessage *request = calls_new_request(cli, RPC_ADD_WHITELIST_ENTRIES), **entries;
    cli_must(field_set_messages(&cli->arena, request, "entries", count, &entries));
    for (size_t i = 0; i < count; i++) {
        cli_must(field_set_text(&cli->arena, entries[i], "address", cli->options.arguments[i]));
        request_set(cli, entries[i], entry_fields, ARRAY_LENGTH(entry_fields));
    }
    request_set(cli, request, call_fields, ARRAY_LENGTH(call_fields));
    calls_set_change_options(cli, request);
    return request;
}

static void print_meanings(struct cli *cli) {
    int64_t bits = options_get_number(&cli->options, "bits", BITS_UNSET);
    for (size_t i = 0; i < cli->options.argument_count; i++)
        range_text_print_meaning(cli, cli->options.arguments[i],
                                 bits == BITS_UNSET ? IP_PREFIX_BITS_UNSET : (uint32_t)bits);
}

static void print_warnings(struct cli *cli, const ProtobufCMessage *response) {
    for (size_t i = 0; i < field_get_count(response, "warnings"); i++) {
        const ProtobufCMessage *warning = field_get_message_at(response, "warnings", i);
        fprintf(
            cli->err, "latchkey: %s: %s\n",
            cli->options.arguments[(size_t)field_get_integer(warning, "index") % cli->options.argument_count],
            terminal_clean(&cli->arena, field_get_text(warning, "detail")));
    }
}

static void print_added(struct cli *cli, const ProtobufCMessage *response) {
    struct table table;
    struct answer_list list;
    whitelist_text_init_table(cli, &table);
    answer_list_init(&list, cli, "entries", &table, whitelist_text_add_entry);
    answer_list_on_page(&list, response);
    answer_list_print(&list, "nothing was added");
    answer_list_fini(&list);
    print_meanings(cli);
    print_warnings(cli, response);
    if (field_find_message(response, "validators"))
        fprintf(cli->out, "added%s\n", answer_describe_validators(cli, response));
}

enum exit_code whitelist_command_add(struct cli *cli) {
    return answer_call(cli, RPC_ADD_WHITELIST_ENTRIES, make_add_request(cli), print_added);
}

// ---- update ----

static void print_updated(struct cli *cli, const ProtobufCMessage *response) {
    whitelist_text_print_entry(cli, field_find_message(response, "entry"));
    print_warnings(cli, response);
    answer_print_validators(cli, response);
}

enum exit_code whitelist_command_update(struct cli *cli) {
    static const struct request_field fields[] = {
        REQUEST_FIELD("range", "address"),
        REQUEST_FIELD("bits", "checking_bits"),
        REQUEST_FIELD("note", "note"),
        REQUEST_FIELD("owner", "owner"),
        REQUEST_FIELD("disabled", "disabled"),
        REQUEST_FIELD("expires-at", "expires_at"),
        REQUEST_FIELD("expires-in", "expires_at"),
    };
    ProtobufCMessage *request = calls_new_request(cli, RPC_UPDATE_WHITELIST_ENTRY), *entry;
    struct whitelist_ids ids;
    enum exit_code code = request_set_update(cli, request, "entry", fields, ARRAY_LENGTH(fields), &entry);
    if (code == EXIT_CODE_DONE)
        code = whitelist_ids_find(cli, &ids);
    if (code != EXIT_CODE_DONE)
        return code;
    if (ids.count > 1)
        return cli_fail(cli, EXIT_CODE_REFUSED, "%zu entries are exactly %s; name one of them by its id",
                        ids.count, cli->options.arguments[0]);
    cli_must(field_set_text(&cli->arena, entry, "entry_id", ids.texts[0]));
    request_set(cli, request, call_fields, ARRAY_LENGTH(call_fields));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_UPDATE_WHITELIST_ENTRY, request, print_updated);
}

// ---- remove ----

static ProtobufCMessage *make_remove_request(struct cli *cli, const struct whitelist_ids *ids) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_REMOVE_WHITELIST_ENTRIES);
    cli_must(field_set_texts(&cli->arena, request, "entry_ids", ids->texts, ids->count));
    request_set(cli, request, call_fields, ARRAY_LENGTH(call_fields));
    calls_set_change_options(cli, request);
    return request;
}

enum exit_code whitelist_command_remove(struct cli *cli) {
    struct whitelist_ids ids;
    const ProtobufCMessage *response;
    enum exit_code code = whitelist_ids_find(cli, &ids);
    if (code == EXIT_CODE_DONE)
        code = calls_make(cli, RPC_REMOVE_WHITELIST_ENTRIES, CALLS_WITH_TOKEN, make_remove_request(cli, &ids),
                          &response);
    if (code != EXIT_CODE_DONE)
        return code;
    int64_t count = field_get_integer(response, "count");
    if (count == 0)
        return cli_fail(cli, EXIT_CODE_REFUSED, "removed 0 of %zu: the list holds no such entries",
                        ids.count);
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        fprintf(cli->out, "removed %" PRId64 " of %zu%s\n", count, ids.count,
                answer_describe_validators(cli, response));
    return answer_get_code(response);
}
