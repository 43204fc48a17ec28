// One line per event to standard error, as text
//     2026-11-24T04:30:00.123Z info  latchkeyd: listening address=127.0.0.1:7070
// or as one JSON object a line with time, level, program, event and the fields. Values are escaped, so that
// no peer can forge a line or command a terminal; in text form a value that is not one plain word stands in
// quotes. What peers send is `struct bytes`, their secrets too, which no field takes; what is a text and
// called a secret tests/lint looks for. Thread-safe: one write(2) a line, cut at 4 KiB between characters (a
// cut line says `cut`). errno is kept.
#ifndef LATCHKEY_COMMON_BASE_LOG_H
#define LATCHKEY_COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
#define LOG_LEVEL_NONE ((enum log_level)(LOG_LEVEL_ERROR + 1)) // for log_configure(): nothing is logged
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum log_field_kind { LOG_FIELD_TEXT, LOG_FIELD_INTEGER };

struct log_field {
    const char *key; // snake_case
    enum log_field_kind kind;
    union {
        const char *text; // empty or NULL: the field is left out
        int64_t integer;
    } value;
};

#define LOG_TEXT(name, value_) \
    ((struct log_field){.key = (name), .kind = LOG_FIELD_TEXT, .value.text = (value_)})
#define LOG_INTEGER(name, value_) \
    ((struct log_field){.key = (name), .kind = LOG_FIELD_INTEGER, .value.integer = (int64_t)(value_)})

// Before the threads. The default is INFO, text, "latchkey". `program` has static storage and is plain ASCII.
void log_configure(enum log_level level, enum log_format format, const char *program);

bool log_is_enabled(enum log_level level);

// What the present thread works on, for every line of it from now on: `fields` stand in front of the line's
// own. Borrows them, and what they point to, until it is called again; none at first, and with `count` 0.
void log_set_context(const struct log_field *fields, size_t count);

// The function behind log_event(). `event` is a constant, the same for every occurrence: it is what people
// search for.
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

// log_event(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", text), LOG_INTEGER("port", port));
#define log_event(level, event, ...)                                                \
    log_write((level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1, \
              sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field) - 1)

#endif
