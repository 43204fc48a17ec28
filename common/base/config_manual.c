// The settings in a manual page: a subsection for each table, and in it a tagged list.
#include "common/base/config.h"
#include "common/base/config_facts.h"
#include "common/base/roff.h"

static void print_setting(FILE *to, const struct setting *setting) {
    const char *value_name = config_facts_get_value_name(setting);
    char flag[CONFIG_ENVIRONMENT_NAME_SIZE], facts[CONFIG_FACTS_SIZE],
        shown[CONFIG_FACTS_SIZE + sizeof("()")];
    fputs(".It Fl", to);
    snprintf(flag, sizeof(flag), "-%s", setting->name);
    roff_print_words(to, flag);
    if (value_name) {
        fputs(" Ar", to);
        roff_print_words(to, value_name);
    }
    fputc('\n', to);
    roff_print_text(to, setting->help);
    config_facts_format(setting, facts);
    snprintf(shown, sizeof(shown), "(%s)", facts);
    roff_print_text(to, shown);
}

void config_print_manual(const struct config_table *tables, size_t table_count, FILE *to) {
    for (size_t i = 0; i < table_count; i++) {
        fputs(".Ss", to);
        roff_print_words(to, tables[i].title);
        fputs("\n.Bl -tag -width Ds\n", to);
        for (size_t j = 0; j < tables[i].count; j++)
            print_setting(to, &tables[i].settings[j]);
        fputs(".El\n", to);
    }
}
