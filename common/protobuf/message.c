#include "common/protobuf/message.h"

#include "common/protobuf/scan.h"

static void *allocate(void *arena, size_t size) {
    return arena_allocate(arena, size);
}

// The arena frees all at once.
static void free_nothing(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

static enum status status_of_scan(enum scan_result result) {
    switch (result) {
    case SCAN_OK: return STATUS_OK;
    case SCAN_TOO_DEEP:
    case SCAN_TOO_MANY_FIELDS: return STATUS_TOO_LARGE;
    default: return STATUS_MALFORMED;
    }
}

enum status message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes from,
                           struct arena *arena, ProtobufCMessage **ret_message, const char **ret_text) {
    enum scan_result result = scan_message(descriptor, from);
    if (result != SCAN_OK) {
        *ret_text = scan_result_get_text(result);
        return status_of_scan(result);
    }
    ProtobufCAllocator allocator = {allocate, free_nothing, arena};
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, from.len, from.data);
    if (!message) {
        *ret_text = "the message needs more memory than a request may take";
        return STATUS_TOO_LARGE;
    }
    *ret_message = message;
    return STATUS_OK;
}

struct bytes message_pack(const ProtobufCMessage *message, size_t headroom, struct arena *arena) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *memory = arena_allocate(arena, headroom + size);
    if (!memory)
        return BYTES_EMPTY;
    protobuf_c_message_pack(message, memory + headroom);
    return bytes_of(memory, headroom + size);
}
