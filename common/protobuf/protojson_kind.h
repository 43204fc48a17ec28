// Which of protobuf's own types have a JSON of their own, and of what kind it is.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_KIND_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_KIND_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

enum protojson_kind {
    PROTOJSON_PLAIN,      // an object of its fields
    PROTOJSON_ONE_FIELD,  // as the only field that it has: Struct, ListValue and the wrappers
    PROTOJSON_VALUE,      // any JSON
    PROTOJSON_TIME,       // "2027-01-31T18:00:00Z"
    PROTOJSON_DURATION,   // "1.5s"
    PROTOJSON_FIELD_MASK, // "label,accessToken.expiresAt"
    PROTOJSON_ANY,        // an object that names its type
};

enum protojson_kind protojson_kind_of(const ProtobufCMessageDescriptor *type);

// Whether null is a value of the field and does not leave it unset: google.protobuf.Value and NullValue.
bool protojson_kind_takes_null(const ProtobufCFieldDescriptor *field);

// google.protobuf.NullValue, whose one value is written as null.
bool protojson_kind_is_null(const ProtobufCFieldDescriptor *field);

#endif
