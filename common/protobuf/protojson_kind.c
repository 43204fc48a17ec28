#include "common/protobuf/protojson_kind.h"

#include <string.h>

#include "common/base/compiler.h"

#define PACKAGE "google.protobuf."

static const struct {
    const char *name;
    enum protojson_kind kind;
} types[] = {
    {"Any", PROTOJSON_ANY},
    {"BoolValue", PROTOJSON_ONE_FIELD},
    {"BytesValue", PROTOJSON_ONE_FIELD},
    {"DoubleValue", PROTOJSON_ONE_FIELD},
    {"Duration", PROTOJSON_DURATION},
    {"FieldMask", PROTOJSON_FIELD_MASK},
    {"FloatValue", PROTOJSON_ONE_FIELD},
    {"Int32Value", PROTOJSON_ONE_FIELD},
    {"Int64Value", PROTOJSON_ONE_FIELD},
    {"ListValue", PROTOJSON_ONE_FIELD},
    {"StringValue", PROTOJSON_ONE_FIELD},
    {"Struct", PROTOJSON_ONE_FIELD},
    {"Timestamp", PROTOJSON_TIME},
    {"UInt32Value", PROTOJSON_ONE_FIELD},
    {"UInt64Value", PROTOJSON_ONE_FIELD},
    {"Value", PROTOJSON_VALUE},
};

enum protojson_kind protojson_kind_of(const ProtobufCMessageDescriptor *type) {
    if (strncmp(type->name, PACKAGE, strlen(PACKAGE)) != 0)
        return PROTOJSON_PLAIN;
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (strcmp(type->name + strlen(PACKAGE), types[i].name) == 0)
            return types[i].kind;
    return PROTOJSON_PLAIN;
}

bool protojson_kind_is_null(const ProtobufCFieldDescriptor *field) {
    if (field->type != PROTOBUF_C_TYPE_ENUM)
        return false;
    const ProtobufCEnumDescriptor *type = field->descriptor;
    return strcmp(type->name, PACKAGE "NullValue") == 0;
}

bool protojson_kind_takes_null(const ProtobufCFieldDescriptor *field) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return protojson_kind_of(field->descriptor) == PROTOJSON_VALUE;
    return protojson_kind_is_null(field);
}
