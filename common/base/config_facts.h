// What help says of a setting beside its sentences. Internal to config_*.c.
#ifndef LATCHKEY_COMMON_BASE_CONFIG_FACTS_H
#define LATCHKEY_COMMON_BASE_CONFIG_FACTS_H

#include "common/base/config.h"

#define CONFIG_FACTS_SIZE 512

// "default 30s; from 1s to 3h; LATCHKEY_LEASE".
void config_facts_format(const struct setting *setting, char ret_text[CONFIG_FACTS_SIZE]);

// "DURATION"; NULL for what takes no value.
const char *config_facts_get_value_name(const struct setting *setting);

#endif
