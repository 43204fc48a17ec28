// How the value of one setting is typed: parsing, and saying what is allowed. Internal to config_*.c.
#ifndef LATCHKEY_COMMON_BASE_CONFIG_VALUE_H
#define LATCHKEY_COMMON_BASE_CONFIG_VALUE_H

#include "common/base/config.h"

// "10m", "64KiB", "-5": the largest unit that leaves a whole number.
#define CONFIG_NUMBER_TEXT_SIZE 32
// Enough for a description; a longer list of choices is cut.
#define CONFIG_ALLOWED_TEXT_SIZE 256

// Stores what `text` says into the struct at `base`. False, with nothing stored, if it is not allowed. Text
// settings borrow `text`.
MUST_CHECK bool config_value_store(const struct setting *setting, const char *text, void *base);

// What is allowed, as the end of a sentence: "a duration such as 500ms, 30s, 10m, 72h or 7d, from 1s to 3h".
void config_value_describe(const struct setting *setting, char ret_text[CONFIG_ALLOWED_TEXT_SIZE]);

// The range alone, "from 1s to 3h"; "" for a type that has none.
void config_value_describe_range(const struct setting *setting, char *ret_text, size_t size);

#endif
