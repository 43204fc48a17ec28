// --help: a heading for each table, and under it each setting with its sentences, wrapped to a terminal's
// width.
#include <string.h>

#include "common/base/config.h"
#include "common/base/config_facts.h"

enum { INDENT = 6, WIDTH = 80 };

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

static void print_facts(struct paragraph *paragraph, const struct setting *setting) {
    char facts[CONFIG_FACTS_SIZE], shown[CONFIG_FACTS_SIZE + sizeof("()")];
    config_facts_format(setting, facts);
    snprintf(shown, sizeof(shown), "(%s)", facts);
    print_words(paragraph, shown);
}

static void print_setting(FILE *to, const struct setting *setting) {
    const char *value_name = config_facts_get_value_name(setting);
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
