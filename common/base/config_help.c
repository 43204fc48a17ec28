// --help: a heading for each table, and under it each setting with its sentences, wrapped to a terminal's
// width.
#include <string.h>

#include "common/base/config.h"
#include "common/base/config_value.h"

enum { INDENT = 6, WIDTH = 80, DEFAULT_SIZE = 160, FACTS_SIZE = 512 };

struct paragraph {
    FILE *to;
    size_t column; // 0 = nothing on this line yet
};

static void print_word(struct paragraph *paragraph, const char *word, size_t len) {
    if (paragraph->column != 0 && paragraph->column + 1 + len > WIDTH) {
        fputc('\n', paragraph->to);
        paragraph->column = 0;
    }
    int before = paragraph->column == 0 ? INDENT : 1;
    fprintf(paragraph->to, "%*s%.*s", before, "", (int)len, word);
    paragraph->column += (size_t)before + len;
}

static void print_words(struct paragraph *paragraph, const char *text) {
    while (*text) {
        size_t len = strcspn(text, " ");
        if (len > 0)
            print_word(paragraph, text, len);
        text += len;
        text += strspn(text, " ");
    }
}

static const char *get_value_name(const struct setting *setting) {
    static const char *const names[] = {
        [SETTING_TEXT] = "TEXT",         [SETTING_BOOLEAN] = NULL, [SETTING_INTEGER] = "NUMBER",
        [SETTING_DURATION] = "DURATION", [SETTING_SIZE] = "SIZE",  [SETTING_CHOICE] = "WORD",
    };
    return setting->value_name ? setting->value_name : names[setting->type];
}

static void format_default(const struct setting *setting, char ret_text[DEFAULT_SIZE]) {
    const char *value = setting->default_value;
    if (!value && setting->type == SETTING_BOOLEAN)
        value = "false";
    if (value)
        snprintf(ret_text, DEFAULT_SIZE, "default %s", value[0] ? value : "empty");
    else
        snprintf(ret_text, DEFAULT_SIZE, "no default");
}

// "(default 30s; from 1s to 3h; LATCHKEY_LEASE)"
static void print_facts(struct paragraph *paragraph, const struct setting *setting) {
    char allowed[CONFIG_ALLOWED_TEXT_SIZE], name[CONFIG_ENVIRONMENT_NAME_SIZE];
    char shown_default[DEFAULT_SIZE], facts[FACTS_SIZE];
    if (setting->type == SETTING_CHOICE)
        config_value_describe(setting, allowed);
    else
        config_value_describe_range(setting, allowed, sizeof(allowed));
    config_format_environment_name(setting->name, name);
    format_default(setting, shown_default);
    snprintf(facts, sizeof(facts), "(%s; %s%s%s)", shown_default, allowed, allowed[0] ? "; " : "", name);
    print_words(paragraph, facts);
}

static void print_setting(FILE *to, const struct setting *setting) {
    const char *value_name = get_value_name(setting);
    fprintf(to, "  --%s%s%s\n", setting->name, value_name ? " " : "", value_name ? value_name : "");
    struct paragraph paragraph = {.to = to};
    print_words(&paragraph, setting->help);
    print_facts(&paragraph, setting);
    fputc('\n', to);
}

void config_print_help(const struct config_table *tables, size_t table_count, FILE *to) {
    for (size_t i = 0; i < table_count; i++) {
        fprintf(to, "%s%s:\n", i == 0 ? "" : "\n", tables[i].title);
        for (size_t j = 0; j < tables[i].count; j++)
            print_setting(to, &tables[i].settings[j]);
    }
}
