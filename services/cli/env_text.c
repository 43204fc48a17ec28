#include "services/cli/env_text.h"

#include <string.h>

#define QUOTED_QUOTE "'\\''"

static size_t count_quotes(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\'';
    return count;
}

// The value in single quotes, each of its own as '\''.
static char *quote(struct arena *arena, const char *value) {
    char *quoted = arena_allocate(arena, strlen(value) + count_quotes(value) * strlen(QUOTED_QUOTE) + 3);
    if (!quoted)
        return NULL;
    char *to = quoted;
    *to++ = '\'';
    for (; *value; value++) {
        if (*value == '\'') {
            memcpy(to, QUOTED_QUOTE, strlen(QUOTED_QUOTE));
            to += strlen(QUOTED_QUOTE);
        } else {
            *to++ = *value;
        }
    }
    *to++ = '\'';
    *to = '\0';
    return quoted;
}

char *env_text_format(struct arena *arena, const struct env_variable *variables, size_t count) {
    char *text = arena_copy_text(arena, "");
    for (size_t i = 0; text && i < count; i++) {
        if (!variables[i].value)
            continue;
        const char *quoted = quote(arena, variables[i].value);
        if (!quoted)
            return NULL;
        text = arena_format(arena, "%s%s%s=%s", text, text[0] ? "\n" : "", variables[i].name, quoted);
    }
    return text;
}
