#include "services/cli/answer.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message_json.h"
#include "services/cli/json_print.h"
#include "services/cli/terminal.h"

#define MS_PER_SECOND 1000
#define UNSPECIFIED "UNSPECIFIED"
#define TERMINAL_ITEMS_MAX 1000 // of a list on a terminal without --limit

static const char *get_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *unset, int64_t precision_ms) {
    char text[TIME_TEXT_MAX + 1];
    if (!field_find_message(message, field))
        return unset;
    int64_t ms = field_get_time_ms(message, field, CLOCK_NEVER_MS);
    time_text_format(ms - ms % precision_ms, text);
    return cli_format(cli, "%s", text);
}

const char *answer_get_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *unset) {
    return get_time(cli, message, field, unset, MS_PER_SECOND);
}

const char *answer_get_exact_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                                  const char *unset) {
    return get_time(cli, message, field, unset, 1);
}

static const char *to_word(struct cli *cli, const char *name, const char *prefix) {
    size_t len = strlen(prefix);
    if (strncmp(name, prefix, len) == 0)
        name += len;
    if (strcmp(name, UNSPECIFIED) == 0)
        return "";
    char *word = cli_need(arena_copy_text(&cli->arena, name));
    for (char *at = word; *at; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    return word;
}

const char *answer_get_word(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *prefix) {
    return to_word(cli, field_get_enum_name(message, field), prefix);
}

const char *answer_to_enum_name(struct cli *cli, const char *prefix, const char *word) {
    char *name = cli_need(arena_format(&cli->arena, "%s%s", prefix, word));
    for (char *at = name + strlen(prefix); *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return name;
}

// why: not by one format after the other, which is quadratic, and a token may list 10 000 addresses.
const char *answer_join(struct cli *cli, const char *const *words, size_t count) {
    static const char separator[] = ", ";
    size_t len = 1;
    for (size_t i = 0; i < count; i++)
        len += strlen(words[i]) + strlen(separator);
    char *text = cli_need(arena_allocate(&cli->arena, len)), *to = text;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            to = mempcpy(to, separator, strlen(separator));
        to = mempcpy(to, words[i], strlen(words[i]));
    }
    *to = '\0';
    return text;
}

const char *answer_get_list(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *empty) {
    size_t count = field_get_count(message, field);
    const char **words = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, count));
    for (size_t i = 0; i < count; i++)
        words[i] = field_get_text_at(message, field, i);
    return count > 0 ? answer_join(cli, words, count) : empty;
}

const char *answer_get_words(struct cli *cli, const ProtobufCMessage *message, const char *field,
                             const char *prefix) {
    size_t count = field_get_count(message, field);
    const char **words = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, count));
    for (size_t i = 0; i < count; i++)
        words[i] = to_word(cli, field_get_enum_name_at(message, field, i), prefix);
    return answer_join(cli, words, count);
}

json_t *answer_to_json(struct cli *cli, const ProtobufCMessage *message) {
    return cli_need(message_json_new(message, &cli->arena));
}

void answer_print_json(struct cli *cli, const ProtobufCMessage *message) {
    json_print(answer_to_json(cli, message), cli->out);
}

const char *answer_get_span(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *zero) {
    char text[TIME_TEXT_SPAN_MAX + 1];
    int64_t ms = field_get_duration_ms(message, field);
    if (ms <= 0)
        return zero;
    time_text_format_span(ms, text);
    return cli_format(cli, "%s", text);
}

const char *answer_count(struct cli *cli, uint64_t count, const char *one, const char *many) {
    return cli_format(cli, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

enum exit_code answer_get_code(const ProtobufCMessage *response) {
    const ProtobufCMessage *validators = field_find_message(response, "validators");
    return validators && !field_get_integer(validators, "all_confirmed") ? EXIT_CODE_NO : EXIT_CODE_DONE;
}

// "confirmed by 2 of 2 validators in 12 ms".
static const char *describe_wait(struct cli *cli, const ProtobufCMessage *validators) {
    const char *verdict =
        cli_format(cli, "confirmed by %" PRId64 " of %" PRId64 " validators in %" PRId64 " ms",
                   field_get_integer(validators, "confirmed"), field_get_integer(validators, "live"),
                   calls_get_last_ms(cli));
    if (field_get_integer(validators, "all_confirmed"))
        return verdict;
    const char *lagging = answer_get_list(cli, validators, "lagging", "unknown");
    return cli_format(cli, "only %s, not yet by: %s", verdict, terminal_clean(&cli->arena, lagging));
}

const char *answer_describe_validators(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *validators = field_find_message(response, "validators");
    if (!validators)
        return "; validators apply it within a second or so, and --wait 5s waits for them";
    return cli_format(cli, "; %s", describe_wait(cli, validators));
}

void answer_print_validators(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *validators = field_find_message(response, "validators");
    if (validators)
        fprintf(cli->out, "%s\n", describe_wait(cli, validators));
}

static enum exit_code call(struct cli *cli, enum rpc_id id, enum calls_caller caller,
                           const ProtobufCMessage *request, answer_printer *print) {
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, id, caller, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, response);
    else
        print(cli, response);
    return answer_get_code(response);
}

enum exit_code answer_call(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request,
                           answer_printer *print) {
    return call(cli, id, CALLS_WITH_TOKEN, request, print);
}

enum exit_code answer_call_as_anybody(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request,
                                      answer_printer *print) {
    return call(cli, id, CALLS_WITH_ANY_CALLER, request, print);
}

void answer_list_init(struct answer_list *list, struct cli *cli, const char *items, struct table *table,
                      void (*add)(struct answer_list *list, const ProtobufCMessage *item)) {
    *list = (struct answer_list){.cli = cli, .items = items, .table = table, .add = add};
    if (cli->is_json)
        list->json = cli_need(json_array());
}

size_t answer_list_on_page(void *context, const ProtobufCMessage *page) {
    struct answer_list *list = context;
    size_t count = field_get_count(page, list->items);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *item = field_get_message_at(page, list->items, i);
        if (!list->json)
            list->add(list, item);
        else if (json_array_append_new(list->json, answer_to_json(list->cli, item)) != 0)
            cli_must(STATUS_NO_MEMORY);
    }
    list->count += count;
    return count;
}

// --limit; without it all for programs, and what somebody can read on a terminal: a list may have a million.
static int64_t get_limit(const struct cli *cli) {
    bool is_read_by_people = terminal_is_one(cli->out) && !cli->is_json;
    if (!option_find(&cli->command->options, 1, "limit"))
        return CALLS_UNLIMITED;
    return options_get_number(&cli->options, "limit",
                              is_read_by_people ? TERMINAL_ITEMS_MAX : CALLS_UNLIMITED);
}

enum exit_code answer_list_fetch(struct answer_list *list, enum rpc_id id, ProtobufCMessage *request) {
    struct cli *cli = list->cli;
    list->limit = get_limit(cli);
    return calls_make_pages(cli, id, request, list->limit, answer_list_on_page, list);
}

// Options of a list that choose nothing.
static bool is_filter(const struct option *option) {
    return strcmp(option->name, "limit") != 0 && strcmp(option->name, "watch") != 0;
}

// Whether an option of the command itself was given: those of lists are filters, but for a few.
static bool is_filtered(const struct cli *cli) {
    for (const struct option_value *value = cli->options.first; value; value = value->next)
        if (option_find(&cli->command->options, 1, value->option->name) && is_filter(value->option))
            return true;
    return false;
}

static bool wants_none(const struct cli *cli) {
    return option_find(&cli->command->options, 1, "limit") &&
           options_get_number(&cli->options, "limit", 1) == 0;
}

void answer_list_print(struct answer_list *list, const char *empty) {
    struct cli *cli = list->cli;
    if (list->json)
        json_print(json_pack("{s:O}", list->items, list->json), cli->out);
    else if (list->count == 0 && !wants_none(cli))
        fprintf(cli->out, "%s\n", is_filtered(cli) ? "nothing matches these options" : empty);
    else
        table_print(list->table, terminal_get_width(cli->out), cli->out);
    if (list->limit == TERMINAL_ITEMS_MAX && list->count == TERMINAL_ITEMS_MAX &&
        !options_has(&cli->options, "limit"))
        fprintf(cli->out, "these are the first %d; --limit shows more\n", TERMINAL_ITEMS_MAX);
}

void answer_list_fini(struct answer_list *list) {
    json_decref(list->json);
}

enum exit_code answer_call_list(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                const struct answer_listing *listing) {
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, listing->headings, listing->column_count);
    answer_list_init(&list, cli, listing->items, &table, listing->add);
    list.context = listing->context;
    enum exit_code code = answer_list_fetch(&list, id, request);
    if (code == EXIT_CODE_DONE)
        answer_list_print(&list, listing->empty);
    answer_list_fini(&list);
    return code;
}
