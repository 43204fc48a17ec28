#include "services/cli/command.h"

#include <string.h>

#include "common/base/text.h"

#define WORDS_MAX 128

static bool has_noun(const struct command *command, const char *noun) {
    return strcmp(command->noun, noun) == 0;
}

const struct command *command_find(const char *noun, const char *verb) {
    for (size_t i = 0; i < command_get_count(); i++) {
        const struct command *command = command_get(i);
        if (has_noun(command, noun) && !command->verb == !verb && (!verb || strcmp(command->verb, verb) == 0))
            return command;
    }
    return NULL;
}

bool command_noun_has_verbs(const char *noun) {
    for (size_t i = 0; i < command_get_count(); i++)
        if (has_noun(command_get(i), noun) && command_get(i)->verb)
            return true;
    return false;
}

const char *command_find_nearest_noun(const char *word) {
    const char *nouns[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < command_get_count() && count < WORDS_MAX; i++)
        nouns[count++] = command_get(i)->noun;
    return text_find_nearest(bytes_of_text(word), nouns, count);
}

const char *command_find_nearest_verb(const char *noun, const char *word) {
    const char *verbs[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < command_get_count() && count < WORDS_MAX; i++)
        if (has_noun(command_get(i), noun) && command_get(i)->verb)
            verbs[count++] = command_get(i)->verb;
    return text_find_nearest(bytes_of_text(word), verbs, count);
}
