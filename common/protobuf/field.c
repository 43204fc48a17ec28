// Fields by name, asserted to be what their readers and writers take them for.
#include "common/protobuf/field.h"

#include <assert.h>
#include <string.h>

#include "common/protobuf/field_layout.h"

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *descriptor, const char *name) {
    return protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
}

// The field for reading one value; NULL if the type lacks it or another member of its oneof is set.
static const ProtobufCFieldDescriptor *find_single(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find(message->descriptor, name);
    if (!field)
        return NULL;
    assert(!field_layout_is_repeated(field));
    if (field_layout_is_in_oneof(field) && field_layout_get_case(message, field) != field->id)
        return NULL;
    return field;
}

static const ProtobufCFieldDescriptor *find_list(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find(message->descriptor, name);
    assert(!field || field_layout_is_repeated(field));
    return field;
}

ProtobufCMessage *field_new_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor) {
    ProtobufCMessage *message = arena_allocate(arena, descriptor->sizeof_message);
    if (message)
        protobuf_c_message_init(descriptor, message);
    return message;
}

bool field_exists(const ProtobufCMessageDescriptor *descriptor, const char *name) {
    return find(descriptor, name) != NULL;
}

static bool is_nonzero(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    const void *at = field_layout_get_const(message, field);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: return *(const char *const *)at && **(const char *const *)at;
    case PROTOBUF_C_TYPE_BYTES: return ((const ProtobufCBinaryData *)at)->len > 0;
    case PROTOBUF_C_TYPE_MESSAGE: return *(const void *const *)at != NULL;
    default: return field_layout_read_integer(at, field->type) != 0;
    }
}

bool field_is_set(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find(message->descriptor, name);
    if (!field)
        return false;
    if (field_layout_is_repeated(field))
        return field_layout_get_count(message, field) > 0;
    if (field_layout_is_in_oneof(field))
        return field_layout_get_case(message, field) == field->id;
    return is_nonzero(message, field);
}

const char *field_get_text(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_single(message, name);
    if (!field)
        return "";
    assert(field->type == PROTOBUF_C_TYPE_STRING);
    const char *text = *(const char *const *)field_layout_get_const(message, field);
    return text ? text : "";
}

int64_t field_get_integer(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_single(message, name);
    return field ? field_layout_read_integer(field_layout_get_const(message, field), field->type) : 0;
}

static const char *enum_name(const ProtobufCFieldDescriptor *field, const void *at) {
    assert(field->type == PROTOBUF_C_TYPE_ENUM);
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)at);
    return value ? value->name : "";
}

const char *field_get_enum_name(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_single(message, name);
    return field ? enum_name(field, field_layout_get_const(message, field)) : "";
}

struct bytes field_get_bytes(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_single(message, name);
    if (!field)
        return BYTES_EMPTY;
    assert(field->type == PROTOBUF_C_TYPE_BYTES);
    const ProtobufCBinaryData *data = field_layout_get_const(message, field);
    return bytes_of(data->data, data->len);
}

const ProtobufCMessage *field_find_message(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_single(message, name);
    if (!field)
        return NULL;
    assert(field->type == PROTOBUF_C_TYPE_MESSAGE);
    return *(const ProtobufCMessage *const *)field_layout_get_const(message, field);
}

size_t field_get_count(const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = find_list(message, name);
    return field ? field_layout_get_count(message, field) : 0;
}

// Where the elements of a list begin, having checked that `index` is one of them.
static const void *elements(const ProtobufCMessage *message, const char *name, size_t index,
                            const ProtobufCFieldDescriptor **ret_field) {
    const ProtobufCFieldDescriptor *field = find_list(message, name);
    assert(field && index < field_layout_get_count(message, field));
    *ret_field = field;
    return *(const void *const *)field_layout_get_const(message, field);
}

const char *field_get_text_at(const ProtobufCMessage *message, const char *name, size_t index) {
    const ProtobufCFieldDescriptor *field;
    const char *const *texts = elements(message, name, index, &field);
    assert(field->type == PROTOBUF_C_TYPE_STRING);
    return texts[index];
}

const char *field_get_enum_name_at(const ProtobufCMessage *message, const char *name, size_t index) {
    const ProtobufCFieldDescriptor *field;
    const int *values = elements(message, name, index, &field);
    return enum_name(field, &values[index]);
}

const ProtobufCMessage *field_get_message_at(const ProtobufCMessage *message, const char *name,
                                             size_t index) {
    const ProtobufCFieldDescriptor *field;
    const ProtobufCMessage *const *messages = elements(message, name, index, &field);
    assert(field->type == PROTOBUF_C_TYPE_MESSAGE);
    return messages[index];
}

// google.protobuf.Timestamp and Duration are alike on the wire: seconds and nanos. A peer may send any of
// both.
static int64_t held_ms(int64_t seconds, int64_t ms) {
    int64_t total;
    if (__builtin_mul_overflow(seconds, MS_PER_SECOND, &total) || __builtin_add_overflow(total, ms, &total))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return total;
}

int64_t field_get_time_ms(const ProtobufCMessage *message, const char *name, int64_t unset_ms) {
    const ProtobufCMessage *time = field_find_message(message, name);
    if (!time)
        return unset_ms;
    int64_t nanos = field_get_integer(time, "nanos");
    int64_t rounded_down_ms = nanos / NS_PER_MS - (nanos % NS_PER_MS < 0);
    return held_ms(field_get_integer(time, "seconds"), rounded_down_ms);
}

int64_t field_get_duration_ms(const ProtobufCMessage *message, const char *name) {
    const ProtobufCMessage *duration = field_find_message(message, name);
    if (!duration)
        return 0;
    return held_ms(field_get_integer(duration, "seconds"), field_get_integer(duration, "nanos") / NS_PER_MS);
}

// The field for writing. A list is written whole, by the functions that take one.
static enum status find_to_set(const ProtobufCMessage *message, const char *name, bool repeated,
                               ProtobufCType type, const ProtobufCFieldDescriptor **ret_field) {
    const ProtobufCFieldDescriptor *field = find(message->descriptor, name);
    if (!field)
        return STATUS_NOT_FOUND;
    assert(field_layout_is_repeated(field) == repeated && field->type == type);
    *ret_field = field;
    return STATUS_OK;
}

enum status field_set_text(struct arena *arena, ProtobufCMessage *message, const char *name,
                           const char *text) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, false, PROTOBUF_C_TYPE_STRING, &field);
    if (status != STATUS_OK)
        return status;
    char *copy = arena_copy_text(arena, text);
    if (!copy)
        return STATUS_NO_MEMORY;
    *(char **)field_layout_get(message, field) = copy;
    field_layout_mark_as_set(message, field);
    return STATUS_OK;
}

enum status field_set_integer(ProtobufCMessage *message, const char *name, int64_t value) {
    const ProtobufCFieldDescriptor *field = find(message->descriptor, name);
    if (!field)
        return STATUS_NOT_FOUND;
    assert(!field_layout_is_repeated(field));
    field_layout_write_integer(field_layout_get(message, field), field->type, value);
    field_layout_mark_as_set(message, field);
    return STATUS_OK;
}

enum status field_set_bytes(struct arena *arena, ProtobufCMessage *message, const char *name,
                            struct bytes bytes) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, false, PROTOBUF_C_TYPE_BYTES, &field);
    if (status != STATUS_OK)
        return status;
    char *copy = arena_copy_bytes(arena, bytes);
    if (!copy)
        return STATUS_NO_MEMORY;
    *(ProtobufCBinaryData *)field_layout_get(message, field) =
        (ProtobufCBinaryData){bytes.len, (uint8_t *)copy};
    field_layout_mark_as_set(message, field);
    return STATUS_OK;
}

enum status field_set_enum_name(ProtobufCMessage *message, const char *name, const char *value) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, false, PROTOBUF_C_TYPE_ENUM, &field);
    if (status != STATUS_OK)
        return status;
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, value);
    return known ? field_set_integer(message, name, known->value) : STATUS_INVALID;
}

// `ms` split so that nanos is not negative (a time) or has the sign of seconds (a duration).
static enum status set_seconds(struct arena *arena, ProtobufCMessage *message, const char *name,
                               int64_t seconds, int64_t ms) {
    ProtobufCMessage *span;
    enum status status = field_set_message(arena, message, name, &span);
    if (status != STATUS_OK)
        return status;
    status = field_set_integer(span, "seconds", seconds);
    return status == STATUS_OK ? field_set_integer(span, "nanos", ms * NS_PER_MS) : status;
}

enum status field_set_time_ms(struct arena *arena, ProtobufCMessage *message, const char *name,
                              int64_t at_ms) {
    int64_t ms = at_ms % MS_PER_SECOND, seconds = at_ms / MS_PER_SECOND;
    if (ms < 0)
        return set_seconds(arena, message, name, seconds - 1, ms + MS_PER_SECOND);
    return set_seconds(arena, message, name, seconds, ms);
}

enum status field_set_duration_ms(struct arena *arena, ProtobufCMessage *message, const char *name,
                                  int64_t duration_ms) {
    return set_seconds(arena, message, name, duration_ms / MS_PER_SECOND, duration_ms % MS_PER_SECOND);
}

enum status field_set_message(struct arena *arena, ProtobufCMessage *message, const char *name,
                              ProtobufCMessage **ret_message) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, false, PROTOBUF_C_TYPE_MESSAGE, &field);
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage *empty = field_new_message(arena, field->descriptor);
    if (!empty)
        return STATUS_NO_MEMORY;
    *(ProtobufCMessage **)field_layout_get(message, field) = empty;
    field_layout_mark_as_set(message, field);
    *ret_message = empty;
    return STATUS_OK;
}

enum status field_put_message(ProtobufCMessage *message, const char *name, const ProtobufCMessage *value) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, false, PROTOBUF_C_TYPE_MESSAGE, &field);
    if (status != STATUS_OK)
        return status;
    assert(field->descriptor == value->descriptor);
    *(const ProtobufCMessage **)field_layout_get(message, field) = value;
    field_layout_mark_as_set(message, field);
    return STATUS_OK;
}

enum status field_set_texts(struct arena *arena, ProtobufCMessage *message, const char *name,
                            const char *const *texts, size_t count) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, true, PROTOBUF_C_TYPE_STRING, &field);
    if (status != STATUS_OK)
        return status;
    char **copies = ARENA_NEW_ARRAY(arena, char *, count);
    if (!copies)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        copies[i] = arena_copy_text(arena, texts[i]);
        if (!copies[i])
            return STATUS_NO_MEMORY;
    }
    field_layout_set_list(message, field, copies, count);
    return STATUS_OK;
}

enum status field_set_bytes_list(struct arena *arena, ProtobufCMessage *message, const char *name,
                                 const struct bytes *list, size_t count) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, true, PROTOBUF_C_TYPE_BYTES, &field);
    if (status != STATUS_OK)
        return status;
    ProtobufCBinaryData *copies = ARENA_NEW_ARRAY(arena, ProtobufCBinaryData, count);
    if (!copies)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        copies[i].data = (uint8_t *)arena_copy_bytes(arena, list[i]);
        copies[i].len = list[i].len;
        if (!copies[i].data)
            return STATUS_NO_MEMORY;
    }
    field_layout_set_list(message, field, copies, count);
    return STATUS_OK;
}

enum status field_set_enum_names(struct arena *arena, ProtobufCMessage *message, const char *name,
                                 const char *const *values, size_t count) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, true, PROTOBUF_C_TYPE_ENUM, &field);
    if (status != STATUS_OK)
        return status;
    int *numbers = ARENA_NEW_ARRAY(arena, int, count);
    if (!numbers)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const ProtobufCEnumValue *known =
            protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, values[i]);
        if (!known)
            return STATUS_INVALID;
        numbers[i] = known->value;
    }
    field_layout_set_list(message, field, numbers, count);
    return STATUS_OK;
}

enum status field_put_messages(struct arena *arena, ProtobufCMessage *message, const char *name,
                               ProtobufCMessage *const *values, size_t count) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, true, PROTOBUF_C_TYPE_MESSAGE, &field);
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage **messages = ARENA_NEW_ARRAY(arena, ProtobufCMessage *, count);
    if (!messages)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        assert(values[i]->descriptor == field->descriptor);
        messages[i] = values[i];
    }
    field_layout_set_list(message, field, messages, count);
    return STATUS_OK;
}

enum status field_set_messages(struct arena *arena, ProtobufCMessage *message, const char *name, size_t count,
                               ProtobufCMessage ***ret_messages) {
    const ProtobufCFieldDescriptor *field;
    enum status status = find_to_set(message, name, true, PROTOBUF_C_TYPE_MESSAGE, &field);
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage **messages = ARENA_NEW_ARRAY(arena, ProtobufCMessage *, count);
    if (!messages)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        messages[i] = field_new_message(arena, field->descriptor);
        if (!messages[i])
            return STATUS_NO_MEMORY;
    }
    field_layout_set_list(message, field, messages, count);
    *ret_messages = messages;
    return STATUS_OK;
}
