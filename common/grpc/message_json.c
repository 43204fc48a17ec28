#include "common/grpc/message_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/time_text.h"
#include "common/grpc/base64.h"
#include "common/grpc/field.h"

#define MS_PER_SECOND 1000

static bool is_type(const ProtobufCMessageDescriptor *descriptor, const char *name) {
    return strcmp(descriptor->name, name) == 0;
}

static json_t *time_to_json(const ProtobufCMessage *time) {
    char text[TIME_TEXT_MAX + 1];
    time_text_format(field_get_integer(time, "seconds") * MS_PER_SECOND +
                         field_get_integer(time, "nanos") / 1000000,
                     text);
    return json_string(text);
}

static json_t *duration_to_json(const ProtobufCMessage *duration) {
    int64_t seconds = field_get_integer(duration, "seconds"), nanos = field_get_integer(duration, "nanos");
    if (nanos == 0)
        return json_sprintf("%" PRId64 "s", seconds);
    return json_sprintf("%s%lld.%09llds", seconds < 0 || nanos < 0 ? "-" : "", llabs(seconds), llabs(nanos));
}

static json_t *bytes_to_json(struct bytes bytes, struct arena *arena) {
    struct bytes text = base64_encode(arena, bytes);
    return text.data ? json_stringn((const char *)text.data, text.len) : NULL;
}

// map<string, ...> is a list of such pairs on the wire, and an object in JSON.
bool message_json_is_map(const ProtobufCFieldDescriptor *field) {
    const ProtobufCMessageDescriptor *pair = field->descriptor;
    size_t len = strlen(pair->name);
    return pair->n_fields == 2 && len > 5 && strcmp(pair->name + len - 5, "Entry") == 0 &&
           strcmp(pair->fields[0].name, "key") == 0 && strcmp(pair->fields[1].name, "value") == 0;
}

static json_t *value_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             struct arena *arena) {
    const char *name = field->name;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: return json_string(field_get_text(message, name));
    case PROTOBUF_C_TYPE_ENUM: return json_string(field_get_enum_name(message, name));
    case PROTOBUF_C_TYPE_BOOL: return json_boolean(field_get_integer(message, name));
    case PROTOBUF_C_TYPE_BYTES: return bytes_to_json(field_get_bytes(message, name), arena);
    case PROTOBUF_C_TYPE_MESSAGE: return message_json_new(field_find_message(message, name), arena);
    default: return json_integer(field_get_integer(message, name));
    }
}

static json_t *element_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                               size_t index, struct arena *arena) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: return json_string(field_get_text_at(message, field->name, index));
    case PROTOBUF_C_TYPE_ENUM: return json_string(field_get_enum_name_at(message, field->name, index));
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_json_new(field_get_message_at(message, field->name, index), arena);
    default: assert(!"the contract has lists of texts, enums and messages only"); return NULL;
    }
}

static json_t *list_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                            struct arena *arena) {
    json_t *list = json_array();
    for (size_t i = 0; i < field_get_count(message, field->name); i++) {
        if (json_array_append_new(list, element_to_json(message, field, i, arena)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *map_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                           struct arena *arena) {
    const ProtobufCMessageDescriptor *type = field->descriptor;
    json_t *object = json_object();
    for (size_t i = 0; i < field_get_count(message, field->name); i++) {
        const ProtobufCMessage *pair = field_get_message_at(message, field->name, i);
        if (json_object_set_new(object, field_get_text(pair, "key"),
                                value_to_json(pair, &type->fields[1], arena)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *field_to_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             struct arena *arena) {
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return value_to_json(message, field, arena);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && message_json_is_map(field))
        return map_to_json(message, field, arena);
    return list_to_json(message, field, arena);
}

static bool is_left_out(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return false;
    bool has_presence =
        field->type == PROTOBUF_C_TYPE_MESSAGE || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF);
    return has_presence && !field_is_set(message, field->name);
}

json_t *message_json_new(const ProtobufCMessage *message, struct arena *arena) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    if (is_type(type, "google.protobuf.Timestamp"))
        return time_to_json(message);
    if (is_type(type, "google.protobuf.Duration"))
        return duration_to_json(message);
    json_t *object = json_object();
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (is_left_out(message, field))
            continue;
        if (json_object_set_new(object, field->name, field_to_json(message, field, arena)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
