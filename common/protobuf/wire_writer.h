// Serializes a protobuf message from its end to its beginning: when a length is to be written, what it counts
// is there already, so that nothing is measured beforehand however deep messages are nested. Fields are
// therefore written in the reverse of the order in which they shall stand, and those of a nested message
// before its head:
//
//     struct wire_mark inner = wire_writer_mark(&writer);
//     wire_writer_text(&writer, 2, value);
//     wire_writer_text(&writer, 1, key);
//     wire_writer_wrap(&writer, 5, inner);
#ifndef LATCHKEY_COMMON_PROTOBUF_WIRE_WRITER_H
#define LATCHKEY_COMMON_PROTOBUF_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

struct wire_writer {
    uint8_t *begin, *at, *end;
    bool failed; // sticky: the room ran out
};

// Where a nested message ends.
struct wire_mark {
    size_t written;
};

// Borrows `room`, which what is written fills from its end.
static inline struct wire_writer wire_writer_of(uint8_t *room, size_t size) {
    return (struct wire_writer){.begin = room, .at = room + size, .end = room + size};
}

// A field that has its default value is left out, as proto3 wants it.
void wire_writer_number(struct wire_writer *writer, uint32_t field, uint64_t value);
void wire_writer_fixed64(struct wire_writer *writer, uint32_t field, uint64_t value);
void wire_writer_text(struct wire_writer *writer, uint32_t field, struct bytes text);

// One element of a packed field, whatever its value; wire_writer_wrap() makes the field of them.
void wire_writer_packed_fixed64(struct wire_writer *writer, uint64_t value);

struct wire_mark wire_writer_mark(const struct wire_writer *writer);

// The head of the message that everything since `mark` is, also of an empty one.
void wire_writer_wrap(struct wire_writer *writer, uint32_t field, struct wire_mark mark);

// The head of a field of so many bytes, which stand elsewhere.
void wire_writer_head(struct wire_writer *writer, uint32_t field, size_t len);

// What is written so far; data NULL if it has failed.
struct bytes wire_writer_get(const struct wire_writer *writer);

#endif
