// Header fields of one call, kept in order in the call's arena and bounded the way HTTP/2 counts them: the
// sum of name, value and 32 bytes for each field. Over the bound nothing more is stored; the caller answers
// the call with an error and goes on decoding, because HPACK's state must stay in step with the peer's.
#ifndef LATCHKEY_COMMON_GRPC_METADATA_H
#define LATCHKEY_COMMON_GRPC_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define METADATA_FIELD_OVERHEAD 32

struct metadata_field {
    struct metadata_field *next;
    struct bytes name;  // NUL follows
    struct bytes value; // NUL follows
};

struct metadata {
    struct metadata_field *first, **end;
    uint32_t size_bytes; // as HTTP/2 counts
    uint32_t count;
};

void metadata_init(struct metadata *metadata);

// Copies into `arena`. NO_MEMORY.
MUST_CHECK enum status metadata_add(struct metadata *metadata, struct arena *arena, struct bytes name,
                                    struct bytes value);

// The first field of that name at or after `from` (metadata->first to begin, ->next to go on); NULL if there
// is none.
const struct metadata_field *metadata_find(const struct metadata_field *from, struct bytes name);

// The value of the first field of that name, and the only one: data NULL if there is none or another.
struct bytes metadata_find_only(const struct metadata *metadata, struct bytes name);

// Whether `name` may be sent as metadata: [0-9a-z_.-]+, not a pseudo-header, not the protocol's own ("grpc-",
// te, content-type, hop-by-hop).
bool metadata_name_is_sendable(struct bytes name);

// Printable ASCII, no space at either end.
bool metadata_value_is_sendable(struct bytes value);

bool metadata_name_is_binary(struct bytes name); // ends in "-bin"

#endif
