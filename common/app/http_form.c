#include "common/app/http_form.h"

static int read_digit(uint8_t character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

// The byte that stands at `*at`, which moves past it; -1 if there is none.
static int read_byte(struct bytes text, size_t *at) {
    uint8_t character = text.data[(*at)++];
    if (character == '+')
        return ' ';
    if (character != '%')
        return character;
    if (text.len - *at < 2)
        return -1;
    int high = read_digit(text.data[*at]), low = read_digit(text.data[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

enum status http_form_decode(struct bytes text, struct arena *arena, struct bytes *ret_text) {
    uint8_t *decoded = arena_allocate(arena, text.len + 1);
    if (!decoded)
        return STATUS_NO_MEMORY;
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        int byte = read_byte(text, &at);
        if (byte <= 0)
            return STATUS_MALFORMED;
        decoded[len++] = (uint8_t)byte;
    }
    decoded[len] = '\0';
    if (!bytes_is_utf8(bytes_of(decoded, len)))
        return STATUS_MALFORMED;
    *ret_text = bytes_of(decoded, len);
    return STATUS_OK;
}

static size_t count_fields(struct bytes text) {
    size_t count = 0;
    while (text.data)
        count += bytes_split(&text, '&').len > 0;
    return count;
}

static enum status parse_field(struct bytes text, struct arena *arena, struct http_form_field *field) {
    struct bytes value = text;
    struct bytes name = bytes_split(&value, '=');
    enum status status = http_form_decode(name, arena, &field->name);
    return status == STATUS_OK ? http_form_decode(value, arena, &field->value) : status;
}

enum status http_form_parse(struct bytes text, struct arena *arena, struct http_form *ret_form) {
    size_t room = count_fields(text), count = 0;
    if (room > HTTP_FORM_FIELDS_MAX)
        return STATUS_TOO_LARGE;
    struct http_form_field *fields = ARENA_NEW_ARRAY(arena, struct http_form_field, room);
    if (!fields)
        return STATUS_NO_MEMORY;
    while (text.data) {
        struct bytes part = bytes_split(&text, '&');
        enum status status = part.len > 0 ? parse_field(part, arena, &fields[count++]) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    *ret_form = (struct http_form){fields, count};
    return STATUS_OK;
}
