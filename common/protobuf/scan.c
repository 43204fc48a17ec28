// Goes over the wire format once, with the descriptor at hand, and recurses only into what the descriptor
// calls a message. The rules for what a field may look like are those by which protobuf-c would read it, so
// that nothing that passes here fails there for another reason than memory.
#include "common/protobuf/scan.h"

#include <stdbool.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

// protobuf-c reads tags and lengths of at most five bytes; a number may have ten.
enum { NUMBER_BYTES_MAX = 10, TAG_BYTES_MAX = 5, LENGTH_BYTES_MAX = 5 };
#define FIELD_NUMBER_MAX ((1u << 29) - 1)

struct scanner {
    unsigned depth;
    unsigned fields;
};

struct reader {
    const uint8_t *at, *end;
};

// An empty message may be at NULL, to which C adds nothing, not even 0.
static struct reader reader_of(struct bytes bytes) {
    return (struct reader){bytes.data, bytes.len > 0 ? bytes.data + bytes.len : bytes.data};
}

static enum scan_result read_varint(struct reader *reader, unsigned bytes_max, uint64_t *ret_value) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_max; i++) {
        if (reader->at == reader->end)
            return SCAN_TRUNCATED;
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return SCAN_OK;
        }
    }
    return SCAN_BAD_VARINT;
}

static enum scan_result skip(struct reader *reader, size_t len) {
    if (len > (size_t)(reader->end - reader->at))
        return SCAN_TRUNCATED;
    reader->at += len;
    return SCAN_OK;
}

static enum scan_result read_length(struct reader *reader, struct bytes *ret_bytes) {
    uint64_t length;
    enum scan_result result = read_varint(reader, LENGTH_BYTES_MAX, &length);
    if (result != SCAN_OK)
        return result;
    if (length > (uint64_t)(reader->end - reader->at))
        return SCAN_TRUNCATED;
    *ret_bytes = bytes_of(reader->at, (size_t)length);
    reader->at += length;
    return SCAN_OK;
}

static enum wire_type wire_type_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return WIRE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return WIRE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return WIRE_LENGTH;
    default: return WIRE_VARINT;
    }
}

// A repeated number in one field: its elements count like fields.
static enum scan_result scan_packed(struct scanner *scanner, enum wire_type type, struct bytes packed) {
    struct reader reader = reader_of(packed);
    while (reader.at < reader.end) {
        uint64_t ignored;
        enum scan_result result = type == WIRE_VARINT ? read_varint(&reader, NUMBER_BYTES_MAX, &ignored)
                                                      : skip(&reader, type == WIRE_64BIT ? 8 : 4);
        if (result != SCAN_OK)
            return result;
        if (++scanner->fields > SCAN_FIELDS_MAX)
            return SCAN_TOO_MANY_FIELDS;
    }
    return SCAN_OK;
}

static bool is_short_ascii(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)(text.data[i] - 1) >= 0x7f)
            return false;
    return true;
}

static enum scan_result scan_string(struct bytes text) {
    if (is_short_ascii(text))
        return SCAN_OK;
    if (memchr(text.data, '\0', text.len))
        return SCAN_NUL_IN_STRING;
    return bytes_is_utf8(text) ? SCAN_OK : SCAN_BAD_UTF8;
}

static enum scan_result scan_fields(struct scanner *scanner, const ProtobufCMessageDescriptor *descriptor,
                                    struct bytes message);

static enum scan_result scan_length_field(struct scanner *scanner, const ProtobufCFieldDescriptor *field,
                                          struct bytes value) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES: return SCAN_OK;
    case PROTOBUF_C_TYPE_STRING: return scan_string(value);
    case PROTOBUF_C_TYPE_MESSAGE: return scan_fields(scanner, field->descriptor, value);
    default: break;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return SCAN_BAD_WIRE_TYPE;
    return scan_packed(scanner, wire_type_of(field->type), value);
}

static enum scan_result scan_field(struct scanner *scanner, const ProtobufCFieldDescriptor *field,
                                   enum wire_type type, struct reader *reader) {
    if (field && type != WIRE_LENGTH && type != wire_type_of(field->type))
        return SCAN_BAD_WIRE_TYPE;
    uint64_t ignored;
    struct bytes value;
    switch (type) {
    case WIRE_VARINT: return read_varint(reader, NUMBER_BYTES_MAX, &ignored);
    case WIRE_64BIT: return skip(reader, 8);
    case WIRE_32BIT: return skip(reader, 4);
    case WIRE_LENGTH: break;
    default: return SCAN_BAD_TAG;
    }
    enum scan_result result = read_length(reader, &value);
    if (result != SCAN_OK || !field)
        return result;
    return scan_length_field(scanner, field, value);
}

// Fields mostly come in the order of their numbers, so the next row is tried before the search.
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor,
                                                  unsigned number, unsigned *hint) {
    for (unsigned tries = 0; tries < 2 && *hint < descriptor->n_fields; tries++) {
        if (descriptor->fields[*hint].id == number)
            return &descriptor->fields[*hint];
        ++*hint;
    }
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, number);
    *hint = field ? (unsigned)(field - descriptor->fields) : 0;
    return field;
}

static enum scan_result scan_fields(struct scanner *scanner, const ProtobufCMessageDescriptor *descriptor,
                                    struct bytes message) {
    if (++scanner->depth > SCAN_DEPTH_MAX)
        return SCAN_TOO_DEEP;
    struct reader reader = reader_of(message);
    unsigned hint = 0;
    while (reader.at < reader.end) {
        uint64_t tag;
        enum scan_result result = read_varint(&reader, TAG_BYTES_MAX, &tag);
        if (result != SCAN_OK)
            return result;
        if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
            return SCAN_BAD_TAG;
        if (++scanner->fields > SCAN_FIELDS_MAX)
            return SCAN_TOO_MANY_FIELDS;
        const ProtobufCFieldDescriptor *field = find_field(descriptor, (unsigned)(tag >> 3), &hint);
        result = scan_field(scanner, field, (enum wire_type)(tag & 7), &reader);
        if (result != SCAN_OK)
            return result;
    }
    scanner->depth--;
    return SCAN_OK;
}

enum scan_result scan_message(const ProtobufCMessageDescriptor *descriptor, struct bytes message) {
    struct scanner scanner = {0};
    return scan_fields(&scanner, descriptor, message);
}

const char *scan_result_get_text(enum scan_result result) {
    switch (result) {
    case SCAN_OK: return "the message is well-formed";
    case SCAN_TRUNCATED: return "the message ends inside a field";
    case SCAN_BAD_VARINT: return "the message holds a number with too many bytes";
    case SCAN_BAD_TAG: return "the message holds a field that no message can have";
    case SCAN_BAD_WIRE_TYPE: return "a field of the message has another type than the contract says";
    case SCAN_BAD_UTF8: return "a string in the message is not UTF-8";
    case SCAN_NUL_IN_STRING: return "a string in the message holds a NUL";
    case SCAN_TOO_DEEP: return "the message is nested too deeply";
    case SCAN_TOO_MANY_FIELDS: return "the message has too many fields";
    }
    return "the message is not valid";
}
