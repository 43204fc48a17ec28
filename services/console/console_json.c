#include "services/console/console_json.h"

#include <string.h>

#include "common/protobuf/json_heap.h"

json_t *console_json_read(struct bytes text) {
    json_error_t ignored;
    json_t *json;
    if (json_heap_load(text, JSON_REJECT_DUPLICATES, &ignored, &json) != STATUS_OK)
        return NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

const char *console_json_find_text(const json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    bool is_text = json_is_string(text) && strlen(json_string_value(text)) == json_string_length(text);
    return is_text ? json_string_value(text) : "";
}
