// The fields of a serialized protobuf message one after the other, for decoders that know which few they
// want. Borrows from the message; allocates nothing. What a field means, and whether its text is UTF-8, is
// the caller's to judge.
#ifndef LATCHKEY_COMMON_PROTOBUF_WIRE_READER_H
#define LATCHKEY_COMMON_PROTOBUF_WIRE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    struct bytes bytes; // of WIRE_LENGTH
    uint64_t value;     // of WIRE_VARINT; fixed ones are passed over
};

struct wire_reader {
    const uint8_t *at, *end;
    bool failed; // sticky: it is no message
};

static inline struct wire_reader wire_reader_of(struct bytes message) {
    return (struct wire_reader){.at = message.data, .end = message.data + message.len};
}

// False at the end, and when it has failed.
bool wire_reader_next(struct wire_reader *reader, struct wire_field *ret_field);

#endif
