#include "services/cli/records.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "services/cli/cli.h"

#define BYTE_ORDER_MARK BYTES_LITERAL("\xef\xbb\xbf")

void records_init(struct records *records, const struct record_column *columns, size_t column_count,
                  size_t comment_column) {
    assert(column_count <= RECORD_COLUMNS_MAX);
    *records = (struct records){
        .columns = columns, .column_count = column_count, .comment_column = comment_column, .line = 1};
}

// ---- columns ----

static uint8_t fold(uint8_t c) {
    return c == '-' || c == ' ' ? '_' : (uint8_t)tolower(c);
}

static bool is_name(struct bytes text, const char *name) {
    if (text.len != strlen(name))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (fold(text.data[i]) != fold((uint8_t)name[i]))
            return false;
    return true;
}

static bool is_column(const struct record_column *column, struct bytes name) {
    for (const char *const *known = column->names; *known; known++)
        if (is_name(name, *known))
            return true;
    return false;
}

// column_count if there is none.
static size_t find_column(const struct records *records, struct bytes name) {
    size_t i = 0;
    while (i < records->column_count && !is_column(&records->columns[i], name))
        i++;
    return i;
}

// ---- lines ----

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes text) {
    while (text.len > 0 && is_space(text.data[0]))
        text = bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

// Without the end of the line.
static struct bytes trim_end(struct bytes line) {
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    return line;
}

// Takes `len` bytes from the front, counting the lines that end in them.
static struct bytes take(struct records *records, struct bytes *rest, size_t len) {
    struct bytes taken = bytes_of(rest->data, len);
    for (size_t i = 0; i < len; i++)
        records->line += taken.data[i] == '\n';
    *rest = bytes_of(rest->data + len, rest->len - len);
    return taken;
}

// How many bytes the line in front has, its end included; 0 if its end is not there yet. With `is_quoted`
// line ends between double quotes do not count.
static size_t measure_line(struct bytes rest, bool is_last, bool is_quoted) {
    bool is_inside = false;
    for (size_t i = 0; i < rest.len; i++) {
        if (is_quoted && rest.data[i] == '"')
            is_inside = !is_inside;
        if (rest.data[i] == '\n' && !is_inside)
            return i + 1;
    }
    return is_last ? rest.len : 0;
}

static const char *copy(struct arena *arena, struct bytes text) {
    return cli_need(arena_copy_bytes(arena, text));
}

static void set_text(const struct records *records, struct record *record, size_t column, const char *text) {
    if (column < records->column_count)
        record->texts[column] = text;
}

// "203.0.113.0/24 # office"; a "#" inside a word is part of it.
static void read_line(const struct records *records, struct bytes line, struct arena *arena,
                      struct record *record) {
    size_t at = 0;
    while (at < line.len && !(line.data[at] == '#' && (at == 0 || is_space(line.data[at - 1]))))
        at++;
    struct bytes comment =
        at < line.len ? trim(bytes_of(line.data + at + 1, line.len - at - 1)) : BYTES_EMPTY;
    record->texts[0] = copy(arena, trim(bytes_of(line.data, at)));
    if (comment.len > 0)
        set_text(records, record, records->comment_column, copy(arena, comment));
    if (memchr(line.data, ',', at))
        record->error = "type one value on each line, or name the columns in the first line";
}

// ---- CSV ----

// Takes one field from the front of a line; `*ret_ended` = it was the last one. NULL for a field whose quotes
// are wrong.
static const char *take_field(struct bytes *line, uint8_t separator, struct arena *arena, bool *ret_ended) {
    char *text = cli_need(arena_allocate(arena, line->len + 1));
    size_t len = 0, at = 0;
    while (at < line->len && line->data[at] == ' ')
        at++;
    bool is_quoted = at < line->len && line->data[at] == '"';
    if (is_quoted) {
        for (at++; at < line->len; at++) {
            if (line->data[at] == '"' && (at + 1 >= line->len || line->data[at + 1] != '"'))
                break;
            at += line->data[at] == '"';
            text[len++] = (char)line->data[at];
        }
        if (at >= line->len)
            return NULL;
        at++;
    }
    size_t first = at;
    while (at < line->len && line->data[at] != separator)
        at++;
    struct bytes plain = trim(bytes_of(line->data + first, at - first));
    if (is_quoted && plain.len > 0)
        return NULL;
    if (!is_quoted)
        len = plain.len;
    if (!is_quoted && len > 0)
        memcpy(text, plain.data, len);
    text[len] = '\0';
    *ret_ended = at >= line->len;
    *line = *ret_ended ? BYTES_EMPTY : bytes_of(line->data + at + 1, line->len - at - 1);
    return text;
}

static void read_fields(const struct records *records, struct bytes line, struct arena *arena,
                        struct record *record) {
    bool has_ended = false;
    for (size_t i = 0; !has_ended; i++) {
        const char *text = take_field(&line, records->separator, arena, &has_ended);
        if (!text) {
            record->error =
                "a field in double quotes must end in one, with the next field behind it; a double "
                "quote inside is written twice";
            return;
        }
        if (i < records->field_count)
            set_text(records, record, records->fields[i], text);
        else if (text[0])
            record->error = "it has more fields than the header has columns";
    }
}

static void remember_unknown(struct records *records, const char *name) {
    if (name[0] && records->unknown_count++ == 0)
        snprintf(records->unknown_name, sizeof(records->unknown_name), "%s", name);
}

// Whether the line is a header: it names column 0, and there may be others. Sets separator and fields.
static bool read_header(struct records *records, struct bytes line, struct arena *arena) {
    static const uint8_t separators[] = {',', ';', '\t'};
    records->separator = ',';
    for (size_t i = 0; i < ARRAY_LENGTH(separators); i++)
        if (memchr(line.data, separators[i], line.len)) {
            records->separator = separators[i];
            break;
        }
    bool has_ended = false, is_header = false;
    while (!has_ended && records->field_count < RECORD_FIELDS_MAX) {
        const char *name = take_field(&line, records->separator, arena, &has_ended);
        size_t column = find_column(records, bytes_of_text(name ? name : ""));
        if (!name)
            return false;
        if (column == records->column_count)
            remember_unknown(records, name);
        is_header = is_header || column == 0;
        records->fields[records->field_count++] = column;
    }
    return is_header;
}

// ---- JSON ----

// How many bytes the value in front has; 0 if its end is not there yet.
static size_t measure_value(struct bytes rest, bool is_last) {
    bool is_text = false;
    size_t depth = 0;
    for (size_t i = 0; i < rest.len; i++) {
        uint8_t c = rest.data[i];
        if (is_text && c == '\\') {
            i++;
            continue;
        }
        if (c == '"')
            is_text = !is_text;
        else if (!is_text && (c == '{' || c == '['))
            depth++;
        else if (!is_text && depth > 0 && (c == '}' || c == ']'))
            depth--;
        else if (!is_text && depth == 0 && (is_space(c) || c == ',' || c == ']'))
            return i > 0 ? i : 1;
        if (!is_text && depth == 0 && (c == '"' || c == '}' || c == ']'))
            return i + 1;
    }
    return is_last ? rest.len : 0;
}

// Texts of a list with spaces between; NULL if it holds anything else.
static const char *join_list(const json_t *list, struct arena *arena) {
    const char *joined = "";
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item))
            return NULL;
        joined = cli_need(arena_format(arena, "%s%s%s", joined, i > 0 ? " " : "", json_string_value(item)));
    }
    return joined;
}

// NULL for what is no value of a column.
static const char *to_text(const json_t *value, struct arena *arena) {
    switch (json_typeof(value)) {
    case JSON_STRING: return cli_need(arena_copy_text(arena, json_string_value(value)));
    case JSON_INTEGER: return cli_need(arena_format(arena, "%lld", (long long)json_integer_value(value)));
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "";
    case JSON_ARRAY: return join_list(value, arena);
    default: return NULL;
    }
}

static void read_object(struct records *records, json_t *object, struct arena *arena, struct record *record) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        size_t column = find_column(records, bytes_of_text(name));
        if (column == records->column_count) {
            remember_unknown(records, name);
            continue;
        }
        const char *text = to_text(value, arena);
        if (!text)
            record->error = cli_need(arena_format(arena, "\"%s\" must be a text", name));
        record->texts[column] = text;
    }
}

static void read_value(struct records *records, struct bytes value, struct arena *arena,
                       struct record *record) {
    json_error_t error;
    json_t *json = json_loadb((const char *)value.data, value.len, JSON_DECODE_ANY, &error);
    if (json_is_string(json) && records->is_list)
        record->texts[0] = cli_need(arena_copy_text(arena, json_string_value(json)));
    else if (json_is_object(json))
        read_object(records, json, arena, record);
    else if (json)
        record->error = "it is neither an object nor a text";
    else
        record->error = cli_need(arena_format(arena, "it is no JSON: %s", error.text));
    json_decref(json);
}

static void skip_spaces(struct records *records, struct bytes *rest) {
    size_t len = 0;
    while (len < rest->len && is_space(rest->data[len]))
        len++;
    take(records, rest, len);
}

// What the punctuation in front of a value means.
enum punctuation { PUNCTUATION_GOOD, PUNCTUATION_BAD, PUNCTUATION_END, PUNCTUATION_MORE };

static enum punctuation take_punctuation(struct records *records, struct bytes *rest, bool is_last) {
    skip_spaces(records, rest);
    if (rest->len == 0 && (!is_last || !records->is_list || records->has_ended))
        return is_last ? PUNCTUATION_END : PUNCTUATION_MORE;
    if (!records->is_list)
        return PUNCTUATION_GOOD;
    if (rest->len == 0 || records->has_ended)
        return PUNCTUATION_BAD;
    if (rest->data[0] == ']') {
        take(records, rest, 1);
        records->has_ended = true;
        skip_spaces(records, rest);
        return rest->len > 0 ? PUNCTUATION_BAD : is_last ? PUNCTUATION_END : PUNCTUATION_MORE;
    }
    if (!records->has_item)
        return PUNCTUATION_GOOD;
    if (rest->data[0] != ',')
        return PUNCTUATION_BAD;
    // The comma stays until the value behind it is there, so that coming again finds it.
    struct bytes behind = trim(bytes_of(rest->data + 1, rest->len - 1));
    if (behind.len == 0)
        return is_last ? PUNCTUATION_BAD : PUNCTUATION_MORE;
    return behind.data[0] == ']' || behind.data[0] == ',' ? PUNCTUATION_BAD : PUNCTUATION_GOOD;
}

static enum records_result next_json(struct records *records, struct bytes *rest, bool is_last,
                                     struct arena *arena, struct record *record) {
    enum punctuation punctuation = take_punctuation(records, rest, is_last);
    if (punctuation == PUNCTUATION_END)
        return RECORDS_END;
    if (punctuation == PUNCTUATION_MORE)
        return RECORDS_MORE;
    record->line = records->line;
    if (punctuation == PUNCTUATION_BAD) {
        record->error = "the list is no JSON here: its values stand between commas, and ] ends it";
        take(records, rest, rest->len);
        records->format = RECORDS_LINES; // nothing after it can be trusted
        records->has_ended = true;
        return RECORDS_RECORD;
    }
    size_t comma = records->is_list && records->has_item ? 1 : 0;
    while (comma > 0 && is_space(rest->data[comma]))
        comma++;
    size_t len = measure_value(bytes_of(rest->data + comma, rest->len - comma), is_last);
    if (len == 0)
        return RECORDS_MORE;
    take(records, rest, comma);
    record->line = records->line;
    records->has_item = true;
    read_value(records, take(records, rest, len), arena, record);
    return RECORDS_RECORD;
}

// ---- the whole ----

// A line without anything in it.
static bool is_blank(struct bytes line) {
    line = trim(line);
    return line.len == 0 || line.data[0] == '#';
}

// Takes lines that say nothing. False if more bytes are needed to know.
static bool skip_blank_lines(struct records *records, struct bytes *rest, bool is_last) {
    if (!records->has_begun && rest->len < BYTE_ORDER_MARK.len && !is_last)
        return false;
    if (!records->has_begun && bytes_has_prefix(*rest, BYTE_ORDER_MARK))
        take(records, rest, BYTE_ORDER_MARK.len);
    records->has_begun = true;
    size_t len;
    while ((len = measure_line(*rest, is_last, false)) > 0 && is_blank(bytes_of(rest->data, len)))
        take(records, rest, len);
    return len > 0 || is_last;
}

// The first byte that is no white space; 0 if there is none.
static uint8_t get_first(struct bytes text) {
    text = trim(text);
    return text.len > 0 ? text.data[0] : 0;
}

static enum records_result next_line(struct records *records, struct bytes *rest, bool is_last,
                                     struct arena *arena, struct record *record) {
    bool is_csv = records->format == RECORDS_CSV;
    if (records->has_ended)
        return RECORDS_END;
    if (!skip_blank_lines(records, rest, is_last))
        return RECORDS_MORE;
    size_t len = measure_line(*rest, is_last, is_csv);
    if (len == 0)
        return is_last ? RECORDS_END : RECORDS_MORE;
    record->line = records->line;
    struct bytes line = trim_end(take(records, rest, len));
    if (memchr(line.data, '\0', line.len) || !bytes_is_utf8(line))
        record->error = "it is no text: save the file as UTF-8";
    else if (is_csv)
        read_fields(records, line, arena, record);
    else
        read_line(records, line, arena, record);
    return RECORDS_RECORD;
}

// Finds the format and takes what belongs to it alone: the header, or the [ of a list.
static bool begin(struct records *records, struct bytes *rest, bool is_last, struct arena *arena) {
    bool is_whole = skip_blank_lines(records, rest, is_last);
    if (!records->has_begun)
        return false;
    uint8_t first = get_first(*rest);
    if (first == '[' || first == '{') {
        records->format = RECORDS_JSON;
        records->is_list = first == '[';
        skip_spaces(records, rest);
        take(records, rest, records->is_list ? 1 : 0);
        return true;
    }
    if (!is_whole)
        return false;
    size_t len = measure_line(*rest, is_last, false);
    bool is_csv = len > 0 && read_header(records, trim_end(bytes_of(rest->data, len)), arena);
    records->format = is_csv ? RECORDS_CSV : RECORDS_LINES;
    records->unknown_count = is_csv ? records->unknown_count : 0;
    take(records, rest, is_csv ? len : 0);
    return true;
}

enum records_result records_next(struct records *records, struct bytes *rest, bool is_last,
                                 struct arena *arena, struct record *ret_record) {
    *ret_record = (struct record){0};
    if (records->format == RECORDS_UNKNOWN && !begin(records, rest, is_last, arena))
        return RECORDS_MORE;
    if (records->format == RECORDS_JSON)
        return next_json(records, rest, is_last, arena, ret_record);
    return next_line(records, rest, is_last, arena, ret_record);
}

void record_name_lines(struct fault *fault, const size_t *lines, size_t count) {
    for (struct fault_field *field = fault->fields; field; field = field->next) {
        struct bytes rest = bytes_of_text(field->field);
        (void)bytes_split(&rest, '[');
        struct bytes digits = bytes_split(&rest, ']');
        uint64_t index;
        if (!rest.data || !bytes_parse_unsigned(digits, SIZE_MAX, &index) || index >= count)
            continue;
        const char *inner = rest.len > 1 ? (const char *)rest.data + 1 : "entry";
        field->field = cli_need(arena_format(fault->arena, "line %zu, %s", lines[index], inner));
    }
}
