// One pass over the text outside of its strings, which is all the grammar that it takes to count, to see the
// depth and to find the numbers; whether it is JSON at all is for the library to say. The pass runs twice, to
// measure and to write the copy with the numbers as strings.
#include "common/protobuf/protojson_text.h"

#include <string.h>

#include "common/protobuf/json_heap.h"
#include "common/protobuf/protojson.h"
#include "common/protobuf/protojson_number.h"
#include "common/protobuf/protojson_sink.h"

#define NOT_JSON "this is no JSON"

struct copier {
    struct bytes rest;
    struct protojson_sink sink;
    unsigned depth;
    size_t values; // at most that many are in what has been read
};

static void copy(struct copier *copier, size_t len) {
    protojson_sink_put(&copier->sink, bytes_of(copier->rest.data, len));
    copier->rest.data += len;
    copier->rest.len -= len;
}

// False for one that holds a NUL. One without an end ends with the text.
static bool copy_string(struct copier *copier) {
    static const struct bytes nul = BYTES_LITERAL("\\u0000");
    copy(copier, 1);
    while (copier->rest.len > 0 && copier->rest.data[0] != '"') {
        if (bytes_has_prefix(copier->rest, nul))
            return false;
        bool is_escape = copier->rest.data[0] == '\\' && copier->rest.len > 1;
        copy(copier, is_escape ? 2 : 1);
    }
    if (copier->rest.len > 0)
        copy(copier, 1);
    return true;
}

static size_t measure_number(struct bytes text) {
    size_t len = 0;
    while (len < text.len && text.data[len] != '\0' && strchr("0123456789+-.eE", text.data[len]))
        len++;
    return len;
}

// What only looks like a number stays as it is, for the library to refuse.
static void copy_number(struct copier *copier) {
    size_t len = measure_number(copier->rest);
    if (!protojson_number_is_one(bytes_of(copier->rest.data, len))) {
        copy(copier, len);
        return;
    }
    protojson_sink_put(&copier->sink, BYTES_LITERAL("\"\\u0000"));
    copy(copier, len);
    protojson_sink_put_byte(&copier->sink, '"');
}

static bool is_too_large(const struct copier *copier) {
    return copier->depth > PROTOJSON_TEXT_DEPTH_MAX || copier->values > PROTOJSON_VALUES_MAX;
}

static enum status copy_text(struct copier *copier) {
    while (copier->rest.len > 0 && !is_too_large(copier)) {
        uint8_t byte = copier->rest.data[0];
        copier->depth += byte == '{' || byte == '[';
        copier->depth -= copier->depth > 0 && (byte == '}' || byte == ']');
        copier->values += byte == '{' || byte == '[' || byte == ',';
        if (byte == '"' && !copy_string(copier))
            return STATUS_MALFORMED;
        if (byte == '-' || (byte >= '0' && byte <= '9'))
            copy_number(copier);
        else if (byte != '"')
            copy(copier, 1);
    }
    return is_too_large(copier) ? STATUS_TOO_LARGE : STATUS_OK;
}

static const char *get_text_of(const struct copier *copier, enum status status) {
    if (status == STATUS_MALFORMED)
        return "a text in it holds a NUL (\\u0000), which no text here may";
    return copier->depth > PROTOJSON_TEXT_DEPTH_MAX ? "it is nested too deeply" : "it has too many values";
}

static enum status mark_numbers(struct bytes text, struct arena *arena, struct bytes *ret_marked,
                                const char **ret_text) {
    struct copier measure = {.rest = text}, write = {.rest = text};
    enum status status = copy_text(&measure);
    if (status != STATUS_OK) {
        *ret_text = get_text_of(&measure, status);
        return status;
    }
    write.sink.to = arena_allocate(arena, measure.sink.len);
    if (!write.sink.to)
        return STATUS_NO_MEMORY;
    status = copy_text(&write);
    *ret_marked = bytes_of(write.sink.to, write.sink.len);
    return status;
}

static const char *describe(const json_error_t *error) {
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input: return "it ends too early";
    case json_error_end_of_input_expected: return "there is more behind its end";
    case json_error_invalid_utf8: return "it is not UTF-8";
    case json_error_duplicate_key: return "a name is there twice";
    case json_error_null_byte_in_key: return "a name holds a NUL";
    default: return NOT_JSON;
    }
}

// The library is asked again about the text as it came, whose places mean something to its sender.
static const char *explain(struct bytes text, struct arena *arena) {
    json_t *tree = NULL;
    json_error_t error = {.line = -1};
    enum status status = json_heap_load(text, JSON_REJECT_DUPLICATES, &error, &tree);
    json_decref(tree);
    const char *sentence = describe(&error);
    if (status == STATUS_MALFORMED && error.line > 0)
        sentence = arena_format(arena, "line %d, column %d: %s", error.line, error.column, sentence);
    return sentence ? sentence : NOT_JSON;
}

enum status protojson_text_load(struct bytes text, struct arena *arena, json_t **ret_tree,
                                const char **ret_text) {
    struct bytes marked;
    json_error_t error;
    enum status status = mark_numbers(text, arena, &marked, ret_text);
    if (status == STATUS_OK) {
        status = json_heap_load(marked, JSON_REJECT_DUPLICATES, &error, ret_tree);
        if (status == STATUS_MALFORMED)
            *ret_text = explain(text, arena);
    }
    return status;
}

const char *protojson_text_find_number(const json_t *value) {
    bool is_number = json_string_length(value) > 0 && json_string_value(value)[0] == '\0';
    return is_number ? json_string_value(value) + 1 : NULL;
}

bool protojson_text_is_string(const json_t *value) {
    return json_is_string(value) && !protojson_text_find_number(value);
}
