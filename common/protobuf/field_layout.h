// Where a field stands in its message: protobuf-c lays a message out as a C struct, and the descriptor tells
// offset, type and label of each member. The arithmetic of it, in one place.
#ifndef LATCHKEY_COMMON_PROTOBUF_FIELD_LAYOUT_H
#define LATCHKEY_COMMON_PROTOBUF_FIELD_LAYOUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool field_layout_is_repeated(const ProtobufCFieldDescriptor *field) {
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool field_layout_is_in_oneof(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

// The member itself; of a list, the pointer to its first element.
static inline void *field_layout_get(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (char *)message + field->offset;
}

static inline const void *field_layout_get_const(const ProtobufCMessage *message,
                                                 const ProtobufCFieldDescriptor *field) {
    return (const char *)message + field->offset;
}

// Elements of a list.
static inline size_t field_layout_get_count(const ProtobufCMessage *message,
                                            const ProtobufCFieldDescriptor *field) {
    return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

// The number of the field that is set in the field's oneof, 0 for none. protobuf-c keeps it as an enum of
// int's size.
static inline uint32_t field_layout_get_case(const ProtobufCMessage *message,
                                             const ProtobufCFieldDescriptor *field) {
    return *(const uint32_t *)(const void *)((const char *)message + field->quantifier_offset);
}

// Whether an optional field of proto2 is set.
bool field_layout_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

// For a single field, after its member was written.
void field_layout_mark_as_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

// Borrows `list`.
void field_layout_set_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, void *list,
                           size_t count);

// Bytes of one element of a list.
size_t field_layout_get_element_size(ProtobufCType type);

// Integer types, bool and enum; uint64 above INT64_MAX wraps as in C. Others are a programmer's mistake.
int64_t field_layout_read_integer(const void *at, ProtobufCType type);
void field_layout_write_integer(void *at, ProtobufCType type, int64_t value);

// Whether a field of messages is a map: protobuf-c knows it as the list of pairs that it is on the wire.
bool field_layout_is_map(const ProtobufCFieldDescriptor *field);

#endif
