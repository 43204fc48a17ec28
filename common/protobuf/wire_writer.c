#include "common/protobuf/wire_writer.h"

#include <endian.h>
#include <string.h>

#include "common/protobuf/wire_reader.h"

enum { VARINT_BYTES_MAX = 10 };

static void write(struct wire_writer *writer, const void *data, size_t len) {
    if (len > (size_t)(writer->at - writer->begin)) {
        writer->failed = true;
        return;
    }
    writer->at -= len;
    if (len > 0)
        memcpy(writer->at, data, len);
}

static void write_varint(struct wire_writer *writer, uint64_t value) {
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    write(writer, bytes, len);
}

static void write_tag(struct wire_writer *writer, uint32_t field, enum wire_type type) {
    write_varint(writer, (uint64_t)field << 3 | type);
}

void wire_writer_number(struct wire_writer *writer, uint32_t field, uint64_t value) {
    if (value == 0)
        return;
    write_varint(writer, value);
    write_tag(writer, field, WIRE_VARINT);
}

void wire_writer_packed_fixed64(struct wire_writer *writer, uint64_t value) {
    uint64_t little = htole64(value);
    write(writer, &little, sizeof(little));
}

void wire_writer_fixed64(struct wire_writer *writer, uint32_t field, uint64_t value) {
    if (value == 0)
        return;
    wire_writer_packed_fixed64(writer, value);
    write_tag(writer, field, WIRE_64BIT);
}

void wire_writer_text(struct wire_writer *writer, uint32_t field, struct bytes text) {
    if (text.len == 0)
        return;
    struct wire_mark mark = wire_writer_mark(writer);
    write(writer, text.data, text.len);
    wire_writer_wrap(writer, field, mark);
}

struct wire_mark wire_writer_mark(const struct wire_writer *writer) {
    return (struct wire_mark){(size_t)(writer->end - writer->at)};
}

void wire_writer_head(struct wire_writer *writer, uint32_t field, size_t len) {
    write_varint(writer, len);
    write_tag(writer, field, WIRE_LENGTH);
}

void wire_writer_wrap(struct wire_writer *writer, uint32_t field, struct wire_mark mark) {
    wire_writer_head(writer, field, wire_writer_mark(writer).written - mark.written);
}

struct bytes wire_writer_get(const struct wire_writer *writer) {
    return writer->failed ? BYTES_EMPTY : bytes_of(writer->at, (size_t)(writer->end - writer->at));
}
