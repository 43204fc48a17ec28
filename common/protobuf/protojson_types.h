// Inside of protojson: which type an Any holds.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TYPES_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_TYPES_H

#include <protobuf-c/protobuf-c.h>

struct protojson_types;

// By "type.googleapis.com/latchkey.v1.AccessToken", whatever stands before the last slash. NULL: none of that
// name, or `types` is NULL.
const ProtobufCMessageDescriptor *protojson_types_find_url(const struct protojson_types *types,
                                                           const char *url);

#endif
