// gzip, for messages in and out. One pair of zlib's states serves all messages of a loop, one after another;
// each is made at its first use, and holds parts of the last messages until compression_fini(), which wipes
// it. One thread.
#ifndef LATCHKEY_COMMON_GRPC_COMPRESSION_H
#define LATCHKEY_COMMON_GRPC_COMPRESSION_H

#include <stdbool.h>
#include <zlib.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define COMPRESSION_NAMES "identity,gzip" // for the fields that tell clients

// Zeroed memory is ready, and so is what compression_fini() leaves.
struct compression {
    z_stream inflater, deflater;
    bool has_inflater, has_deflater;
};

void compression_fini(struct compression *compression);

// How far a message may be inflated.
struct inflate_limit {
    size_t max_bytes;
    // Beyond these somebody is asked before each COMPRESSION_STEP_BYTES more; NULL = nobody.
    size_t free_bytes;
    bool (*may_go_on)(void *context);
    void *context;
};

#define COMPRESSION_STEP_BYTES ((size_t)64 * 1024)

// Appends to `to` what `from` was made of. TOO_LARGE as soon as it is more than the limit; EXHAUSTED when it
// may not go on; MALFORMED if `from` is not one gzip member from its first byte to its last; NO_MEMORY. `to`
// is of no use after an error.
MUST_CHECK enum status compression_inflate(struct compression *compression, struct bytes from,
                                           const struct inflate_limit *limit, struct buffer *to);

// Whether it begins as what gzip makes does, and no message of protobuf or JSON.
static inline bool compression_is_gzip(struct bytes bytes) {
    return bytes.len >= 3 && bytes.data[0] == 0x1f && bytes.data[1] == 0x8b && bytes.data[2] == 8;
}

// Appends one gzip member. NO_MEMORY.
MUST_CHECK enum status compression_deflate(struct compression *compression, struct bytes from,
                                           struct buffer *to);

#endif
