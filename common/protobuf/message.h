// protobuf-c messages in and out of arenas.
#ifndef LATCHKEY_COMMON_PROTOBUF_MESSAGE_H
#define LATCHKEY_COMMON_PROTOBUF_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Scans, then unpacks into `arena`, where the message lives. MALFORMED: not a message of this type;
// TOO_LARGE: too deep, too many fields, or more than the arena holds. `*ret_text` then says what is wrong;
// static storage.
MUST_CHECK enum status message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes from,
                                      struct arena *arena, ProtobufCMessage **ret_message,
                                      const char **ret_text);

// `headroom` bytes are left free in front of the message, inside of what is returned. Data NULL when out of
// memory.
struct bytes message_pack(const ProtobufCMessage *message, size_t headroom, struct arena *arena);

#endif
