// One line per event to standard error, as text
//     2026-11-24T04:30:00.123Z info  latchkeyd: listening address=127.0.0.1:7070
// or as one JSON object a line with time, level, program, event and the fields. Values are escaped, so that
// no peer can forge a line or command a terminal; in text form a value that is not one plain word stands in
// quotes. Secrets are never passed in. Thread-safe: one write(2) a line, cut at 4 KiB between characters (a
// cut line says `cut`). errno is kept.
#ifndef LATCHKEY_COMMON_BASE_LOG_H
#define LATCHKEY_COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
#define LOG_LEVEL_NONE ((enum log_level)(LOG_LEVEL_ERROR + 1)) // for log_configure(): nothing is logged
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum log_field_kind { LOG_FIELD_TEXT, LOG_FIELD_INTEGER, LOG_FIELD_BYTES };

struct log_field {
    const char *key; // snake_case
    enum log_field_kind kind;
    union {
        const char *text; // empty or NULL: the field is left out; so for bytes
        int64_t integer;
        struct bytes bytes;
    } value;
};

#define LOG_TEXT(name, value_) \
    ((struct log_field){.key = (name), .kind = LOG_FIELD_TEXT, .value.text = (value_)})
#define LOG_INTEGER(name, value_) \
    ((struct log_field){.key = (name), .kind = LOG_FIELD_INTEGER, .value.integer = (int64_t)(value_)})
#define LOG_BYTES(name, value_) \
    ((struct log_field){.key = (name), .kind = LOG_FIELD_BYTES, .value.bytes = (value_)})

// Before the threads. The default is INFO, text, "latchkey". `program` has static storage and is plain ASCII.
void log_configure(enum log_level level, enum log_format format, const char *program);

bool log_is_enabled(enum log_level level);

// The function behind log_event(). `event` is a constant, the same for every occurrence: it is what people
// search for.
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

// log_event(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", text), LOG_INTEGER("port", port));
#define log_event(level, event, ...)                                                \
    log_write((level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1, \
              sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field) - 1)

#endif
