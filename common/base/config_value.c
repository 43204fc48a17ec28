// Durations and sizes are whole numbers with a unit from a table; the same table writes them back in help and
// errors.
#include "common/base/config_value.h"

#include <inttypes.h>

#include "common/base/bytes.h"

struct unit {
    const char *suffix;
    int64_t factor;
};

// Smallest first.
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000}, {NULL, 0},
};
static const struct unit size_units[] = {
    {"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0},
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *get_units(enum setting_type type) {
    if (type == SETTING_DURATION)
        return duration_units;
    return type == SETTING_SIZE ? size_units : no_units;
}

static const struct unit *find_unit(const struct unit *units, struct bytes suffix) {
    for (; units->suffix; units++)
        if (bytes_is_text(suffix, units->suffix))
            return units;
    return NULL;
}

static bool is_digit(uint8_t character) {
    return character >= '0' && character <= '9';
}

// Digits and a unit; zero needs none.
static bool parse_magnitude(struct bytes text, const struct unit *units, int64_t *ret_value) {
    size_t digits = 0;
    while (digits < text.len && is_digit(text.data[digits]))
        digits++;
    uint64_t number;
    if (!bytes_parse_unsigned(bytes_of(text.data, digits), INT64_MAX, &number))
        return false;
    struct bytes suffix = bytes_of(text.data + digits, text.len - digits);
    const struct unit *unit = number == 0 && suffix.len == 0 ? units : find_unit(units, suffix);
    return unit && !__builtin_mul_overflow((int64_t)number, unit->factor, ret_value);
}

static bool parse_number(const struct setting *setting, const char *text, int64_t *ret_value) {
    struct bytes rest = bytes_of_text(text);
    bool is_negative = setting->type == SETTING_INTEGER && bytes_has_prefix(rest, BYTES_LITERAL("-"));
    if (is_negative)
        rest = bytes_of(rest.data + 1, rest.len - 1);
    int64_t value;
    if (!parse_magnitude(rest, get_units(setting->type), &value))
        return false;
    if (is_negative)
        value = -value;
    if (value < setting->min || (setting->max != 0 && value > setting->max))
        return false;
    *ret_value = value;
    return true;
}

static bool parse_boolean(const char *text, bool *ret_value) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (bytes_is_equal_ignoring_case(bytes_of_text(text), bytes_of_text(words[i].word))) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

static bool parse_choice(const struct setting *setting, const char *text, int *ret_index) {
    for (int i = 0; setting->choices[i]; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool config_value_store(const struct setting *setting, const char *text, void *base) {
    void *to = (char *)base + setting->offset;
    switch (setting->type) {
    case SETTING_TEXT: *(const char **)to = text; return true;
    case SETTING_BOOLEAN: return parse_boolean(text, to);
    case SETTING_CHOICE: return parse_choice(setting, text, to);
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE: return parse_number(setting, text, to);
    case SETTING_FILES: break; // its files are read, it is not stored
    }
    return false;
}

static void format_number(enum setting_type type, int64_t value, char ret_text[CONFIG_NUMBER_TEXT_SIZE]) {
    const struct unit *units = get_units(type), *unit = units;
    for (const struct unit *larger = units; larger->suffix; larger++)
        if (value != 0 && value % larger->factor == 0)
            unit = larger;
    const char *suffix = value == 0 ? "" : unit->suffix;
    snprintf(ret_text, CONFIG_NUMBER_TEXT_SIZE, "%" PRId64 "%s", value / unit->factor, suffix);
}

void config_value_describe_range(const struct setting *setting, char *ret_text, size_t size) {
    char min[CONFIG_NUMBER_TEXT_SIZE], max[CONFIG_NUMBER_TEXT_SIZE];
    bool is_number = setting->type == SETTING_INTEGER || setting->type == SETTING_DURATION ||
                     setting->type == SETTING_SIZE;
    if (!is_number) {
        ret_text[0] = '\0';
        return;
    }
    format_number(setting->type, setting->min, min);
    format_number(setting->type, setting->max, max);
    if (setting->max != 0)
        snprintf(ret_text, size, "from %s to %s", min, max);
    else
        snprintf(ret_text, size, "at least %s", min);
}

static void describe_choices(const char *const *choices, char ret_text[CONFIG_ALLOWED_TEXT_SIZE]) {
    size_t len = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; choices[i] && len < CONFIG_ALLOWED_TEXT_SIZE; i++) {
        const char *separator = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        int added = snprintf(ret_text + len, CONFIG_ALLOWED_TEXT_SIZE - len, "%s%s", separator, choices[i]);
        len += added > 0 ? (size_t)added : 0;
    }
}

void config_value_describe(const struct setting *setting, char ret_text[CONFIG_ALLOWED_TEXT_SIZE]) {
    static const char *const kinds[] = {
        [SETTING_TEXT] = "text",
        [SETTING_BOOLEAN] = "true or false",
        [SETTING_INTEGER] = "a whole number",
        [SETTING_DURATION] = "a duration such as 500ms, 30s, 10m, 72h or 7d",
        [SETTING_SIZE] = "a size such as 65536, 64KiB, 1MiB or 2GiB",
    };
    if (setting->type == SETTING_CHOICE) {
        describe_choices(setting->choices, ret_text);
        return;
    }
    char range[2 * CONFIG_NUMBER_TEXT_SIZE + sizeof("from  to ")];
    config_value_describe_range(setting, range, sizeof(range));
    snprintf(ret_text, CONFIG_ALLOWED_TEXT_SIZE, "%s%s%s", kinds[setting->type], range[0] ? ", " : "", range);
}
