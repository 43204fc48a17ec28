#include "common/grpc/metadata.h"

#include <string.h>

#include "common/base/compiler.h"

void metadata_init(struct metadata *metadata) {
    *metadata = (struct metadata){.end = &metadata->first};
}

enum status metadata_add(struct metadata *metadata, struct arena *arena, struct bytes name,
                         struct bytes value) {
    // One allocation: the field, then both texts.
    struct metadata_field *field = arena_allocate(arena, sizeof(*field) + name.len + value.len + 2);
    if (!field)
        return STATUS_NO_MEMORY;
    uint8_t *text = (uint8_t *)(field + 1);
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    field->name = bytes_of(text, name.len);
    text += name.len + 1;
    if (value.len > 0)
        memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    field->value = bytes_of(text, value.len);
    field->next = NULL;
    *metadata->end = field;
    metadata->end = &field->next;
    metadata->size_bytes += (uint32_t)(name.len + value.len + METADATA_FIELD_OVERHEAD);
    metadata->count++;
    return STATUS_OK;
}

const struct metadata_field *metadata_find(const struct metadata_field *from, struct bytes name) {
    while (from && !bytes_is_equal(from->name, name))
        from = from->next;
    return from;
}

struct bytes metadata_find_only(const struct metadata *metadata, struct bytes name) {
    const struct metadata_field *field = metadata_find(metadata->first, name);
    return field && !metadata_find(field->next, name) ? field->value : BYTES_EMPTY;
}

static bool is_name_byte(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' ||
           byte == '.';
}

static bool is_reserved(struct bytes name) {
    static const char *const reserved[] = {
        "te",         "content-type",     "content-length",    "connection", "host",
        "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
        if (bytes_is_text(name, reserved[i]))
            return true;
    return bytes_has_prefix(name, BYTES_LITERAL("grpc-"));
}

bool metadata_name_is_sendable(struct bytes name) {
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_byte(name.data[i]))
            return false;
    return name.len > 0 && !is_reserved(name);
}

bool metadata_value_is_sendable(struct bytes value) {
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7e)
            return false;
    return value.len == 0 || (value.data[0] != ' ' && value.data[value.len - 1] != ' ');
}

bool metadata_name_is_binary(struct bytes name) {
    static const struct bytes suffix = {(const uint8_t *)"-bin", 4};
    return name.len > suffix.len &&
           bytes_is_equal(bytes_of(name.data + name.len - suffix.len, suffix.len), suffix);
}
