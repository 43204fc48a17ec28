#include "services/console/console_json.h"

#include <stdbool.h>
#include <string.h>

const char *console_json_find_text(const json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    bool is_text = json_is_string(text) && strlen(json_string_value(text)) == json_string_length(text);
    return is_text ? json_string_value(text) : "";
}
