#include "common/openid/openid_json.h"

const char *openid_json_find_text(const json_t *object, const char *name, size_t max) {
    const json_t *value = json_object_get(object, name);
    size_t len = json_string_length(value);
    const char *text = json_string_value(value);
    if (!text || len > max)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return NULL;
    return text;
}
