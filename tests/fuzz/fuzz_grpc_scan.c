// Any bytes as a message of a type with every kind of field: what the scan lets pass unpacks, and packs and
// unpacks again to the same bytes. The first byte chooses the type.
#include <assert.h>

#include "common/protobuf/message.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const ProtobufCMessageDescriptor *const types[] = {
    &google__protobuf__file_descriptor_proto__descriptor,
    &google__rpc__status__descriptor,
    &google__rpc__error_info__descriptor,
    &google__protobuf__uninterpreted_option__descriptor,
    &google__protobuf__double_value__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const ProtobufCMessageDescriptor *type = types[data[0] % ARRAY_LENGTH(types)];
    struct arena arena;
    ProtobufCMessage *first, *second;
    const char *text = NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status status = message_unpack(type, bytes_of(data + 1, size - 1), &arena, &first, &text);
    if (status == STATUS_OK) {
        struct bytes packed = message_pack(first, 0, &arena);
        status = message_unpack(type, packed, &arena, &second, &text);
        assert(status == STATUS_OK);
        assert(bytes_is_equal(message_pack(second, 0, &arena), packed));
    } else {
        assert(text);
    }
    arena_fini(&arena);
    return 0;
}
