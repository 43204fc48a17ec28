#include "common/openid/openid_json.h"

#include "common/protobuf/json_heap.h"

json_t *openid_json_read(struct bytes text) {
    json_error_t ignored;
    json_t *json;
    if (json_heap_load(text, JSON_REJECT_DUPLICATES, &ignored, &json) != STATUS_OK)
        return NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

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
