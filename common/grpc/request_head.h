// The header fields of a request, read as they come: what the protocol itself needs is parsed in place, the
// rest is kept as metadata. Nothing is answered here; call_receive.c asks when the block is complete.
#ifndef LATCHKEY_COMMON_GRPC_REQUEST_HEAD_H
#define LATCHKEY_COMMON_GRPC_REQUEST_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/grpc/metadata.h"

#define REQUEST_HEAD_BYTES_MAX (16 * 1024) // as HTTP/2 counts, decoded
#define REQUEST_HEAD_FIELDS_MAX 128

enum content_type {
    CONTENT_TYPE_FOREIGN,      // none, or not gRPC's
    CONTENT_TYPE_GRPC,         // application/grpc
    CONTENT_TYPE_GRPC_PROTO,   // application/grpc+proto
    CONTENT_TYPE_GRPC_UNKNOWN, // application/grpc+anything else
};

enum message_encoding { MESSAGE_ENCODING_IDENTITY, MESSAGE_ENCODING_UNKNOWN };

enum timeout_field { TIMEOUT_FIELD_NONE, TIMEOUT_FIELD_VALID, TIMEOUT_FIELD_INVALID };

struct request_head {
    struct bytes path; // in the arena
    uint64_t timeout_ns;
    uint32_t size_bytes, count;
    uint8_t content_type; // the enums above
    uint8_t encoding;
    uint8_t timeout;
    bool is_post;
    bool is_too_large; // a limit or the arena has run out: nothing more is kept
    struct metadata metadata;
};

void request_head_init(struct request_head *head);

// Borrows nothing: what is kept is copied into `arena`.
void request_head_add(struct request_head *head, struct arena *arena, struct bytes name, struct bytes value);

#endif
