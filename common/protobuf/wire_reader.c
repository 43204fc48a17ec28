#include "common/protobuf/wire_reader.h"

#include <string.h>

enum { LENGTH_BYTES_MAX = 5 };

#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)

void wire_reader_fail(struct wire_reader *reader, enum status status) {
    if (reader->status == STATUS_OK)
        reader->status = status;
    reader->at = reader->end;
}

uint64_t wire_reader_read_long_varint(struct wire_reader *reader, unsigned bytes_max) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_max && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    wire_reader_fail(reader, STATUS_MALFORMED);
    return 0;
}

struct bytes wire_reader_read_bytes(struct wire_reader *reader) {
    uint64_t len = wire_reader_read_varint(reader, LENGTH_BYTES_MAX);
    if (len > (uint64_t)(reader->end - reader->at)) {
        wire_reader_fail(reader, STATUS_MALFORMED);
        return BYTES_EMPTY;
    }
    struct bytes read = bytes_of(reader->at, (size_t)len);
    reader->at += len;
    return read;
}

// Zero if all eight bytes are plain. With no top bit set, a byte borrows into its own top bit exactly if it
// is zero or one before it is.
static uint64_t judge_word(const uint8_t *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return (word | (word - ones)) & ones << 7;
}

// Without NUL and below 0x80. The last eight bytes overlap those before.
static bool is_plain(struct bytes text) {
    uint64_t bad = 0;
    if (text.len < 8) {
        for (size_t i = 0; i < text.len; i++)
            bad |= (uint8_t)(text.data[i] - 1) >= 0x7f;
        return bad == 0;
    }
    for (size_t i = 0; i + 8 < text.len; i += 8)
        bad |= judge_word(text.data + i);
    return (bad | judge_word(text.data + text.len - 8)) == 0;
}

struct bytes wire_reader_read_text(struct wire_reader *reader) {
    struct bytes text = wire_reader_read_bytes(reader);
    if (LIKELY(is_plain(text)))
        return text;
    if (memchr(text.data, '\0', text.len) || !bytes_is_utf8(text))
        wire_reader_fail(reader, STATUS_MALFORMED);
    return text;
}

static void skip(struct wire_reader *reader, size_t len) {
    if (len > (size_t)(reader->end - reader->at))
        wire_reader_fail(reader, STATUS_MALFORMED);
    else
        reader->at += len;
}

void wire_reader_skip_unknown(struct wire_reader *reader, uint64_t tag, unsigned known_max) {
    uint64_t number = tag >> 3;
    if (number > FIELD_NUMBER_MAX || number <= known_max) { // zero is no number at all
        wire_reader_fail(reader, STATUS_MALFORMED);
        return;
    }
    switch (tag & 7) {
    case WIRE_VARINT: (void)wire_reader_read_number(reader); return;
    case WIRE_64BIT: skip(reader, 8); return;
    case WIRE_LENGTH: (void)wire_reader_read_bytes(reader); return;
    case WIRE_32BIT: skip(reader, 4); return;
    default: wire_reader_fail(reader, STATUS_MALFORMED);
    }
}
