#include "services/cli/answer.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/grpc/field.h"
#include "common/grpc/message_json.h"
#include "services/cli/calls.h"
#include "services/cli/json_print.h"
#include "services/cli/table.h"
#include "services/cli/terminal.h"

#define MS_PER_SECOND 1000
#define UNSPECIFIED "UNSPECIFIED"

const char *answer_get_time(struct cli *cli, const ProtobufCMessage *message, const char *field,
                            const char *unset) {
    char text[TIME_TEXT_MAX + 1];
    if (!field_find_message(message, field))
        return unset;
    int64_t ms = field_get_time_ms(message, field, CLOCK_NEVER_MS);
    time_text_format(ms - ms % MS_PER_SECOND, text);
    return cli_format(cli, "%s", text);
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
static const char *join(struct cli *cli, const char *const *words, size_t count) {
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
    return count > 0 ? join(cli, words, count) : empty;
}

const char *answer_get_words(struct cli *cli, const ProtobufCMessage *message, const char *field,
                             const char *prefix) {
    size_t count = field_get_count(message, field);
    const char **words = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, count));
    for (size_t i = 0; i < count; i++)
        words[i] = to_word(cli, field_get_enum_name_at(message, field, i), prefix);
    return join(cli, words, count);
}

json_t *answer_to_json(struct cli *cli, const ProtobufCMessage *message) {
    return cli_need(message_json_new(message, &cli->arena));
}

void answer_print_json(struct cli *cli, const ProtobufCMessage *message) {
    json_print(answer_to_json(cli, message), cli->out);
}

enum exit_code answer_get_code(const ProtobufCMessage *response) {
    const ProtobufCMessage *validators = field_find_message(response, "validators");
    return validators && !field_get_integer(validators, "all_confirmed") ? EXIT_CODE_NO : EXIT_CODE_DONE;
}

const char *answer_describe_validators(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *validators = field_find_message(response, "validators");
    if (!validators)
        return "; validators apply it within a second or so, and --wait 5s waits for them";
    const char *verdict =
        cli_format(cli, "confirmed by %" PRId64 " of %" PRId64 " validators in %" PRId64 " ms",
                   field_get_integer(validators, "confirmed"), field_get_integer(validators, "live"),
                   calls_get_last_ms(cli));
    if (field_get_integer(validators, "all_confirmed"))
        return cli_format(cli, "; %s", verdict);
    const char *lagging = answer_get_list(cli, validators, "lagging", "unknown");
    return cli_format(cli, "; only %s, not yet by: %s", verdict, terminal_clean(&cli->arena, lagging));
}

void answer_list_init(struct answer_list *list, struct cli *cli, const char *items, struct table *table,
                      void (*add)(struct answer_list *list, const ProtobufCMessage *item)) {
    *list = (struct answer_list){.cli = cli, .items = items, .table = table, .add = add};
    if (cli->is_json)
        list->json = cli_need(json_array());
}

void answer_list_on_page(void *context, const ProtobufCMessage *page) {
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
}

// Whether an option of the command itself was given: those of lists are filters.
static bool is_filtered(const struct cli *cli) {
    for (const struct option_value *value = cli->options.first; value; value = value->next)
        if (option_find(&cli->command->options, 1, value->option->name))
            return true;
    return false;
}

void answer_list_print(struct answer_list *list, const char *empty) {
    struct cli *cli = list->cli;
    if (list->json)
        json_print(json_pack("{s:O}", list->items, list->json), cli->out);
    else if (list->count == 0)
        fprintf(cli->out, "%s\n", is_filtered(cli) ? "nothing matches these options" : empty);
    else
        table_print(list->table, terminal_get_width(cli->out), cli->out);
}

void answer_list_fini(struct answer_list *list) {
    json_decref(list->json);
}
