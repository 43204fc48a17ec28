// `latchkey whitelist add` and `remove`.
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/field.h"
#include "common/ip/prefix.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/range_text.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"
#include "services/cli/whitelist_command.h"
#include "services/cli/whitelist_text.h"

#define ENTRY_PREFIX TYPEID_ENTRY "_"
#define BITS_UNSET (-1)

// ---- add ----

// 0 = the entries do not end.
static int64_t get_expiry_ms(const struct cli *cli) {
    int64_t in_ms = options_get_number(&cli->options, "expires-in", 0);
    if (in_ms > 0)
        return clock_get_realtime_ms(clock_get_system()) + in_ms;
    return options_get_number(&cli->options, "expires-at", 0);
}

static void fill_entry(struct cli *cli, ProtobufCMessage *entry, const char *address) {
    const struct options *options = &cli->options;
    int64_t bits = options_get_number(options, "bits", BITS_UNSET), expiry_ms = get_expiry_ms(cli);
    const char *note = options_find_text(options, "note"), *owner = options_find_text(options, "owner");
    cli_must(field_set_text(&cli->arena, entry, "address", address));
    if (bits != BITS_UNSET)
        cli_must(field_set_integer(entry, "checking_bits", bits));
    if (note)
        cli_must(field_set_text(&cli->arena, entry, "note", note));
    if (owner)
        cli_must(field_set_text(&cli->arena, entry, "owner", owner));
    if (expiry_ms != 0)
        cli_must(field_set_time_ms(&cli->arena, entry, "expires_at", expiry_ms));
}

static ProtobufCMessage *make_add_request(struct cli *cli) {
    size_t count = cli->options.argument_count;
    ProtobufCMessage *request = calls_new_request(cli, RPC_ADD_WHITELIST_ENTRIES), **entries;
    cli_must(field_set_messages(&cli->arena, request, "entries", count, &entries));
    for (size_t i = 0; i < count; i++)
        fill_entry(cli, entries[i], cli->options.arguments[i]);
    if (options_has(&cli->options, "force"))
        cli_must(field_set_integer(request, "force", true));
    calls_set_change_options(cli, request);
    return request;
}

static void print_meanings(struct cli *cli) {
    int64_t bits = options_get_number(&cli->options, "bits", BITS_UNSET);
    for (size_t i = 0; i < cli->options.argument_count; i++)
        range_text_print_meaning(cli, cli->options.arguments[i],
                                 bits == BITS_UNSET ? IP_PREFIX_BITS_UNSET : (uint32_t)bits);
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
    for (size_t i = 0; i < field_get_count(response, "warnings"); i++) {
        const ProtobufCMessage *warning = field_get_message_at(response, "warnings", i);
        fprintf(
            cli->err, "latchkey: %s: %s\n",
            cli->options.arguments[(size_t)field_get_integer(warning, "index") % cli->options.argument_count],
            terminal_clean(&cli->arena, field_get_text(warning, "detail")));
    }
    if (field_find_message(response, "validators"))
        fprintf(cli->out, "added%s\n", answer_describe_validators(cli, response));
}

enum exit_code whitelist_command_add(struct cli *cli) {
    const ProtobufCMessage *response;
    enum exit_code code =
        calls_make(cli, RPC_ADD_WHITELIST_ENTRIES, CALLS_WITH_TOKEN, make_add_request(cli), &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        print_added(cli, response);
    return answer_get_code(response);
}

// ---- remove ----

// The ids to remove, grown by doubling in the arena.
struct ids {
    struct cli *cli;
    const char **texts;
    size_t count, capacity;
    const char *cidr; // what on_page() looks for
};

static void add_id(struct ids *ids, const char *id) {
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity ? ids->capacity * 2 : 16;
        const char **texts = cli_need(ARENA_NEW_ARRAY(&ids->cli->arena, const char *, capacity));
        for (size_t i = 0; i < ids->count; i++)
            texts[i] = ids->texts[i];
        ids->texts = texts;
        ids->capacity = capacity;
    }
    ids->texts[ids->count++] = id;
}

static void on_page(void *context, const ProtobufCMessage *page) {
    struct ids *ids = context;
    for (size_t i = 0; i < field_get_count(page, "entries"); i++) {
        const ProtobufCMessage *entry = field_get_message_at(page, "entries", i);
        if (strcmp(field_get_text(entry, "cidr"), ids->cidr) == 0)
            add_id(ids, field_get_text(entry, "entry_id"));
    }
}

// Every entry of exactly this range.
static enum exit_code find_range(struct cli *cli, const char *text, struct ids *ids) {
    struct ip_prefix prefix;
    char cidr[IP_PREFIX_TEXT_MAX + 1];
    if (ip_prefix_parse(bytes_of_text(text), &prefix) != IP_PARSE_OK)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "\"%s\" is neither an entry's id such as " ENTRY_PREFIX
                        "01j... nor a range such as 203.0.113.0/24",
                        text);
    ip_prefix_format(&prefix, cidr);
    ids->cidr = cidr;
    size_t before = ids->count;
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_WHITELIST_ENTRIES);
    cli_must(field_set_text(&cli->arena, request, "within", cidr));
    enum exit_code code = calls_make_pages(cli, RPC_LIST_WHITELIST_ENTRIES, request, on_page, ids);
    ids->cidr = NULL;
    if (code == EXIT_CODE_DONE && ids->count == before)
        return cli_fail(
            cli, EXIT_CODE_REFUSED,
            "no entry is exactly %s; `latchkey whitelist show --contains ADDRESS` says which hold "
            "an address",
            cidr);
    return code;
}

static enum exit_code find_ids(struct cli *cli, struct ids *ids) {
    for (size_t i = 0; i < cli->options.argument_count; i++) {
        const char *text = cli->options.arguments[i];
        if (strncmp(text, ENTRY_PREFIX, strlen(ENTRY_PREFIX)) == 0) {
            add_id(ids, text);
            continue;
        }
        enum exit_code code = find_range(cli, text, ids);
        if (code != EXIT_CODE_DONE)
            return code;
    }
    return EXIT_CODE_DONE;
}

static ProtobufCMessage *make_remove_request(struct cli *cli, const struct ids *ids) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_REMOVE_WHITELIST_ENTRIES);
    cli_must(field_set_texts(&cli->arena, request, "entry_ids", ids->texts, ids->count));
    if (options_has(&cli->options, "force"))
        cli_must(field_set_integer(request, "force", true));
    calls_set_change_options(cli, request);
    return request;
}

enum exit_code whitelist_command_remove(struct cli *cli) {
    struct ids ids = {.cli = cli};
    const ProtobufCMessage *response;
    enum exit_code code = find_ids(cli, &ids);
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
