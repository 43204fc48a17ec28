// Any bytes as a command line and environment: arguments end at NUL bytes, and those after the first empty
// one are variables. Whatever is accepted lies within its range; whatever is not has a sentence.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 32 };

struct values {
    const char *listen;
    bool tracing;
    int64_t workers, staleness_ms, message_bytes;
    int level;
};

static const char *const levels[] = {"debug", "info", "warning", NULL};

static const struct setting settings[] = {
    {.name = "listen", .type = SETTING_TEXT, .offset = offsetof(struct values, listen), .help = "h"},
    {.name = "tracing", .type = SETTING_BOOLEAN, .offset = offsetof(struct values, tracing), .help = "h"},
    {.name = "workers",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct values, workers),
     .default_value = "0",
     .min = -5,
     .max = 1024,
     .help = "h"},
    {.name = "max-staleness",
     .type = SETTING_DURATION,
     .offset = offsetof(struct values, staleness_ms),
     .default_value = "30s",
     .min = 1000,
     .max = 10800000,
     .help = "h"},
    {.name = "message-size",
     .type = SETTING_SIZE,
     .offset = offsetof(struct values, message_bytes),
     .help = "h"},
    {.name = "level",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct values, level),
     .choices = levels,
     .help = "h"},
};

struct words {
    char *list[WORDS_MAX + 1];
    int count;
};

static void add_word(struct words *words, char *word) {
    if (words->count < WORDS_MAX) {
        words->list[words->count++] = word;
        words->list[words->count] = NULL;
    }
}

// `text` ends with a NUL at `size`.
static void split(char *text, size_t size, struct words *arguments, struct words *variables) {
    struct words *words = arguments;
    for (size_t at = 0; at < size; at += strlen(text + at) + 1) {
        if (text[at] == '\0' && words == arguments)
            words = variables;
        else
            add_word(words, text + at);
    }
}

static void check_values(const struct values *values) {
    assert(values->workers >= -5 && values->workers <= 1024);
    assert(values->staleness_ms >= 1000 && values->staleness_ms <= 10800000);
    assert(values->message_bytes >= 0);
    assert(values->level >= 0 && values->level < 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char program[] = "fuzz";
    struct words arguments = {.list = {program}, .count = 1}, variables = {.count = 0};
    char *text = malloc(size + 1);
    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    split(text, size, &arguments, &variables);

    struct values values;
    char error[128] = "";
    int given = arguments.count;
    const struct config_table table = {"Fuzz", settings, sizeof(settings) / sizeof(settings[0]), &values};
    if (config_read(&table, 1, &arguments.count, arguments.list, variables.list, error, sizeof(error)) ==
        STATUS_OK) {
        check_values(&values);
        assert(arguments.count >= 1 && arguments.count <= given);
        assert(arguments.list[arguments.count] == NULL);
    } else {
        assert(error[0] != '\0');
    }
    free(text);
    return 0;
}
