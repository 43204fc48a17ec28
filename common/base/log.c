// A line is put together on the stack and leaves in one write(2), which up to PIPE_BUF bytes is not
// interleaved with another thread's or process's. Text goes in by whole characters, each escaped for the
// format, so that a cut line is still a well-formed one; it ends with the field `cut`.
#include "common/base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

enum {
    LINE_MAX_BYTES = 4096,
    LINE_END_BYTES = 32, // kept free for what closes a line
    LINE_BODY_BYTES = LINE_MAX_BYTES - LINE_END_BYTES,
};

static_assert(LINE_MAX_BYTES <= PIPE_BUF, "a line must leave in one piece");

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool is_cut; // nothing more goes into the body
};

static struct {
    enum log_level level;
    enum log_format format;
    const char *program;
} settings = {LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "latchkey"};

// why in front of a line's own fields: these may be long, and what is too long is cut.
static _Thread_local struct {
    const struct log_field *fields;
    size_t count;
} context;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

// All or nothing.
static bool put(struct line *line, const char *text, size_t len) {
    if (line->is_cut || line->len + len > LINE_BODY_BYTES) {
        line->is_cut = true;
        return false;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

PRINTF_LIKE(2, 3) static bool put_format(struct line *line, const char *format, ...) {
    char piece[160];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    assert(len >= 0);
    return put(line, piece, (size_t)len < sizeof(piece) ? (size_t)len : sizeof(piece) - 1);
}

// Into the room that is kept free: closes what put() has opened.
static void close_with(struct line *line, const char *text) {
    size_t len = strlen(text);
    assert(len <= LINE_MAX_BYTES - line->len);
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

// C0, DEL, and C1, which some terminals obey also in UTF-8.
static bool is_control(struct bytes character) {
    uint8_t first = character.data[0];
    return first < 0x20 || first == 0x7F || (first == 0xC2 && character.data[1] < 0xA0);
}

static bool put_text_character(struct line *line, struct bytes character, bool is_well_formed) {
    uint8_t first = character.data[0];
    if (first == '\n')
        return put(line, "\\n", 2);
    if (first == '"' || first == '\\')
        return put_format(line, "\\%c", first);
    if (is_well_formed && !is_control(character))
        return put(line, (const char *)character.data, character.len);
    if (character.len == 2)
        return put_format(line, "\\x%02x\\x%02x", first, character.data[1]);
    return put_format(line, "\\x%02x", first);
}

static bool put_json_character(struct line *line, struct bytes character, bool is_well_formed) {
    uint8_t first = character.data[0];
    if (!is_well_formed)
        return put(line, "\xEF\xBF\xBD", 3); // U+FFFD
    if (first == '"' || first == '\\')
        return put_format(line, "\\%c", first);
    if (is_control(character))
        return put_format(line, "\\u%04x", character.len == 2 ? character.data[1] : first);
    return put(line, (const char *)character.data, character.len);
}

static void put_escaped(struct line *line, struct bytes value) {
    bool (*put_character)(struct line *, struct bytes, bool) =
        settings.format == LOG_FORMAT_JSON ? put_json_character : put_text_character;
    while (value.len > 0) {
        size_t len = bytes_measure_code_point(value);
        bool is_well_formed = len > 0;
        if (!is_well_formed)
            len = 1;
        if (!put_character(line, bytes_of(value.data, len), is_well_formed))
            return;
        value = bytes_of(value.data + len, value.len - len);
    }
}

// A text that is empty says nothing, and is left out.
static bool is_empty(const struct log_field *field) {
    return field->kind == LOG_FIELD_TEXT && (!field->value.text || !*field->value.text);
}

// A value that could be taken for something else than one word.
static bool wants_quotes(struct bytes value) {
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] <= ' ' || value.data[i] == '"' || value.data[i] == '=' || value.data[i] == '\\' ||
            value.data[i] >= 0x7F)
            return true;
    return false;
}

static void put_text_field(struct line *line, const struct log_field *field) {
    if (field->kind == LOG_FIELD_INTEGER) {
        put_format(line, " %s=%" PRId64, field->key, field->value.integer);
        return;
    }
    struct bytes value = bytes_of_text(field->value.text);
    bool is_quoted = wants_quotes(value);
    if (!put_format(line, " %s=%s", field->key, is_quoted ? "\"" : ""))
        return;
    put_escaped(line, value);
    if (is_quoted)
        close_with(line, "\"");
}

static void put_json_field(struct line *line, const struct log_field *field) {
    if (field->kind == LOG_FIELD_INTEGER) {
        put_format(line, ",\"%s\":%" PRId64, field->key, field->value.integer);
        return;
    }
    if (!put_format(line, ",\"%s\":\"", field->key))
        return;
    put_escaped(line, bytes_of_text(field->value.text));
    close_with(line, "\"");
}

static void format_now(char ret_text[32]) {
    struct timespec now;
    struct tm utc;
    char seconds[24];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text, 32, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

static void put_fields(struct line *line, const struct log_field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (is_empty(&fields[i]))
            continue;
        if (settings.format == LOG_FORMAT_JSON)
            put_json_field(line, &fields[i]);
        else
            put_text_field(line, &fields[i]);
    }
}

static void put_text_line(struct line *line, enum log_level level, const char *event,
                          const struct log_field *fields, size_t count) {
    char now[32];
    format_now(now);
    put_format(line, "%s %-5s %s: ", now, level_names[level], settings.program);
    put_escaped(line, bytes_of_text(event));
    put_fields(line, context.fields, context.count);
    put_fields(line, fields, count);
    close_with(line, line->is_cut ? " cut=true\n" : "\n");
}

static void put_json_line(struct line *line, enum log_level level, const char *event,
                          const struct log_field *fields, size_t count) {
    char now[32];
    format_now(now);
    put_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"", now,
               level_names[level], settings.program);
    put_escaped(line, bytes_of_text(event));
    close_with(line, "\"");
    put_fields(line, context.fields, context.count);
    put_fields(line, fields, count);
    close_with(line, line->is_cut ? ",\"cut\":true}\n" : "}\n");
}

void log_configure(enum log_level level, enum log_format format, const char *program) {
    settings.level = level;
    settings.format = format;
    settings.program = program;
}

void log_set_context(const struct log_field *fields, size_t count) {
    context.fields = fields;
    context.count = count;
}

bool log_is_enabled(enum log_level level) {
    return level >= settings.level;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count) {
    if (!log_is_enabled(level))
        return;
    int error_before = errno;
    struct line line;
    line.len = 0;
    line.is_cut = false;
    if (settings.format == LOG_FORMAT_JSON)
        put_json_line(&line, level, event, fields, count);
    else
        put_text_line(&line, level, event, fields, count);
    // why: a log that cannot be written has nowhere to be reported, and must not stop the service.
    while (write(STDERR_FILENO, line.text, line.len) < 0 && errno == EINTR)
        ;
    errno = error_before;
}
