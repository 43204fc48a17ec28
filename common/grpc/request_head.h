// The header fields of a request, read as they come: what the protocols themselves need is parsed in place,
// the rest is kept as metadata. Which protocol it is may be said last, so what each has a field of its own
// for is kept by family until then. Nothing is answered here; call_receive.c asks when the block is complete.
#ifndef LATCHKEY_COMMON_GRPC_REQUEST_HEAD_H
#define LATCHKEY_COMMON_GRPC_REQUEST_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/grpc/content_type.h"
#include "common/grpc/metadata.h"

#define REQUEST_HEAD_BYTES_MAX (16 * 1024) // as HTTP/2 counts, decoded
#define REQUEST_HEAD_FIELDS_MAX 128

enum message_encoding { MESSAGE_ENCODING_IDENTITY, MESSAGE_ENCODING_GZIP, MESSAGE_ENCODING_UNKNOWN };

enum timeout_field { TIMEOUT_FIELD_NONE, TIMEOUT_FIELD_VALID, TIMEOUT_FIELD_INVALID };

enum request_verb { VERB_OTHER, VERB_POST, VERB_GET };

// Who has fields of its own: "grpc-encoding", "content-encoding", "connect-content-encoding".
enum field_family { FAMILY_GRPC, FAMILY_CONNECT, FAMILY_HTTP, FAMILY_COUNT };
enum { TIMEOUT_FAMILY_COUNT = FAMILY_HTTP }; // HTTP has no field for it

// How the messages of a request are compressed, and those of its answer may be.
struct encoding_fields {
    uint8_t encoding; // enum message_encoding
    bool accepts_gzip;
};

struct timeout_value {
    uint64_t ns;
    uint8_t field; // enum timeout_field
};

struct request_head {
    struct bytes path; // in the arena
    struct timeout_value timeouts[TIMEOUT_FAMILY_COUNT];
    struct encoding_fields encodings[FAMILY_COUNT];
    uint32_t size_bytes, count;
    uint8_t content_type; // the enums above
    uint8_t verb;
    bool is_version_unknown; // of connect-protocol-version
    bool is_too_large;       // a limit or the arena has run out: nothing more is kept
    struct metadata metadata;
};

void request_head_init(struct request_head *head);

// Borrows nothing: what is kept is copied into `arena`.
void request_head_add(struct request_head *head, struct arena *arena, struct bytes name, struct bytes value);

#endif
