#include "tests/unit/plain_mail.h"

#include <string.h>

enum { LINE_MAX_LENGTH = 78 };

bool plain_mail_is_clean(struct bytes mail) {
    size_t length = 0;
    for (size_t i = 0; i < mail.len; i++) {
        uint8_t byte = mail.data[i];
        if (byte == '\r' && i + 1 < mail.len && mail.data[i + 1] == '\n') {
            i++;
            length = 0;
        } else if (byte > '~' || (byte < ' ' && byte != '\t') || ++length > LINE_MAX_LENGTH) {
            return false;
        }
    }
    return length == 0;
}

static int digit_of(uint8_t byte) {
    const char *digits = "0123456789ABCDEF", *found = byte ? strchr(digits, byte) : NULL;
    return found ? (int)(found - digits) : -1;
}

static struct bytes skip(struct bytes text, size_t len) {
    return bytes_of(text.data + len, text.len - len);
}

static bool is_escape(struct bytes text) {
    return text.len >= 3 && text.data[0] == '=' && digit_of(text.data[1]) >= 0 && digit_of(text.data[2]) >= 0;
}

static uint8_t unescape(struct bytes text) {
    return (uint8_t)(digit_of(text.data[1]) << 4 | digit_of(text.data[2]));
}

// From behind its beginning to behind its end.
static struct bytes decode_word(struct bytes text, struct buffer *to) {
    while (!bytes_has_prefix(text, BYTES_LITERAL("?=")) && text.len > 0)
        if (is_escape(text)) {
            buffer_append_byte(to, unescape(text));
            text = skip(text, 3);
        } else {
            buffer_append_byte(to, text.data[0] == '_' ? ' ' : text.data[0]);
            text = skip(text, 1);
        }
    return text.len >= 2 ? skip(text, 2) : text;
}

// White space between two words is no part of the text (RFC 2047, 6.2).
static void decode_words(struct bytes text, struct buffer *to) {
    const struct bytes begin = BYTES_LITERAL("=?UTF-8?Q?");
    while (text.len > 0) {
        if (!bytes_has_prefix(text, begin)) {
            buffer_append_byte(to, text.data[0]);
            text = skip(text, 1);
            continue;
        }
        text = decode_word(skip(text, begin.len), to);
        if (bytes_has_prefix(text, BYTES_LITERAL(" =?")))
            text = skip(text, 1);
    }
}

bool plain_mail_read_header(struct bytes mail, const char *name, struct buffer *to) {
    struct buffer value = {0};
    size_t found = 0;
    bool is_inside = false;
    while (mail.len > 0) {
        struct bytes line = bytes_split(&mail, '\n');
        line.len -= line.len > 0; // CR
        if (line.len == 0)
            break;
        if (line.data[0] != ' ') {
            is_inside = bytes_has_prefix(line, bytes_of_text(name)) && line.data[strlen(name)] == ':';
            found += is_inside;
            line = is_inside ? skip(line, strlen(name) + 1) : line;
        }
        if (is_inside)
            buffer_append(&value, line);
    }
    struct bytes text = buffer_get_bytes(&value);
    decode_words(text.len > 0 && text.data[0] == ' ' ? skip(text, 1) : text, to);
    buffer_fini(&value);
    return found == 1;
}

void plain_mail_decode(struct bytes body, struct buffer *to) {
    while (body.len > 0)
        if (bytes_has_prefix(body, BYTES_LITERAL("=\r\n"))) {
            body = skip(body, 3);
        } else if (is_escape(body)) {
            buffer_append_byte(to, unescape(body));
            body = skip(body, 3);
        } else {
            if (body.data[0] != '\r')
                buffer_append_byte(to, body.data[0]);
            body = skip(body, 1);
        }
}
