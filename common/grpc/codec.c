#include "common/grpc/codec.h"

#include "common/protobuf/message.h"

enum status codec_unpack(enum codec codec, const ProtobufCMessageDescriptor *descriptor, struct bytes from,
                         const struct protojson_options *json, struct arena *arena,
                         ProtobufCMessage **ret_message, const char **ret_text) {
    if (codec == CODEC_JSON)
        return protojson_unpack(descriptor, from, json, arena, ret_message, ret_text);
    return message_unpack(descriptor, from, arena, ret_message, ret_text);
}

enum status codec_pack(enum codec codec, const ProtobufCMessage *message,
                       const struct protojson_options *json, struct arena *arena, struct bytes *ret_bytes) {
    if (codec == CODEC_JSON)
        return protojson_pack(message, json, 0, arena, ret_bytes);
    struct bytes packed = message_pack(message, 0, arena);
    if (!packed.data)
        return STATUS_NO_MEMORY;
    *ret_bytes = packed;
    return STATUS_OK;
}

enum status codec_to_wire(const ProtobufCMessageDescriptor *descriptor, struct bytes text,
                          const struct protojson_options *json, struct arena *arena, struct bytes *ret_wire,
                          const char **ret_text) {
    ProtobufCMessage *message;
    enum status status = protojson_unpack(descriptor, text, json, arena, &message, ret_text);
    if (status != STATUS_OK)
        return status;
    *ret_text = status_get_text(STATUS_NO_MEMORY);
    return codec_pack(CODEC_PROTO, message, json, arena, ret_wire);
}

enum status codec_from_wire(const ProtobufCMessageDescriptor *descriptor, struct bytes wire,
                            const struct protojson_options *json, struct arena *arena,
                            struct bytes *ret_text) {
    ProtobufCMessage *message;
    const char *text;
    enum status status = message_unpack(descriptor, wire, arena, &message, &text);
    return status == STATUS_OK ? protojson_pack(message, json, 0, arena, ret_text) : status;
}
