// Defaults, files, environment and command line are passes over the same tables; each later one overwrites.
#include "common/base/config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/config_file.h"
#include "common/base/config_value.h"
#include "common/base/sentences.h"
#include "common/base/text.h"

enum {
    NAME_MAX_BYTES = 64,
    SUGGESTED_FROM_MAX = 256, // names that are looked through for the nearest one
    SHOWN_VALUE_MAX = 80,
    SENTENCE_MAX = 512,
};

struct reading {
    const struct config_table *tables;
    size_t table_count;
    struct sentences mistakes;
};

// Which struct a setting's value goes to.
struct place {
    const struct setting *setting; // NULL = not found
    void *base;
};

#define fail(reading, ...) (sentences_add((reading)->mistakes, __VA_ARGS__), STATUS_INVALID)

static struct place find_setting(const struct reading *reading, struct bytes name) {
    for (size_t i = 0; i < reading->table_count; i++) {
        const struct config_table *table = &reading->tables[i];
        for (size_t j = 0; j < table->count; j++)
            if (bytes_is_text(name, table->settings[j].name))
                return (struct place){&table->settings[j], table->base};
    }
    return (struct place){NULL, NULL};
}

static const char *find_nearest_name(const struct reading *reading, struct bytes name) {
    const char *names[SUGGESTED_FROM_MAX];
    size_t count = 0;
    for (size_t i = 0; i < reading->table_count; i++)
        for (size_t j = 0; j < reading->tables[i].count && count < SUGGESTED_FROM_MAX; j++)
            names[count++] = reading->tables[i].settings[j].name;
    return text_find_nearest(name, names, count);
}

// `from` is how the person who typed it knows the setting: "--workers" or "LATCHKEY_WORKERS".
static enum status store(const struct reading *reading, struct place place, const char *from,
                         const char *text) {
    const char *reason;
    if (place.setting->accept && !place.setting->accept(text, &reason))
        return fail(reading, "%s: \"%.*s\" is not allowed; %s", from, SHOWN_VALUE_MAX, text, reason);
    if (config_value_store(place.setting, text, place.base))
        return STATUS_OK;
    char allowed[CONFIG_ALLOWED_TEXT_SIZE];
    config_value_describe(place.setting, allowed);
    return fail(reading, "%s: \"%.*s\" is not allowed; give %s", from, SHOWN_VALUE_MAX, text, allowed);
}

static void clear_value(const struct setting *setting, void *base) {
    static const size_t sizes[] = {
        [SETTING_TEXT] = sizeof(const char *),
        [SETTING_BOOLEAN] = sizeof(bool),
        [SETTING_INTEGER] = sizeof(int64_t),
        [SETTING_DURATION] = sizeof(int64_t),
        [SETTING_SIZE] = sizeof(int64_t),
        [SETTING_CHOICE] = sizeof(int),
        [SETTING_FILES] = sizeof(struct config_file *),
    };
    memset((char *)base + setting->offset, 0, sizes[setting->type]);
}

static void fill_defaults(const struct config_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *setting = &table->settings[i];
        clear_value(setting, table->base);
        bool is_stored =
            !setting->default_value || config_value_store(setting, setting->default_value, table->base);
        assert(is_stored);
    }
}

void config_format_environment_name(const char *name, char ret_text[CONFIG_ENVIRONMENT_NAME_SIZE]) {
    static const char prefix[] = "LATCHKEY_";
    size_t len = strlen(name);
    assert(len <= NAME_MAX_BYTES);
    memcpy(ret_text, prefix, sizeof(prefix) - 1);
    char *at = ret_text + sizeof(prefix) - 1;
    for (size_t i = 0; i < len; i++)
        *at++ = name[i] == '-'                     ? '_'
                : name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A')
                                                   : name[i];
    *at = '\0';
}

static const char *find_variable(char *const *environment, const char *name) {
    size_t len = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

// ---- environment ----

static bool is_unset(const struct setting *setting, const char *text) {
    return !text || (text[0] == '\0' && !setting->takes_empty);
}

static enum status read_environment(const struct reading *reading, const struct config_table *table,
                                    char *const *environment) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *setting = &table->settings[i];
        char name[CONFIG_ENVIRONMENT_NAME_SIZE];
        config_format_environment_name(setting->name, name);
        const char *text = find_variable(environment, name);
        if (!is_unset(setting, text) && setting->type != SETTING_FILES)
            status =
                status_get_graver(status, store(reading, (struct place){setting, table->base}, name, text));
    }
    return status;
}

// ---- command line ----

struct option {
    struct place place;
    const char *value;
};

// `where` stands in front of the name, `dashes` in front of every name.
static enum status fail_unknown(const struct reading *reading, const char *where, const char *dashes,
                                struct bytes name) {
    const char *nearest = find_nearest_name(reading, name);
    if (nearest)
        return fail(reading, "%s%s%.*s: no such setting; did you mean %s%s?", where, dashes,
                    BYTES_FORMAT(name), dashes, nearest);
    return fail(reading, "%s%s%.*s: no such setting; --help lists them all", where, dashes,
                BYTES_FORMAT(name));
}

// One "--name" or "--name=value" and perhaps the argument after it. `*at` ends on the last argument that was
// taken.
static enum status parse_option(const struct reading *reading, int argc, char **argv, int *at,
                                struct option *ret_option) {
    const char *value = strchr(argv[*at], '=');
    struct bytes name = bytes_of_text(argv[*at] + 2);
    if (value)
        name.len = (size_t)(value++ - (argv[*at] + 2));

    struct place place = find_setting(reading, name);
    if (!place.setting && bytes_has_prefix(name, BYTES_LITERAL("no-"))) {
        place = find_setting(reading, bytes_of(name.data + 3, name.len - 3));
        if (place.setting && (place.setting->type != SETTING_BOOLEAN || value))
            return fail(reading, "--%.*s: only true-or-false settings have a --no- form, without a value",
                        BYTES_FORMAT(name));
        value = "false";
    } else if (!value && place.setting && place.setting->type == SETTING_BOOLEAN) {
        value = "true";
    }
    if (!place.setting)
        return fail_unknown(reading, "", "--", name);
    if (!value && *at + 1 == argc)
        return fail(reading, "--%s: a value is missing", place.setting->name);
    *ret_option = (struct option){place, value ? value : argv[++*at]};
    return STATUS_OK;
}

static enum status read_option(const struct reading *reading, int argc, char **argv, int *at) {
    struct option option;
    enum status status = parse_option(reading, argc, argv, at, &option);
    if (status != STATUS_OK || option.place.setting->type == SETTING_FILES)
        return status;
    char from[NAME_MAX_BYTES + sizeof("--")];
    snprintf(from, sizeof(from), "--%s", option.place.setting->name);
    return store(reading, option.place, from, option.value);
}

static bool is_option(const char *argument) {
    return strncmp(argument, "--", 2) == 0 && strcmp(argument, "--help") != 0 &&
           strcmp(argument, "--version") != 0 && strcmp(argument, "--check-config") != 0;
}

// What is no setting moves to the front of argv.
static enum status read_arguments(const struct reading *reading, int *argc, char **argv) {
    enum status status = STATUS_OK;
    int kept = 1, at = 1;
    for (; at < *argc; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (is_option(argv[at]))
            status = status_get_graver(status, read_option(reading, *argc, argv, &at));
        else
            argv[kept++] = argv[at];
    }
    while (at < *argc)
        argv[kept++] = argv[at++];
    if (kept < *argc)
        argv[kept] = NULL;
    *argc = *argc == 0 ? 0 : kept;
    return status;
}

// ---- files ----

static enum status read_line(const struct reading *reading, const struct setting *files, const char *path,
                             const struct config_line *line) {
    char from[SENTENCE_MAX];
    struct place place = find_setting(reading, line->name);
    int len = snprintf(from, sizeof(from), "%s:%zu: ", path, line->number);
    if (line->mistake)
        return fail(reading, "%s%s", from, line->mistake);
    if (!place.setting)
        return files->passes_unknown ? STATUS_OK : fail_unknown(reading, from, "", line->name);
    if (place.setting->type == SETTING_FILES)
        return fail(reading, "%sa file names no other; say --%s again", from, place.setting->name);
    if (is_unset(place.setting, line->value))
        return STATUS_OK;
    if (len < (int)sizeof(from))
        snprintf(from + len, sizeof(from) - (size_t)len, "%s", place.setting->name);
    return store(reading, place, from, line->value);
}

static enum status read_file(const struct reading *reading, struct place place, const char *path) {
    char sentence[SENTENCE_MAX] = "out of memory";
    struct config_file **files = (void *)((char *)place.base + place.setting->offset);
    enum status status = config_file_read(path, files, sentence, sizeof(sentence));
    if (status != STATUS_OK) {
        sentences_add(reading->mistakes, "--%s: %s", place.setting->name, sentence);
        return status;
    }
    struct config_line line;
    while (config_file_next(*files, &line))
        status = status_get_graver(status, read_line(reading, place.setting, path, &line));
    return status;
}

// Those that arguments name. What is wrong with an argument is told when they are read for good.
static enum status read_files_of_arguments(const struct reading *reading, int argc, char **argv,
                                           bool *ret_has_any) {
    const struct reading silent = {reading->tables, reading->table_count, {NULL, 0}};
    enum status status = STATUS_OK;
    *ret_has_any = false;
    for (int at = 1; at < argc && strcmp(argv[at], "--") != 0; at++) {
        struct option option;
        if (!is_option(argv[at]) || parse_option(&silent, argc, argv, &at, &option) != STATUS_OK ||
            option.place.setting->type != SETTING_FILES)
            continue;
        *ret_has_any = true;
        status = status_get_graver(status, read_file(reading, option.place, option.value));
    }
    return status;
}

static enum status read_files_of_environment(const struct reading *reading, char *const *environment) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < reading->table_count; i++) {
        const struct config_table *table = &reading->tables[i];
        for (size_t j = 0; j < table->count; j++) {
            char name[CONFIG_ENVIRONMENT_NAME_SIZE];
            config_format_environment_name(table->settings[j].name, name);
            const char *path = find_variable(environment, name);
            if (table->settings[j].type == SETTING_FILES && path && *path)
                status = status_get_graver(
                    status, read_file(reading, (struct place){&table->settings[j], table->base}, path));
        }
    }
    return status;
}

static enum status read_files(const struct reading *reading, int argc, char **argv,
                              char *const *environment) {
    bool has_any;
    enum status status = read_files_of_arguments(reading, argc, argv, &has_any);
    return has_any ? status : read_files_of_environment(reading, environment);
}

enum status config_read(const struct config_table *tables, size_t table_count, int *argc, char **argv,
                        char *const *environment, char *ret_error, size_t error_size) {
    const struct reading reading = {tables, table_count, sentences_in(ret_error, error_size)};
    for (size_t i = 0; i < table_count; i++)
        fill_defaults(&tables[i]);
    enum status status = read_files(&reading, *argc, argv, environment);
    for (size_t i = 0; i < table_count; i++)
        status = status_get_graver(status, read_environment(&reading, &tables[i], environment));
    return status_get_graver(status, read_arguments(&reading, argc, argv));
}
