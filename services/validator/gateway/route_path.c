#include "services/validator/gateway/route_path.h"

#include <string.h>

static int read_digit(uint8_t character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool is_one_of(uint8_t byte, const char *list) {
    return byte != '\0' && strchr(list, byte) != NULL;
}

static bool is_plain(uint8_t byte) {
    return byte > ' ' && byte < 0x7f && !is_one_of(byte, "\\;#%");
}

// The byte behind "%XX" at `at`; -1 if that is none, or one that no server should see there.
static int decode_byte(struct bytes text, size_t at) {
    int high = text.len - at > 2 ? read_digit(text.data[at + 1]) : -1;
    int low = high >= 0 ? read_digit(text.data[at + 2]) : -1;
    if (high < 0 || low < 0)
        return -1;
    int byte = high << 4 | low;
    bool is_cut_at = is_one_of((uint8_t)byte, "/\\;?#%");
    return byte < ' ' || byte == 0x7f || is_cut_at ? -1 : byte;
}

static enum status decode(struct bytes text, struct arena *arena, struct route_segment *ret) {
    uint8_t *to = arena_allocate(arena, text.len);
    size_t len = 0;
    if (!to)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < text.len; i++) {
        int byte = text.data[i];
        if (byte == '%') {
            if ((byte = decode_byte(text, i)) < 0)
                return STATUS_MALFORMED;
            ret->is_disguised |= is_plain((uint8_t)byte);
            i += 2;
        }
        to[len++] = (uint8_t)byte;
    }
    ret->text = bytes_of(to, len);
    return bytes_is_utf8(ret->text) ? STATUS_OK : STATUS_MALFORMED;
}

static bool is_dots(struct bytes text) {
    return bytes_is_text(text, ".") || bytes_is_text(text, "..");
}

static enum status parse_segment(struct bytes text, struct arena *arena, struct route_segment *ret) {
    bool is_encoded = false;
    for (size_t i = 0; i < text.len; i++) {
        is_encoded |= text.data[i] == '%';
        if (text.data[i] != '%' && !is_plain(text.data[i]))
            return STATUS_MALFORMED;
    }
    *ret = (struct route_segment){.text = text};
    enum status status = is_encoded ? decode(text, arena, ret) : STATUS_OK;
    return status == STATUS_OK && (text.len == 0 || is_dots(ret->text)) ? STATUS_MALFORMED : status;
}

enum status route_path_parse(struct bytes target, struct arena *arena, struct route_path *ret) {
    struct bytes path = bytes_split(&target, '?');
    ret->count = 0;
    if (path.len == 0 || path.data[0] != '/')
        return STATUS_MALFORMED;
    path = bytes_of(path.data + 1, path.len - 1);
    while (path.len > 0) {
        struct bytes segment = bytes_split(&path, '/');
        if (ret->count == ROUTE_SEGMENTS_MAX)
            return STATUS_MALFORMED;
        enum status status = parse_segment(segment, arena, &ret->segments[ret->count++]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
