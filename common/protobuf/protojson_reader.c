#include "common/protobuf/protojson_reader.h"

#include <stdarg.h>

#include "common/base/text.h"
#include "common/protobuf/protojson_sink.h"
#include "common/protobuf/protojson_text.h"
#include "common/protobuf/scan.h"

#define QUOTED_MAX 20 // bytes: half of a token's secret at most

// ---- quoting ----

static bool is_printable(uint8_t byte) {
    return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

// What is no plain ASCII is shown as "?": a sentence goes into headers, logs and terminals.
const char *protojson_quote_text(struct protojson_reader *reader, struct bytes text) {
    size_t len = text.len < QUOTED_MAX ? text.len : QUOTED_MAX;
    char shown[QUOTED_MAX + 1] = "";
    for (size_t i = 0; i < len; i++)
        shown[i] = is_printable(text.data[i]) ? (char)text.data[i] : '?';
    const char *quoted = arena_format(reader->arena, "\"%s%s\"", shown, len < text.len ? "..." : "");
    return quoted ? quoted : "it";
}

const char *protojson_quote(struct protojson_reader *reader, const json_t *value) {
    const char *number = protojson_text_find_number(value);
    if (number) {
        const char *digits = arena_format(reader->arena, "%.*s", QUOTED_MAX, number);
        return digits ? digits : "it";
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    default:
        return protojson_quote_text(reader, bytes_of(json_string_value(value), json_string_length(value)));
    }
}

const char *protojson_suggest(struct protojson_reader *reader, const char *word, const char *const *known,
                              size_t count) {
    const char *nearest = text_find_nearest(bytes_of_text(word), known, count);
    const char *text = nearest ? arena_format(reader->arena, "; did you mean \"%s\"?", nearest) : "";
    return text ? text : "";
}

// ---- the path ----

static const char *join(struct protojson_reader *reader, const char *outer,
                        const struct protojson_place *place) {
    switch (place->type) {
    case PROTOJSON_PLACE_ELEMENT: return arena_format(reader->arena, "%s[%zu]", outer, place->index);
    case PROTOJSON_PLACE_KEY:
        return arena_format(reader->arena, "%s[%s]", outer,
                            protojson_quote_text(reader, bytes_of_text(place->name)));
    default: return arena_format(reader->arena, "%s%s%s", outer, *outer ? "." : "", place->name);
    }
}

// NULL when out of memory.
static const char *get_path(struct protojson_reader *reader, const struct protojson_place *place) {
    if (!place)
        return "";
    const char *outer = get_path(reader, place->outer);
    return outer ? join(reader, outer, place) : NULL;
}

enum status protojson_refuse(struct protojson_reader *reader, const struct protojson_place *place,
                             const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *sentence = arena_format_args(reader->arena, format, args);
    va_end(args);
    const char *path = get_path(reader, place);
    bool is_complete = path && sentence;
    reader->text =
        is_complete ? arena_format(reader->arena, "%s%s%s", path, *path ? ": " : "", sentence) : NULL;
    return STATUS_MALFORMED;
}

enum status protojson_count_field(struct protojson_reader *reader) {
    if (++reader->fields <= SCAN_FIELDS_MAX)
        return STATUS_OK;
    reader->text = scan_result_get_text(SCAN_TOO_MANY_FIELDS);
    return STATUS_TOO_LARGE;
}

enum status protojson_enter(struct protojson_reader *reader) {
    if (++reader->depth <= SCAN_DEPTH_MAX)
        return STATUS_OK;
    reader->text = scan_result_get_text(SCAN_TOO_DEEP);
    return STATUS_TOO_LARGE;
}
