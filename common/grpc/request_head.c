// Told apart by length first: one comparison settles nearly every name.
#include "common/grpc/request_head.h"

#include <string.h>

#include "common/grpc/timeout.h"

static bool is(struct bytes name, struct bytes known) {
    return memcmp(name.data, known.data, known.len) == 0;
}

static void read_timeout(struct timeout_value *timeout, bool is_valid) {
    bool is_first = timeout->field == TIMEOUT_FIELD_NONE;
    timeout->field = is_first && is_valid ? TIMEOUT_FIELD_VALID : TIMEOUT_FIELD_INVALID;
}

static void read_grpc_timeout(struct request_head *head, struct bytes value) {
    struct timeout_value *timeout = &head->timeouts[FAMILY_GRPC];
    read_timeout(timeout, timeout_parse(value, &timeout->ns));
}

static void read_connect_timeout(struct request_head *head, struct bytes value) {
    struct timeout_value *timeout = &head->timeouts[FAMILY_CONNECT];
    read_timeout(timeout, timeout_parse_ms(value, &timeout->ns));
}

static void read_encoding(struct request_head *head, enum field_family family, struct bytes value) {
    enum message_encoding encoding = MESSAGE_ENCODING_UNKNOWN;
    if (value.len == 0 || bytes_is_equal(value, BYTES_LITERAL("identity")))
        encoding = MESSAGE_ENCODING_IDENTITY;
    else if (bytes_is_equal(value, BYTES_LITERAL("gzip")))
        encoding = MESSAGE_ENCODING_GZIP;
    head->encodings[family].encoding = (uint8_t)encoding;
}

// A weight of zero says no.
static bool is_weight_zero(struct bytes parameters) {
    struct bytes weight = bytes_trim(parameters);
    if (!bytes_has_prefix(weight, BYTES_LITERAL("q=0")))
        return false;
    for (size_t i = 3; i < weight.len; i++)
        if (weight.data[i] != '0' && weight.data[i] != '.')
            return false;
    return true;
}

static void read_accepted(struct request_head *head, enum field_family family, struct bytes list) {
    while (list.len > 0) {
        struct bytes parameters = bytes_split(&list, ',');
        struct bytes name = bytes_trim(bytes_split(&parameters, ';'));
        if (bytes_is_equal(name, BYTES_LITERAL("gzip")) && !is_weight_zero(parameters))
            head->encodings[family].accepts_gzip = true;
    }
}

static void read_verb(struct request_head *head, struct bytes value) {
    if (bytes_is_equal(value, BYTES_LITERAL("POST")))
        head->verb = VERB_POST;
    else if (bytes_is_equal(value, BYTES_LITERAL("GET")))
        head->verb = VERB_GET;
}

static void read_path(struct request_head *head, struct arena *arena, struct bytes value) {
    const char *copy = head->is_too_large ? NULL : arena_copy_bytes(arena, value);
    if (copy)
        head->path = bytes_of(copy, value.len);
    else
        head->is_too_large = true;
}

// What only one protocol has, by name.
static bool read_connect(struct request_head *head, struct bytes name, struct bytes value) {
    if (bytes_is_equal(name, BYTES_LITERAL("connect-timeout-ms")))
        read_connect_timeout(head, value);
    else if (bytes_is_equal(name, BYTES_LITERAL("connect-content-encoding")))
        read_encoding(head, FAMILY_CONNECT, value);
    else if (bytes_is_equal(name, BYTES_LITERAL("connect-accept-encoding")))
        read_accepted(head, FAMILY_CONNECT, value);
    else if (bytes_is_equal(name, BYTES_LITERAL("connect-protocol-version")))
        head->is_version_unknown = !bytes_is_equal(value, BYTES_LITERAL("1"));
    else
        return false;
    return true;
}

// True if a protocol itself reads the field, or it means nothing to handlers.
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
            read_verb(head, value);
        return true;
    case 12:
        if (is(name, BYTES_LITERAL("content-type"))) {
            head->content_type = (uint8_t)content_type_parse(value);
            return true;
        }
        if (!is(name, BYTES_LITERAL("grpc-timeout")))
            return false;
        read_grpc_timeout(head, value);
        return true;
    case 13:
        if (!is(name, BYTES_LITERAL("grpc-encoding")))
            return false;
        read_encoding(head, FAMILY_GRPC, value);
        return true;
    case 14: return is(name, BYTES_LITERAL("content-length"));
    case 15:
        if (!is(name, BYTES_LITERAL("accept-encoding")))
            return false;
        read_accepted(head, FAMILY_HTTP, value);
        return true;
    case 16:
        if (!is(name, BYTES_LITERAL("content-encoding")))
            return false;
        read_encoding(head, FAMILY_HTTP, value);
        return true;
    case 20:
        if (!is(name, BYTES_LITERAL("grpc-accept-encoding")))
            return false;
        read_accepted(head, FAMILY_GRPC, value);
        return true;
    case 18:
    case 23:
    case 24: return read_connect(head, name, value);
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
