#include <inttypes.h>

#include "common/protobuf/base64.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/protojson_kind.h"
#include "common/protobuf/protojson_number.h"
#include "common/protobuf/protojson_reader.h"
#include "common/protobuf/protojson_text.h"

// The digits of a number, or a text that may be one; NULL for other values.
static const char *find_digits(const json_t *value) {
    const char *number = protojson_text_find_number(value);
    return number ? number : json_string_value(value);
}

// ---- numbers ----

struct range {
    int64_t min;
    uint64_t max;
};

static struct range get_range(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return (struct range){0, UINT32_MAX};
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return (struct range){0, UINT64_MAX};
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: return (struct range){INT64_MIN, INT64_MAX};
    default: return (struct range){INT32_MIN, INT32_MAX};
    }
}

static enum status refuse_number(struct protojson_reader *reader, const struct protojson_place *place,
                                 const json_t *value, enum protojson_number_result result) {
    const char *quoted = protojson_quote(reader, value);
    if (result == PROTOJSON_NUMBER_NOT_WHOLE)
        return protojson_refuse(reader, place, "%s is not a whole number", quoted);
    if (result == PROTOJSON_NUMBER_OUT_OF_RANGE)
        return protojson_refuse(reader, place, "%s is out of range", quoted);
    return protojson_refuse(reader, place, "%s is not a number", quoted);
}

static enum status read_whole(struct protojson_reader *reader, const struct protojson_place *place,
                              const json_t *value, ProtobufCType type, void *at) {
    const char *digits = find_digits(value);
    struct range range = get_range(type);
    uint64_t number;
    enum protojson_number_result result =
        digits ? protojson_number_parse_whole(bytes_of_text(digits), range.min, range.max, &number)
               : PROTOJSON_NUMBER_MALFORMED;
    if (result == PROTOJSON_NUMBER_OUT_OF_RANGE)
        return protojson_refuse(reader, place,
                                "%s is out of range; type a number from %" PRId64 " to %" PRIu64,
                                protojson_quote(reader, value), range.min, range.max);
    if (result != PROTOJSON_NUMBER_OK)
        return refuse_number(reader, place, value, result);
    field_layout_write_integer(at, type, (int64_t)number);
    return STATUS_OK;
}

static enum status read_real(struct protojson_reader *reader, const struct protojson_place *place,
                             const json_t *value, ProtobufCType type, void *at) {
    const char *digits = find_digits(value);
    enum protojson_number_result result = PROTOJSON_NUMBER_MALFORMED;
    if (digits && type == PROTOBUF_C_TYPE_FLOAT)
        result = protojson_number_parse_float(digits, at);
    else if (digits)
        result = protojson_number_parse_double(digits, at);
    return result == PROTOJSON_NUMBER_OK ? STATUS_OK : refuse_number(reader, place, value, result);
}

// ---- enums ----

static enum status refuse_enum(struct protojson_reader *reader, const struct protojson_place *place,
                               const json_t *value, const ProtobufCEnumDescriptor *type) {
    const char **names = ARENA_NEW_ARRAY(reader->arena, const char *, type->n_values);
    for (unsigned i = 0; names && i < type->n_values; i++)
        names[i] = type->values[i].name;
    return protojson_refuse(
        reader, place, "%s is no %s%s", protojson_quote(reader, value), type->short_name,
        protojson_suggest(reader, json_string_value(value), names, names ? type->n_values : 0));
}

static enum status read_enum(struct protojson_reader *reader, const struct protojson_place *place,
                             const json_t *value, const ProtobufCFieldDescriptor *field, void *at) {
    const ProtobufCEnumDescriptor *type = field->descriptor;
    if (json_is_null(value) && protojson_kind_is_null(field)) {
        field_layout_write_integer(at, field->type, 0);
        return STATUS_OK;
    }
    if (!protojson_text_is_string(value))
        return read_whole(reader, place, value, field->type, at);
    const ProtobufCEnumValue *known =
        protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(value));
    if (!known && reader->options->ignore_unknown)
        return STATUS_NOT_FOUND;
    if (!known)
        return refuse_enum(reader, place, value, type);
    field_layout_write_integer(at, field->type, known->value);
    return STATUS_OK;
}

// ---- the rest ----

static enum status read_bool(struct protojson_reader *reader, const struct protojson_place *place,
                             const json_t *value, void *at) {
    if (!json_is_boolean(value))
        return protojson_refuse(reader, place, "%s is neither true nor false",
                                protojson_quote(reader, value));
    *(protobuf_c_boolean *)at = json_is_true(value);
    return STATUS_OK;
}

static enum status copy_text(struct protojson_reader *reader, struct bytes text, void *at) {
    char *copy = arena_copy_bytes(reader->arena, text);
    if (!copy)
        return STATUS_NO_MEMORY;
    *(char **)at = copy;
    return STATUS_OK;
}

static enum status read_string(struct protojson_reader *reader, const struct protojson_place *place,
                               const json_t *value, void *at) {
    if (!protojson_text_is_string(value))
        return protojson_refuse(reader, place, "%s is not a text, which stands in quotes",
                                protojson_quote(reader, value));
    return copy_text(reader, bytes_of(json_string_value(value), json_string_length(value)), at);
}

static enum status read_bytes(struct protojson_reader *reader, const struct protojson_place *place,
                              const json_t *value, void *at) {
    struct bytes bytes;
    if (!protojson_text_is_string(value))
        return protojson_refuse(reader, place, "%s is not a text in base64", protojson_quote(reader, value));
    enum status status = base64_decode_any(
        reader->arena, bytes_of(json_string_value(value), json_string_length(value)), &bytes);
    if (status == STATUS_INVALID)
        return protojson_refuse(reader, place, "the text is not base64");
    if (status == STATUS_OK)
        *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){bytes.len, (uint8_t *)bytes.data};
    return status;
}

enum status protojson_read_scalar(struct protojson_reader *reader, const struct protojson_place *place,
                                  json_t *value, const ProtobufCFieldDescriptor *field, void *at) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL: return read_bool(reader, place, value, at);
    case PROTOBUF_C_TYPE_ENUM: return read_enum(reader, place, value, field, at);
    case PROTOBUF_C_TYPE_STRING: return read_string(reader, place, value, at);
    case PROTOBUF_C_TYPE_BYTES: return read_bytes(reader, place, value, at);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE: return read_real(reader, place, value, field->type, at);
    default: return read_whole(reader, place, value, field->type, at);
    }
}

// ---- keys of maps, which JSON has only as texts ----

static bool is_plain_integer(struct bytes text) {
    uint64_t ignored;
    bool is_negative = bytes_has_prefix(text, BYTES_LITERAL("-"));
    return bytes_parse_unsigned(bytes_of(text.data + is_negative, text.len - is_negative), UINT64_MAX,
                                &ignored);
}

static enum status read_bool_key(struct protojson_reader *reader, const struct protojson_place *place,
                                 struct bytes key, void *at) {
    if (!bytes_is_text(key, "true") && !bytes_is_text(key, "false"))
        return protojson_refuse(reader, place, "the key is neither true nor false");
    *(protobuf_c_boolean *)at = bytes_is_text(key, "true");
    return STATUS_OK;
}

// In one form each, so that keys that differ in JSON differ in the message.
static enum status read_whole_key(struct protojson_reader *reader, const struct protojson_place *place,
                                  struct bytes key, ProtobufCType type, void *at) {
    struct range range = get_range(type);
    uint64_t number;
    if (!is_plain_integer(key) || bytes_is_text(key, "-0"))
        return protojson_refuse(reader, place, "the key is not a whole number");
    if (protojson_number_parse_whole(key, range.min, range.max, &number) != PROTOJSON_NUMBER_OK)
        return protojson_refuse(reader, place,
                                "the key is out of range; type one from %" PRId64 " to %" PRIu64, range.min,
                                range.max);
    field_layout_write_integer(at, type, (int64_t)number);
    return STATUS_OK;
}

enum status protojson_read_key(struct protojson_reader *reader, const struct protojson_place *place,
                               const char *key, const ProtobufCFieldDescriptor *field, void *at) {
    struct bytes text = bytes_of_text(key);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return copy_text(reader, text, at);
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return read_bool_key(reader, place, text, at);
    return read_whole_key(reader, place, text, field->type, at);
}
