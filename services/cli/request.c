#include "services/cli/request.h"

#include <assert.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"

#define PATHS_MAX 16

static const ProtobufCFieldDescriptor *get_descriptor(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    assert(field);
    return field;
}

static bool is_timestamp(const ProtobufCFieldDescriptor *field) {
    const ProtobufCMessageDescriptor *type = field->descriptor;
    return field->type == PROTOBUF_C_TYPE_MESSAGE && strcmp(type->name, "google.protobuf.Timestamp") == 0;
}

static void set_list(struct cli *cli, ProtobufCMessage *message, const struct request_field *row,
                     const char *name) {
    size_t count;
    const char **items = cli_need(options_get_list(&cli->options, row->option, &cli->arena, &count));
    if (!row->prefix) {
        cli_must(field_set_texts(&cli->arena, message, name, items, count));
        return;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = answer_to_enum_name(cli, row->prefix, items[i]);
    cli_must(field_set_enum_names(&cli->arena, message, name, items, count));
}

static void set_pairs(struct cli *cli, ProtobufCMessage *message, const struct request_field *row,
                      const char *name) {
    size_t count;
    const char **pairs = cli_need(options_get_list(&cli->options, row->option, &cli->arena, &count));
    ProtobufCMessage **messages;
    cli_must(field_set_messages(&cli->arena, message, name, count, &messages));
    for (size_t i = 0; i < count; i++) {
        struct bytes rest = bytes_of_text(pairs[i]), key = bytes_split(&rest, '=');
        cli_must(
            field_set_text(&cli->arena, messages[i], "key", cli_need(arena_copy_bytes(&cli->arena, key))));
        cli_must(field_set_text(&cli->arena, messages[i], "value", (const char *)rest.data));
    }
}

static void set_choice(struct cli *cli, ProtobufCMessage *message, const struct request_field *row,
                       const char *name) {
    const char *word = options_find_text(&cli->options, row->option);
    if (row->prefix)
        cli_must(field_set_enum_name(message, name, answer_to_enum_name(cli, row->prefix, word)));
    else
        cli_must(field_set_integer(message, name, strcmp(word, "yes") == 0));
}

static void set_duration(struct cli *cli, ProtobufCMessage *message, const char *name, int64_t ms) {
    if (is_timestamp(get_descriptor(message, name)))
        cli_must(
            field_set_time_ms(&cli->arena, message, name, clock_get_realtime_ms(clock_get_system()) + ms));
    else
        cli_must(field_set_duration_ms(&cli->arena, message, name, ms));
}

static void set_value(struct cli *cli, ProtobufCMessage *message, const struct request_field *row,
                      const char *name) {
    const struct options *options = &cli->options;
    int64_t number = options_get_number(options, row->option, 0);
    switch (option_find(options->tables, options->table_count, row->option)->type) {
    case OPTION_TEXT:
    case OPTION_WORD:
        cli_must(field_set_text(&cli->arena, message, name, options_find_text(options, row->option)));
        return;
    case OPTION_LIST: set_list(cli, message, row, name); return;
    case OPTION_PAIRS: set_pairs(cli, message, row, name); return;
    case OPTION_CHOICE: set_choice(cli, message, row, name); return;
    case OPTION_INTEGER: cli_must(field_set_integer(message, name, number)); return;
    case OPTION_FLAG: cli_must(field_set_integer(message, name, true)); return;
    case OPTION_TIME: cli_must(field_set_time_ms(&cli->arena, message, name, number)); return;
    case OPTION_DURATION: set_duration(cli, message, name, number); return;
    }
}

// The message that the path's last name is a field of, made where it is not there yet.
static ProtobufCMessage *enter(struct cli *cli, ProtobufCMessage *message, const char **path) {
    struct bytes rest = bytes_of_text(*path), first = bytes_split(&rest, '.');
    if (!rest.data)
        return message;
    const char *name = cli_need(arena_copy_bytes(&cli->arena, first));
    *path = (const char *)rest.data;
    // why: it was made by this function, in this arena, so that it may be written to.
    ProtobufCMessage *inner = (ProtobufCMessage *)field_find_message(message, name);
    if (!inner)
        cli_must(field_set_message(&cli->arena, message, name, &inner));
    return inner;
}

static void set_field(struct cli *cli, ProtobufCMessage *message, const struct request_field *row) {
    const char *name = row->field;
    message = enter(cli, message, &name);
    if (!options_is_none(&cli->options, row->option))
        set_value(cli, message, row, name);
}

void request_set(struct cli *cli, ProtobufCMessage *message, const struct request_field *fields,
                 size_t count) {
    for (size_t i = 0; i < count; i++)
        if (options_has(&cli->options, fields[i].option))
            set_field(cli, message, &fields[i]);
}

// "nothing to change: say --label, --note, or ...".
static enum exit_code fail_without_change(struct cli *cli, const struct request_field *fields, size_t count) {
    const char *names = "";
    for (size_t i = 0; i < count; i++)
        names = cli_format(cli, "%s%s--%s", names,
                           i == 0          ? ""
                           : i + 1 < count ? ", "
                                           : " or ",
                           fields[i].option);
    return cli_fail(cli, EXIT_CODE_USAGE, "there is nothing to change: say %s", names);
}

enum exit_code request_set_update(struct cli *cli, ProtobufCMessage *request, const char *resource,
                                  const struct request_field *fields, size_t count,
                                  ProtobufCMessage **ret_resource) {
    static const struct request_field etag[] = {REQUEST_FIELD("etag", "etag")};
    const char *paths[PATHS_MAX];
    size_t path_count = 0;
    assert(count <= PATHS_MAX);
    for (size_t i = 0; i < count; i++)
        if (options_has(&cli->options, fields[i].option))
            paths[path_count++] = fields[i].field;
    if (path_count == 0)
        return fail_without_change(cli, fields, count);
    ProtobufCMessage *mask;
    cli_must(field_set_message(&cli->arena, request, resource, ret_resource));
    cli_must(field_set_message(&cli->arena, request, "update_mask", &mask));
    cli_must(field_set_texts(&cli->arena, mask, "paths", paths, path_count));
    request_set(cli, *ret_resource, fields, count);
    if (option_find(&cli->command->options, 1, "etag"))
        request_set(cli, *ret_resource, etag, ARRAY_LENGTH(etag));
    return EXIT_CODE_DONE;
}

void request_set_argument(struct cli *cli, ProtobufCMessage *request, const char *field) {
    if (cli->options.argument_count > 0)
        cli_must(field_set_text(&cli->arena, request, field, cli->options.arguments[0]));
}
