#include "common/protobuf/wire_reader.h"

enum { NUMBER_BYTES_MAX = 10, TAG_BYTES_MAX = 5, LENGTH_BYTES_MAX = 5 };

#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)

static uint64_t read_varint(struct wire_reader *reader, unsigned bytes_max) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_max && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

static struct bytes take(struct wire_reader *reader, uint64_t len) {
    if (reader->failed || len > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return BYTES_EMPTY;
    }
    struct bytes taken = bytes_of(reader->at, (size_t)len);
    reader->at += len;
    return taken;
}

bool wire_reader_next(struct wire_reader *reader, struct wire_field *ret_field) {
    if (reader->failed || reader->at == reader->end)
        return false;
    uint64_t tag = read_varint(reader, TAG_BYTES_MAX);
    *ret_field = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
    reader->failed |= tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX;
    switch (ret_field->type) {
    case WIRE_VARINT: ret_field->value = read_varint(reader, NUMBER_BYTES_MAX); break;
    case WIRE_64BIT: (void)take(reader, 8); break;
    case WIRE_LENGTH: ret_field->bytes = take(reader, read_varint(reader, LENGTH_BYTES_MAX)); break;
    case WIRE_32BIT: (void)take(reader, 4); break;
    default: reader->failed = true;
    }
    return !reader->failed;
}
