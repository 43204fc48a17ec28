// What messages are encoded in: protobuf's own wire format, or JSON. Handlers know messages, or bytes of the
// wire format; JSON is translated on its way in and out.
#ifndef LATCHKEY_COMMON_GRPC_CODEC_H
#define LATCHKEY_COMMON_GRPC_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/content_type.h"
#include "common/protobuf/protojson.h"

// See message_unpack(). `*ret_text` is static or lives in `arena`.
MUST_CHECK enum status codec_unpack(enum codec codec, const ProtobufCMessageDescriptor *descriptor,
                                    struct bytes from, const struct protojson_options *json,
                                    struct arena *arena, ProtobufCMessage **ret_message,
                                    const char **ret_text);

// NO_MEMORY; MALFORMED: a value that JSON has no form for.
MUST_CHECK enum status codec_pack(enum codec codec, const ProtobufCMessage *message,
                                  const struct protojson_options *json, struct arena *arena,
                                  struct bytes *ret_bytes);

// From JSON to the wire format, for handlers with a decoder of their own; errors are codec_unpack()'s and
// NO_MEMORY.
MUST_CHECK enum status codec_to_wire(const ProtobufCMessageDescriptor *descriptor, struct bytes text,
                                     const struct protojson_options *json, struct arena *arena,
                                     struct bytes *ret_wire, const char **ret_text);

// And back. MALFORMED: `wire` is not a message of that type.
MUST_CHECK enum status codec_from_wire(const ProtobufCMessageDescriptor *descriptor, struct bytes wire,
                                       const struct protojson_options *json, struct arena *arena,
                                       struct bytes *ret_text);

#endif
