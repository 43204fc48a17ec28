// Messages as JSON for programs, as a tree to work on: ProtoJSON with the contract's own field names
// (snake_case), 64-bit integers as numbers, everything that is not a message or in a oneof also where it is
// empty, and an Any, whatever it holds, as a type_url and bytes.
#ifndef LATCHKEY_COMMON_PROTOBUF_MESSAGE_JSON_H
#define LATCHKEY_COMMON_PROTOBUF_MESSAGE_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"

// Returns owned, or NULL when out of memory. `arena` is for passing things. Messages of the contract have no
// value without a JSON.
MUST_CHECK json_t *message_json_new(const ProtobufCMessage *message, struct arena *arena);

#endif
