#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/protobuf/base64.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_number.h"
#include "common/protobuf/protojson_writer.h"

// ---- texts ----

static void put_escaped(struct protojson_writer *writer, uint8_t byte) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = byte ? strchr(escaped, byte) : NULL;
    char code[7];
    if (found)
        snprintf(code, sizeof(code), "\\%c", letters[found - escaped]);
    else
        snprintf(code, sizeof(code), "\\u%04x", byte);
    protojson_put(writer, code);
}

static bool is_plain(uint8_t byte) {
    return byte >= ' ' && byte != '"' && byte != '\\';
}

void protojson_put_string(struct protojson_writer *writer, struct bytes text) {
    if (!bytes_is_utf8(text))
        protojson_fail(writer, STATUS_MALFORMED);
    protojson_put(writer, "\"");
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.data[plain]))
            plain++;
        protojson_sink_put(&writer->sink, bytes_of(text.data, plain));
        if (plain < text.len)
            put_escaped(writer, text.data[plain++]);
        text = bytes_of(text.data + plain, text.len - plain);
    }
    protojson_put(writer, "\"");
}

static void put_base64(struct protojson_writer *writer, struct bytes bytes) {
    protojson_put(writer, "\"");
    if (writer->sink.to)
        base64_write_padded(bytes, writer->sink.to + writer->sink.len);
    writer->sink.len += base64_measure_padded(bytes.len);
    protojson_put(writer, "\"");
}

// ---- numbers ----

static bool is_unsigned_64(ProtobufCType type) {
    return type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
}

static bool is_64_bit(ProtobufCType type) {
    return is_unsigned_64(type) || type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_SINT64 ||
           type == PROTOBUF_C_TYPE_SFIXED64;
}

void protojson_put_bare(struct protojson_writer *writer, ProtobufCType type, const void *at) {
    char digits[24];
    int64_t value = field_layout_read_integer(at, type);
    if (type == PROTOBUF_C_TYPE_BOOL) {
        protojson_put(writer, value ? "true" : "false");
        return;
    }
    if (is_unsigned_64(type))
        snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)value);
    else
        snprintf(digits, sizeof(digits), "%" PRId64, value);
    protojson_put(writer, digits);
}

// JavaScript and others lose digits of larger numbers than 2^53, so that 64 bits are a text.
static void put_whole(struct protojson_writer *writer, ProtobufCType type, const void *at) {
    bool is_plain =
        writer->options->plain_integers && !(is_unsigned_64(type) && field_layout_read_integer(at, type) < 0);
    bool is_text = is_64_bit(type) && !is_plain;
    protojson_put(writer, is_text ? "\"" : "");
    protojson_put_bare(writer, type, at);
    protojson_put(writer, is_text ? "\"" : "");
}

static void put_real(struct protojson_writer *writer, double value, const char *text) {
    bool is_text = !isfinite(value);
    protojson_put(writer, is_text ? "\"" : "");
    protojson_put(writer, text);
    protojson_put(writer, is_text ? "\"" : "");
}

static void put_double(struct protojson_writer *writer, double value) {
    char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
    protojson_number_format_double(value, text);
    put_real(writer, value, text);
}

static void put_float(struct protojson_writer *writer, float value) {
    char text[PROTOJSON_NUMBER_TEXT_MAX + 1];
    protojson_number_format_float(value, text);
    put_real(writer, (double)value, text);
}

static void put_enum(struct protojson_writer *writer, const ProtobufCFieldDescriptor *field, const void *at) {
    int number = *(const int *)at;
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    if (known && protojson_kind_is_null(field))
        protojson_put(writer, "null");
    else if (known)
        protojson_put_string(writer, bytes_of_text(known->name));
    else
        protojson_put_bare(writer, field->type, at);
}

void protojson_put_scalar(struct protojson_writer *writer, const ProtobufCFieldDescriptor *field,
                          const void *at) {
    const ProtobufCBinaryData *data = at;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        protojson_put_string(writer, bytes_of_text(*(const char *const *)at));
        return;
    case PROTOBUF_C_TYPE_BYTES: put_base64(writer, bytes_of(data->data, data->len)); return;
    case PROTOBUF_C_TYPE_ENUM: put_enum(writer, field, at); return;
    case PROTOBUF_C_TYPE_FLOAT: put_float(writer, *(const float *)at); return;
    case PROTOBUF_C_TYPE_DOUBLE: put_double(writer, *(const double *)at); return;
    case PROTOBUF_C_TYPE_BOOL: protojson_put_bare(writer, field->type, at); return;
    default: put_whole(writer, field->type, at);
    }
}
