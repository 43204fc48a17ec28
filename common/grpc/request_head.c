// Told apart by length first: one comparison settles nearly every name.
#include "common/grpc/request_head.h"

#include <string.h>

#include "common/grpc/timeout.h"

static bool is(struct bytes name, struct bytes known) {
    return memcmp(name.data, known.data, known.len) == 0;
}

static enum content_type parse_content_type(struct bytes value) {
    static const struct bytes grpc = {(const uint8_t *)"application/grpc", 16};
    if (bytes_is_equal(value, grpc))
        return CONTENT_TYPE_GRPC;
    if (value.len < grpc.len || !bytes_is_equal_ignoring_case(bytes_of(value.data, grpc.len), grpc))
        return CONTENT_TYPE_FOREIGN;
    struct bytes rest = bytes_of(value.data + grpc.len, value.len - grpc.len);
    struct bytes suffix = bytes_trim(bytes_split(&rest, ';'));
    if (suffix.len == 0)
        return CONTENT_TYPE_GRPC;
    // application/grpcfoo is nothing of ours, and application/grpc-web another protocol.
    if (suffix.data[0] != '+')
        return CONTENT_TYPE_FOREIGN;
    return bytes_is_equal_ignoring_case(suffix, BYTES_LITERAL("+proto")) ? CONTENT_TYPE_GRPC_PROTO
                                                                         : CONTENT_TYPE_GRPC_UNKNOWN;
}

static void read_timeout(struct request_head *head, struct bytes value) {
    bool is_first = head->timeout == TIMEOUT_FIELD_NONE;
    bool is_valid = is_first && timeout_parse(value, &head->timeout_ns);
    head->timeout = is_valid ? TIMEOUT_FIELD_VALID : TIMEOUT_FIELD_INVALID;
}

static void read_encoding(struct request_head *head, struct bytes value) {
    bool is_identity = value.len == 0 || bytes_is_equal(value, BYTES_LITERAL("identity"));
    head->encoding = is_identity ? MESSAGE_ENCODING_IDENTITY : MESSAGE_ENCODING_UNKNOWN;
}

static void read_path(struct request_head *head, struct arena *arena, struct bytes value) {
    const char *copy = head->is_too_large ? NULL : arena_copy_bytes(arena, value);
    if (copy)
        head->path = bytes_of(copy, value.len);
}

// True if the protocol itself reads the field, or it means nothing to handlers.
static bool read_known(struct request_head *head, struct arena *arena, struct bytes name,
                       struct bytes value) {
    switch (name.len) {
    case 2: return is(name, BYTES_LITERAL("te"));
    case 5:
        if (!is(name, BYTES_LITERAL(":path")))
            return false;
        read_path(head, arena, value);
        return true;
    case 7:
        if (name.data[0] != ':')
            return false;
        if (is(name, BYTES_LITERAL(":method")))
            head->is_post = bytes_is_equal(value, BYTES_LITERAL("POST"));
        return true;
    case 12:
        if (is(name, BYTES_LITERAL("content-type"))) {
            head->content_type = (uint8_t)parse_content_type(value);
            return true;
        }
        if (!is(name, BYTES_LITERAL("grpc-timeout")))
            return false;
        read_timeout(head, value);
        return true;
    case 13:
        if (!is(name, BYTES_LITERAL("grpc-encoding")))
            return false;
        read_encoding(head, value);
        return true;
    case 14: return is(name, BYTES_LITERAL("content-length"));
    default: return false;
    }
}

static bool is_protocols_own(struct bytes name) {
    return name.len == 0 || name.data[0] == ':' ||
           (name.data[0] == 'g' && bytes_has_prefix(name, BYTES_LITERAL("grpc-")));
}

void request_head_init(struct request_head *head) {
    memset(head, 0, sizeof(*head));
    metadata_init(&head->metadata);
}

void request_head_add(struct request_head *head, struct arena *arena, struct bytes name, struct bytes value) {
    head->count++;
    // A block is at most some hundred KiB on the wire, so the sum is held by 32 bits even when HPACK
    // multiplies it: past the limit it does not grow.
    if (!head->is_too_large)
        head->size_bytes += (uint32_t)(name.len + value.len + METADATA_FIELD_OVERHEAD);
    if (head->size_bytes > REQUEST_HEAD_BYTES_MAX || head->count > REQUEST_HEAD_FIELDS_MAX)
        head->is_too_large = true;
    if (read_known(head, arena, name, value) || is_protocols_own(name) || head->is_too_large)
        return;
    if (metadata_add(&head->metadata, arena, name, value) != STATUS_OK)
        head->is_too_large = true;
}
