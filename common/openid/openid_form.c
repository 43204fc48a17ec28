#include "common/openid/openid_form.h"

static bool is_plain(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void openid_form_append_encoded(struct buffer *text, struct bytes value) {
    for (size_t i = 0; i < value.len; i++) {
        if (is_plain(value.data[i]))
            buffer_append_byte(text, value.data[i]);
        else
            buffer_append_format(text, "%%%02X", value.data[i]);
    }
}

void openid_form_append(struct buffer *text, char separator, const char *name, struct bytes value) {
    if (separator)
        buffer_append_byte(text, (uint8_t)separator);
    buffer_append_text(text, name);
    buffer_append_byte(text, '=');
    openid_form_append_encoded(text, value);
}
