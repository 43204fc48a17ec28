#include "common/protobuf/message_json.h"

#include "common/protobuf/json_heap.h"
#include "common/protobuf/protojson.h"

json_t *message_json_new(const ProtobufCMessage *message, struct arena *arena) {
    static const struct protojson_options options = {
        .declared_names = true, .plain_integers = true, .empty_fields = true, .opaque_any = true};
    struct bytes text;
    json_error_t ignored;
    json_t *json;
    if (protojson_pack(message, &options, 0, arena, &text) != STATUS_OK)
        return NULL;
    return json_heap_load(text, 0, &ignored, &json) == STATUS_OK ? json : NULL;
}
