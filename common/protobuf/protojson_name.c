#include "common/protobuf/protojson_name.h"

static bool is_small(uint8_t byte) {
    return byte >= 'a' && byte <= 'z';
}

static bool is_capital(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z';
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static char to_capital(char letter) {
    return is_small((uint8_t)letter) ? (char)(letter - 'a' + 'A') : letter;
}

// The next letter of the camelCase name; 0 at its end.
static char next_camel(const char **declared) {
    bool is_first_of_word = false;
    while (**declared == '_') {
        is_first_of_word = true;
        ++*declared;
    }
    if (!**declared)
        return 0;
    char letter = *(*declared)++;
    return is_first_of_word ? to_capital(letter) : letter;
}

bool protojson_name_is_camel_of(const char *key, const char *declared) {
    for (;; key++) {
        char letter = next_camel(&declared);
        if (*key != letter)
            return false;
        if (!letter)
            return true;
    }
}

void protojson_name_put_camel(struct protojson_sink *sink, const char *declared) {
    for (char letter; (letter = next_camel(&declared)) != 0;)
        protojson_sink_put_byte(sink, letter);
}

char *protojson_name_to_camel(struct arena *arena, const char *declared) {
    char *name = arena_copy_text(arena, declared);
    if (!name)
        return NULL;
    struct protojson_sink sink = {.to = (uint8_t *)name};
    protojson_name_put_camel(&sink, declared);
    name[sink.len] = '\0';
    return name;
}

bool protojson_name_put_camel_path(struct protojson_sink *sink, struct bytes path) {
    bool is_at_start = true; // of a name
    for (size_t i = 0; i < path.len; i++) {
        bool is_first_of_word = path.data[i] == '_';
        if (is_first_of_word && (++i == path.len || !is_small(path.data[i])))
            return false;
        uint8_t byte = path.data[i];
        if (!is_small(byte) && (is_at_start || (!is_digit(byte) && byte != '.')))
            return false;
        protojson_sink_put_byte(sink, is_first_of_word ? to_capital((char)byte) : (char)byte);
        is_at_start = byte == '.';
    }
    return !is_at_start;
}

bool protojson_name_put_snake_path(struct protojson_sink *sink, struct bytes path) {
    bool is_at_start = true; // of a name
    for (size_t i = 0; i < path.len; i++) {
        uint8_t byte = path.data[i];
        bool is_letter = is_small(byte) || is_capital(byte);
        if (!is_letter && (is_at_start || (!is_digit(byte) && byte != '.')))
            return false;
        if (is_capital(byte))
            protojson_sink_put_byte(sink, '_');
        protojson_sink_put_byte(sink, (char)(is_capital(byte) ? byte - 'A' + 'a' : byte));
        is_at_start = byte == '.';
    }
    return !is_at_start;
}
