// Messages as JSON for programs: protobuf's JSON mapping with the contract's own field names (snake_case),
// enums by name, times as RFC 3339, durations as "1.5s", 64-bit integers as numbers, bytes as base64. Unset
// messages and members of oneofs are left out; everything else is there, also when it is empty.
#ifndef LATCHKEY_COMMON_GRPC_MESSAGE_JSON_H
#define LATCHKEY_COMMON_GRPC_MESSAGE_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"

// Returns owned, or NULL when out of memory. `arena` is for passing things.
MUST_CHECK json_t *message_json_new(const ProtobufCMessage *message, struct arena *arena);

// Whether a message field is a map: its keys are the caller's, not the contract's.
bool message_json_is_map(const ProtobufCFieldDescriptor *field);

#endif
