#include "services/cli/option.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/config_value.h"
#include "common/base/text.h"
#include "common/base/time_text.h"

#define NAMES_MAX 64
#define DURATION_MAX_MS (36500LL * 24 * 60 * 60 * 1000) // a hundred years; what is longer has no end

// Where a sentence about a mistake goes.
struct complaint {
    char *text;
    size_t size;
};

const struct option *option_find(const struct option_table *tables, size_t table_count, const char *name) {
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].options[i].name, name) == 0)
                return &tables[t].options[i];
    return NULL;
}

static const char *find_nearest(const struct options *options, struct bytes name) {
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t t = 0; t < options->table_count; t++)
        for (size_t i = 0; i < options->tables[t].count && count < NAMES_MAX; i++)
            names[count++] = options->tables[t].options[i].name;
    return text_find_nearest(name, names, count);
}

static bool complain_unknown(const struct options *options, struct bytes name, struct complaint complaint) {
    const char *nearest = find_nearest(options, name);
    if (nearest)
        snprintf(complaint.text, complaint.size, "there is no option --%.*s; did you mean --%s?",
                 BYTES_FORMAT(name), nearest);
    else
        snprintf(complaint.text, complaint.size, "there is no option --%.*s; --help lists them",
                 BYTES_FORMAT(name));
    return false;
}

static bool complain_one_dash(const struct options *options, const char *word, struct complaint complaint) {
    if (option_find(options->tables, options->table_count, word + 1))
        snprintf(complaint.text, complaint.size, "options begin with two dashes: --%s", word + 1);
    else
        snprintf(complaint.text, complaint.size,
                 "there is no option %s: options are words behind two dashes; --help lists them", word);
    return false;
}

static bool parse_number(struct option_value *value, enum setting_type type, int64_t min, int64_t max,
                         struct complaint complaint) {
    const struct setting setting = {.name = value->option->name, .type = type, .min = min, .max = max};
    if (config_value_store(&setting, value->text, &value->number))
        return true;
    char allowed[CONFIG_ALLOWED_TEXT_SIZE];
    config_value_describe(&setting, allowed);
    snprintf(complaint.text, complaint.size, "--%s is \"%s\", but must be %s", setting.name, value->text,
             allowed);
    return false;
}

static bool check_choice(const struct option *option, struct bytes text, struct complaint complaint) {
    int length = snprintf(complaint.text, complaint.size, "--%s is \"%.*s\", but must be one of",
                          option->name, BYTES_FORMAT(text));
    for (const char *const *choice = option->choices; *choice; choice++) {
        if (bytes_is_text(text, *choice))
            return true;
        if (length >= 0 && (size_t)length < complaint.size)
            length += snprintf(complaint.text + length, complaint.size - (size_t)length, " %s", *choice);
    }
    return false;
}

// An empty text is mostly a script's variable that was never set. It must not stand for "anything goes".
static bool complain_empty(const struct option *option, struct complaint complaint) {
    if (option->none)
        snprintf(complaint.text, complaint.size, "--%s is empty: type %s, or %s", option->name,
                 option->value_name, option->none);
    else
        snprintf(complaint.text, complaint.size, "--%s is empty: type %s, or leave the option out",
                 option->name, option->value_name);
    return false;
}

static bool check_items(const struct option_value *value, struct complaint complaint) {
    for (struct bytes rest = bytes_of_text(value->text); rest.data;) {
        struct bytes item = bytes_trim(bytes_split(&rest, ','));
        if (item.len == 0)
            return complain_empty(value->option, complaint);
        if (value->option->choices && !check_choice(value->option, item, complaint))
            return false;
    }
    return true;
}

static bool check_pairs(const struct option_value *value, struct complaint complaint) {
    for (struct bytes rest = bytes_of_text(value->text); rest.data;) {
        struct bytes pair = bytes_trim(bytes_split(&rest, ',')), after = pair, key = bytes_split(&after, '=');
        if (key.len > 0 && after.data)
            continue;
        snprintf(complaint.text, complaint.size, "--%s is \"%.*s\", but must be KEY=VALUE",
                 value->option->name, BYTES_FORMAT(pair));
        return false;
    }
    return true;
}

static bool is_none(const struct option_value *value) {
    return value->option->none && strcmp(value->text, value->option->none) == 0;
}

// Names of files are what they are; all else goes into messages.
static bool is_text(const struct option_value *value) {
    return (value->option->value_name && strcmp(value->option->value_name, "FILE") == 0) ||
           bytes_is_utf8(bytes_of_text(value->text ? value->text : ""));
}

static bool check_value(struct option_value *value, struct complaint complaint) {
    if (is_none(value))
        return true;
    if (!is_text(value)) {
        snprintf(complaint.text, complaint.size, "--%s is not UTF-8", value->option->name);
        return false;
    }
    switch (value->option->type) {
    case OPTION_DURATION: return parse_number(value, SETTING_DURATION, 1, DURATION_MAX_MS, complaint);
    case OPTION_INTEGER: return parse_number(value, SETTING_INTEGER, 0, value->option->max, complaint);
    case OPTION_CHOICE: return check_choice(value->option, bytes_of_text(value->text), complaint);
    case OPTION_WORD: return value->text[0] || complain_empty(value->option, complaint);
    case OPTION_LIST: return check_items(value, complaint);
    case OPTION_PAIRS: return check_pairs(value, complaint);
    case OPTION_TIME:
        if (time_text_parse(bytes_of_text(value->text), &value->number))
            return true;
        snprintf(
            complaint.text, complaint.size,
            "--%s is \"%s\", but must be a time such as 2027-01-31T18:00:00Z, or a date such as 2027-01-31",
            value->option->name, value->text);
        return false;
    default: return true;
    }
}

static bool is_repetition(const struct options *options, const struct option *option) {
    if (option->type == OPTION_LIST || option->type == OPTION_PAIRS || option->type == OPTION_FLAG)
        return false;
    for (const struct option_value *value = options->first; value; value = value->next)
        if (value->option == option)
            return true;
    return false;
}

static bool add_value(struct options *options, const struct option *option, const char *text,
                      struct arena *arena, struct complaint complaint) {
    if (is_repetition(options, option)) {
        snprintf(complaint.text, complaint.size, "--%s is given twice", option->name);
        return false;
    }
    struct option_value *value = ARENA_NEW(arena, struct option_value);
    if (!value) {
        snprintf(complaint.text, complaint.size, "out of memory");
        return false;
    }
    value->option = option;
    value->text = text;
    if (!check_value(value, complaint))
        return false;
    *options->end = value;
    options->end = &value->next;
    return true;
}

// One option that begins at words[*index]; moves *index to its last word.
static bool read_option(struct options *options, char *const *words, size_t count, size_t *index,
                        struct arena *arena, struct complaint complaint) {
    struct bytes rest = bytes_of_text(words[*index] + 2);
    struct bytes name = bytes_split(&rest, '=');
    const char *value = (const char *)rest.data;
    const char *name_text = arena_copy_bytes(arena, name);
    const struct option *option =
        name_text ? option_find(options->tables, options->table_count, name_text) : NULL;
    if (!option)
        return complain_unknown(options, name, complaint);
    if (option->type == OPTION_FLAG && value) {
        snprintf(complaint.text, complaint.size, "--%s takes no value", option->name);
        return false;
    }
    if (option->type != OPTION_FLAG && !value) {
        if (*index + 1 == count) {
            snprintf(complaint.text, complaint.size, "--%s needs a value: --%s %s", option->name,
                     option->name, option->value_name);
            return false;
        }
        value = words[++*index];
    }
    return add_value(options, option, value, arena, complaint);
}

// ---- what was typed as a whole ----

static size_t count_key(const struct options *options, const struct option *option, struct bytes key) {
    size_t count = 0;
    for (const struct option_value *value = options->first; value; value = value->next)
        for (struct bytes rest = bytes_of_text(value->text); value->option == option && rest.data;) {
            struct bytes pair = bytes_trim(bytes_split(&rest, ','));
            count += bytes_is_equal(bytes_split(&pair, '='), key);
        }
    return count;
}

static bool check_keys(const struct options *options, const struct option_value *value,
                       struct complaint complaint) {
    for (struct bytes rest = bytes_of_text(value->text); rest.data && !is_none(value);) {
        struct bytes pair = bytes_trim(bytes_split(&rest, ',')), key = bytes_split(&pair, '=');
        if (count_key(options, value->option, key) == 1)
            continue;
        snprintf(complaint.text, complaint.size, "--%s has the key %.*s twice", value->option->name,
                 BYTES_FORMAT(key));
        return false;
    }
    return true;
}

static bool has(const struct options *options, const char *name) {
    for (const struct option_value *value = options->first; value; value = value->next)
        if (strcmp(value->option->name, name) == 0)
            return true;
    return false;
}

static bool check_rival(const struct options *options, const struct option *option,
                        struct complaint complaint) {
    if (!option->rival || !has(options, option->rival))
        return true;
    snprintf(complaint.text, complaint.size, "say --%s or --%s, not both", option->name, option->rival);
    return false;
}

static bool check_together(const struct options *options, struct complaint complaint) {
    for (const struct option_value *value = options->first; value; value = value->next)
        if (!check_rival(options, value->option, complaint) ||
            (value->option->type == OPTION_PAIRS && !check_keys(options, value, complaint)))
            return false;
    return true;
}

// ---- reading ----

bool options_read(const struct option_table *tables, size_t table_count, char *const *words, size_t count,
                  struct arena *arena, struct options *ret_options, char *ret_error, size_t error_size) {
    assert(table_count <= OPTION_TABLES_MAX);
    struct complaint complaint = {ret_error, error_size};
    struct options *options = ret_options;
    *options = (struct options){.table_count = table_count};
    memcpy(options->tables, tables, table_count * sizeof(*tables));
    options->end = &options->first;
    options->arguments = ARENA_NEW_ARRAY(arena, const char *, count);
    if (!options->arguments) {
        snprintf(ret_error, error_size, "out of memory");
        return false;
    }
    bool has_ended = false;
    for (size_t i = 0; i < count; i++) {
        if (has_ended || words[i][0] != '-' || words[i][1] == '\0') {
            options->arguments[options->argument_count++] = words[i];
        } else if (words[i][1] != '-') {
            return complain_one_dash(options, words[i], complaint);
        } else if (words[i][2] == '\0') {
            has_ended = true;
        } else if (!read_option(options, words, count, &i, arena, complaint)) {
            return false;
        }
    }
    return check_together(options, complaint);
}

static const struct option_value *find_last(const struct options *options, const char *name) {
    assert(option_find(options->tables, options->table_count, name));
    const struct option_value *found = NULL;
    for (const struct option_value *value = options->first; value; value = value->next)
        if (strcmp(value->option->name, name) == 0)
            found = value;
    return found;
}

bool options_has(const struct options *options, const char *name) {
    return find_last(options, name) != NULL;
}

const char *options_find_text(const struct options *options, const char *name) {
    const struct option_value *value = find_last(options, name);
    return value ? value->text : NULL;
}

int64_t options_get_number(const struct options *options, const char *name, int64_t default_value) {
    const struct option_value *value = find_last(options, name);
    return value ? value->number : default_value;
}

bool options_is_none(const struct options *options, const char *name) {
    const struct option_value *value = find_last(options, name);
    return value && is_none(value);
}

static size_t count_items(const struct options *options, const char *name) {
    size_t count = 0;
    for (const struct option_value *value = options->first; value; value = value->next)
        if (strcmp(value->option->name, name) == 0 && !is_none(value))
            for (struct bytes rest = bytes_of_text(value->text); rest.data; count++)
                bytes_split(&rest, ',');
    return count;
}

const char **options_get_list(const struct options *options, const char *name, struct arena *arena,
                              size_t *ret_count) {
    const char **items = ARENA_NEW_ARRAY(arena, const char *, count_items(options, name));
    size_t count = 0;
    for (const struct option_value *value = options->first; items && value; value = value->next) {
        if (strcmp(value->option->name, name) != 0 || is_none(value))
            continue;
        for (struct bytes rest = bytes_of_text(value->text); rest.data; count++) {
            items[count] = arena_copy_bytes(arena, bytes_trim(bytes_split(&rest, ',')));
            if (!items[count])
                return NULL;
        }
    }
    *ret_count = count;
    return items;
}
