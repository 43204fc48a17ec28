#include "common/protobuf/field_layout.h"

#include <assert.h>
#include <string.h>

static void *quantifier(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (char *)message + field->quantifier_offset;
}

// A text has no flag: it is set where it is not the default.
static bool has_flag(const ProtobufCFieldDescriptor *field) {
    return field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
           field->type != PROTOBUF_C_TYPE_MESSAGE;
}

bool field_layout_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (has_flag(field))
        return *(const protobuf_c_boolean *)((const char *)message + field->quantifier_offset) != 0;
    const void *value = *(const void *const *)field_layout_get_const(message, field);
    return value && value != field->default_value;
}

void field_layout_mark_as_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (field_layout_is_in_oneof(field))
        *(uint32_t *)quantifier(message, field) = field->id;
    else if (has_flag(field))
        *(protobuf_c_boolean *)quantifier(message, field) = 1;
}

void field_layout_set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, void *list,
                           size_t count) {
    *(void **)field_layout_get(message, field) = list;
    *(size_t *)quantifier(message, field) = count;
}

size_t field_layout_get_element_size(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    default: return 4;
    }
}

int64_t field_layout_read_integer(const void *at, ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM: return *(const int32_t *)at;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return *(const uint32_t *)at;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: return *(const int64_t *)at;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return (int64_t) * (const uint64_t *)at;
    case PROTOBUF_C_TYPE_BOOL: return *(const protobuf_c_boolean *)at != 0;
    default: assert(!"an integer field"); return 0;
    }
}

void field_layout_write_integer(void *at, ProtobufCType type, int64_t value) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM: *(int32_t *)at = (int32_t)value; return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: *(uint32_t *)at = (uint32_t)value; return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: *(int64_t *)at = value; return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: *(uint64_t *)at = (uint64_t)value; return;
    case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)at = value != 0; return;
    default: assert(!"an integer field");
    }
}

// The words of `name` with capitals and "Entry" behind them are what the compiler calls the pair's type.
static bool is_entry_name_of(const char *type, const char *name) {
    bool is_first_of_word = true;
    for (; *name; name++) {
        if (*name == '_') {
            is_first_of_word = true;
            continue;
        }
        bool is_small = *name >= 'a' && *name <= 'z';
        if (*type++ != (is_first_of_word && is_small ? *name - 'a' + 'A' : *name))
            return false;
        is_first_of_word = false;
    }
    return strcmp(type, "Entry") == 0;
}

bool field_layout_is_map(const ProtobufCFieldDescriptor *field) {
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || !field_layout_is_repeated(field))
        return false;
    const ProtobufCMessageDescriptor *pair = field->descriptor;
    return pair->n_fields == 2 && strcmp(pair->fields[0].name, "key") == 0 &&
           strcmp(pair->fields[1].name, "value") == 0 && is_entry_name_of(pair->short_name, field->name);
}
