#include "common/mail/mime.h"

#include <stdbool.h>

#define EOL "\r\n"
#define WORD_BEGIN "=?UTF-8?Q?"
#define WORD_END "?="

enum {
    LINE_MAX_LENGTH = 76,
    WORD_MAX_LENGTH = 75,
    WORD_CONTENT_MAX = WORD_MAX_LENGTH - (int)sizeof(WORD_BEGIN WORD_END) + 1,
    ESCAPE_LENGTH = 3, // =E2
    QUOTED_MAX = 30,   // bytes of a phrase, each of which may have to be escaped, behind a short name
};

static void append_escaped(struct buffer *to, uint8_t byte) {
    buffer_append_format(to, "=%02X", byte);
}

// ---- headers ----

static bool is_control(uint8_t byte) {
    return byte < ' ' || byte == 0x7f;
}

static bool is_plain(struct bytes text, size_t length_max) {
    if (text.len > length_max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.data[i]) || text.data[i] > 0x7f)
            return false;
        else if (text.data[i] == '=' && i + 1 < text.len && text.data[i + 1] == '?')
            return false; // would be read as an encoded word
    return true;
}

// What may stand in an encoded word without an escape, also within a phrase.
static bool is_word_byte(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '/';
}

static size_t measure_word_bytes(struct bytes text) {
    size_t length = 0;
    for (size_t i = 0; i < text.len; i++)
        length +=
            is_word_byte(text.data[i]) || text.data[i] == ' ' || is_control(text.data[i]) ? 1 : ESCAPE_LENGTH;
    return length;
}

static void append_word_bytes(struct buffer *to, struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (is_word_byte(text.data[i]))
            buffer_append_byte(to, text.data[i]);
        else if (text.data[i] == ' ' || is_control(text.data[i]))
            buffer_append_byte(to, '_'); // a space
        else
            append_escaped(to, text.data[i]);
}

// As many words as it takes, each but the first on a line of its own; none cuts a character in two. `filled`
// is what stands on the present line.
static void append_encoded_words(struct buffer *to, struct bytes text, size_t filled) {
    buffer_append_text(to, " " WORD_BEGIN);
    while (text.len > 0) {
        size_t size = bytes_measure_code_point(text);
        struct bytes character = bytes_of(text.data, size ? size : 1);
        size_t length = measure_word_bytes(character);
        if (filled + length > WORD_CONTENT_MAX) {
            buffer_append_text(to, WORD_END EOL " " WORD_BEGIN);
            filled = 0;
        }
        append_word_bytes(to, character);
        filled += length;
        text = bytes_of(text.data + character.len, text.len - character.len);
    }
    buffer_append_text(to, WORD_END);
}

void mime_append_text_header(struct buffer *to, const char *name, struct bytes text) {
    buffer_append_format(to, "%s:", name);
    size_t taken = strlen(name) + sizeof(": ") - 1;
    if (is_plain(text, taken < LINE_MAX_LENGTH ? LINE_MAX_LENGTH - taken : 0))
        buffer_append_format(to, " %.*s", BYTES_FORMAT(text));
    else
        append_encoded_words(to, text, strlen(name) + 1);
    buffer_append_text(to, EOL);
}

static void append_quoted(struct buffer *to, struct bytes text) {
    buffer_append_text(to, " \"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buffer_append_byte(to, '\\');
        buffer_append_byte(to, text.data[i]);
    }
    buffer_append_byte(to, '"');
}

void mime_append_address_header(struct buffer *to, const char *name, struct bytes phrase,
                                const char *address) {
    buffer_append_format(to, "%s:", name);
    if (phrase.len == 0) {
        buffer_append_format(to, " %s" EOL, address);
        return;
    }
    if (is_plain(phrase, QUOTED_MAX))
        append_quoted(to, phrase);
    else
        append_encoded_words(to, phrase, strlen(name) + 1);
    buffer_append_format(to, EOL " <%s>" EOL, address);
}

// ---- bodies ----

// A space at the end of a line might be lost on the way.
static bool needs_escape(uint8_t byte, bool is_last) {
    if (byte == ' ' || byte == '\t')
        return is_last;
    return byte < ' ' || byte > '~' || byte == '=';
}

static void append_line(struct buffer *to, struct bytes line) {
    size_t filled = 0;
    for (size_t i = 0; i < line.len; i++) {
        bool is_last = i + 1 == line.len, is_escaped = needs_escape(line.data[i], is_last);
        size_t length = is_escaped ? ESCAPE_LENGTH : 1;
        if (filled + length + !is_last > LINE_MAX_LENGTH) { // room for the = of a soft break
            buffer_append_text(to, "=" EOL);
            filled = 0;
        }
        if (is_escaped)
            append_escaped(to, line.data[i]);
        else
            buffer_append_byte(to, line.data[i]);
        filled += length;
    }
    buffer_append_text(to, EOL);
}

void mime_append_quoted_printable(struct buffer *to, struct bytes text) {
    while (text.len > 0) {
        struct bytes line = bytes_split(&text, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        append_line(to, line);
    }
}
