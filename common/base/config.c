// Defaults, environment and command line are three passes over the same tables; each later one overwrites.
#include "common/base/config.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/config_value.h"
#include "common/base/text.h"

enum {
    NAME_MAX_BYTES = 64,
    SUGGESTED_FROM_MAX = 256, // names that are looked through for the nearest one
    SHOWN_VALUE_MAX = 80,
};

struct reading {
    const struct config_table *tables;
    size_t table_count;
    char *ret_error;
    size_t error_size;
};

// Which struct a setting's value goes to.
struct place {
    const struct setting *setting; // NULL = not found
    void *base;
};

PRINTF_LIKE(2, 3) static enum status fail(const struct reading *reading, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(reading->ret_error, reading->error_size, format, args);
    va_end(args);
    return STATUS_INVALID;
}

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
        [SETTING_TEXT] = sizeof(const char *), [SETTING_BOOLEAN] = sizeof(bool),
        [SETTING_INTEGER] = sizeof(int64_t),   [SETTING_DURATION] = sizeof(int64_t),
        [SETTING_SIZE] = sizeof(int64_t),      [SETTING_CHOICE] = sizeof(int),
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

static enum status read_environment(const struct reading *reading, const struct config_table *table,
                                    char *const *environment) {
    for (size_t i = 0; i < table->count; i++) {
        char name[CONFIG_ENVIRONMENT_NAME_SIZE];
        config_format_environment_name(table->settings[i].name, name);
        const char *text = find_variable(environment, name);
        if (!text || (text[0] == '\0' && !table->settings[i].takes_empty))
            continue;
        enum status status = store(reading, (struct place){&table->settings[i], table->base}, name, text);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status fail_unknown(const struct reading *reading, struct bytes name) {
    const char *nearest = find_nearest_name(reading, name);
    if (nearest)
        return fail(reading, "--%.*s: no such setting; did you mean --%s?", BYTES_FORMAT(name), nearest);
    return fail(reading, "--%.*s: no such setting; --help lists them all", BYTES_FORMAT(name));
}

// One "--name" or "--name=value" and perhaps the argument after it. `*at` ends on the last argument that was
// taken.
static enum status read_option(const struct reading *reading, int argc, char **argv, int *at) {
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
        return fail_unknown(reading, name);
    if (!value && *at + 1 == argc)
        return fail(reading, "--%s: a value is missing", place.setting->name);
    if (!value)
        value = argv[++*at];

    char from[NAME_MAX_BYTES + sizeof("--")];
    snprintf(from, sizeof(from), "--%s", place.setting->name);
    return store(reading, place, from, value);
}

static bool is_option(const char *argument) {
    return strncmp(argument, "--", 2) == 0 && strcmp(argument, "--help") != 0 &&
           strcmp(argument, "--version") != 0;
}

// What is no setting moves to the front of argv.
static enum status read_arguments(const struct reading *reading, int *argc, char **argv) {
    int kept = 1, at = 1;
    for (; at < *argc; at++) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (!is_option(argv[at])) {
            argv[kept++] = argv[at];
            continue;
        }
        enum status status = read_option(reading, *argc, argv, &at);
        if (status != STATUS_OK)
            return status;
    }
    while (at < *argc)
        argv[kept++] = argv[at++];
    if (kept < *argc)
        argv[kept] = NULL;
    *argc = *argc == 0 ? 0 : kept;
    return STATUS_OK;
}

enum status config_read(const struct config_table *tables, size_t table_count, int *argc, char **argv,
                        char *const *environment, char *ret_error, size_t error_size) {
    const struct reading reading = {tables, table_count, ret_error, error_size};
    for (size_t i = 0; i < table_count; i++)
        fill_defaults(&tables[i]);
    for (size_t i = 0; i < table_count; i++) {
        enum status status = read_environment(&reading, &tables[i], environment);
        if (status != STATUS_OK)
            return status;
    }
    return read_arguments(&reading, argc, argv);
}
