#include "common/base/config_facts.h"

#include "common/base/config_value.h"

enum { DEFAULT_SIZE = 160 };

const char *config_facts_get_value_name(const struct setting *setting) {
    static const char *const names[] = {
        [SETTING_TEXT] = "TEXT",         [SETTING_BOOLEAN] = NULL, [SETTING_INTEGER] = "NUMBER",
        [SETTING_DURATION] = "DURATION", [SETTING_SIZE] = "SIZE",  [SETTING_CHOICE] = "WORD",
        [SETTING_FILES] = "FILE",
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

void config_facts_format(const struct setting *setting, char ret_text[CONFIG_FACTS_SIZE]) {
    char allowed[CONFIG_ALLOWED_TEXT_SIZE], name[CONFIG_ENVIRONMENT_NAME_SIZE];
    char shown_default[DEFAULT_SIZE];
    if (setting->type == SETTING_CHOICE)
        config_value_describe(setting, allowed);
    else
        config_value_describe_range(setting, allowed, sizeof(allowed));
    config_format_environment_name(setting->name, name);
    format_default(setting, shown_default);
    snprintf(ret_text, CONFIG_FACTS_SIZE, "%s; %s%s%s", shown_default, allowed, allowed[0] ? "; " : "", name);
}
