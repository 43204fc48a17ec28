// Protobuf's wire format, field by field, for decoders written by hand. The error is sticky: after it every
// read gives nothing and the reader is at its end, so that a decoder looks at `status` once. It takes what
// scan.h and protobuf-c take together.
#ifndef LATCHKEY_COMMON_PROTOBUF_WIRE_READER_H
#define LATCHKEY_COMMON_PROTOBUF_WIRE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

// Of the fields 1 to 15, in one byte.
#define WIRE_TAG(field, type) ((uint8_t)((field) << 3 | (type)))

struct wire_reader {
    const uint8_t *at, *end;
    enum status status; // OK or MALFORMED, or what the decoder has set
};

// why not always a sum: an empty message may have no address, and C knows none behind that.
static inline struct wire_reader wire_reader_of(struct bytes message) {
    const uint8_t *end = message.len > 0 ? message.data + message.len : message.data;
    return (struct wire_reader){message.data, end, STATUS_OK};
}

static inline bool wire_reader_has_more(const struct wire_reader *reader) {
    return reader->at < reader->end;
}

// The first error stands.
void wire_reader_fail(struct wire_reader *reader, enum status status);

// One of more than one byte.
uint64_t wire_reader_read_long_varint(struct wire_reader *reader, unsigned bytes_max);

static inline uint64_t wire_reader_read_varint(struct wire_reader *reader, unsigned bytes_max) {
    if (LIKELY(reader->at < reader->end && *reader->at < 0x80))
        return *reader->at++;
    return wire_reader_read_long_varint(reader, bytes_max);
}

static inline uint64_t wire_reader_read_tag(struct wire_reader *reader) {
    return wire_reader_read_varint(reader, 5);
}

static inline uint64_t wire_reader_read_number(struct wire_reader *reader) {
    return wire_reader_read_varint(reader, 10);
}

// Borrow from the message. A text is UTF-8 without NUL.
struct bytes wire_reader_read_bytes(struct wire_reader *reader);
struct bytes wire_reader_read_text(struct wire_reader *reader);

// The value of a field whose tag was just read and is none that the decoder knows; MALFORMED for one with a
// number up to `known_max`, which is then of another type than the contract says.
void wire_reader_skip_unknown(struct wire_reader *reader, uint64_t tag, unsigned known_max);

#endif
