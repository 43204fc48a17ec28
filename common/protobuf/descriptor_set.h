// The contract and all that it imports, as a serialized google.protobuf.FileDescriptorSet without source
// information.
#ifndef LATCHKEY_COMMON_PROTOBUF_DESCRIPTOR_SET_H
#define LATCHKEY_COMMON_PROTOBUF_DESCRIPTOR_SET_H

#include <stdint.h>

#include "common/base/bytes.h"

extern const uint8_t descriptor_set_begin[], descriptor_set_end[]; // descriptor_set.S

static inline struct bytes descriptor_set_get(void) {
    return bytes_of(descriptor_set_begin, (size_t)(descriptor_set_end - descriptor_set_begin));
}

#endif
