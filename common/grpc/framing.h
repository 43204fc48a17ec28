// Messages inside DATA frames: a flag byte, four bytes of length, the message. Frames cut them anywhere. The
// size limit is applied to the five bytes, before anything is buffered for the message. Memory is kept from
// message to message. Or bare: the one message is all there is.
#ifndef LATCHKEY_COMMON_GRPC_FRAMING_H
#define LATCHKEY_COMMON_GRPC_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define FRAMING_PREFIX_BYTES 5
#define FRAMING_FLAG_COMPRESSED 1

struct framing {
    uint8_t prefix[FRAMING_PREFIX_BYTES];
    uint8_t prefix_len;
    bool is_bare;
    bool is_compressed;  // of the present message
    uint32_t length;     // of the present message
    uint32_t max_length; // of any message
    struct buffer body;
};

enum framing_result {
    FRAMING_MORE,      // all was taken, no message is complete
    FRAMING_MESSAGE,   // *ret_message is complete; go on with the rest
    FRAMING_BAD_FLAG,  // neither 0 nor 1
    FRAMING_TOO_LARGE, // longer than max_length
    FRAMING_NO_MEMORY,
};

void framing_init(struct framing *framing, uint32_t max_length);
void framing_fini(struct framing *framing);

// For the next stream: forgets everything, keeps a moderate amount of memory.
void framing_reset(struct framing *framing, uint32_t max_length);

// The same for a stream that is one message.
void framing_reset_bare(struct framing *framing, uint32_t max_length);

// What a bare stream, which has ended, was made of.
struct bytes framing_get_bare(const struct framing *framing);

// Takes from the front of `*from`. A complete message borrows from `*from` or from `framing`: good until the
// next call and as long as the bytes that `*from` was made of. After one of the three errors it is not called
// again before a reset.
MUST_CHECK enum framing_result framing_read(struct framing *framing, struct bytes *from,
                                            struct bytes *ret_message);

// The memory of a complete message, or none where it borrows from `*from`: who takes it keeps the message.
struct buffer framing_take_body(struct framing *framing, struct bytes message);

// Between messages: gives up the memory of the last one if it was large.
void framing_trim(struct framing *framing);

// The memory of a message that has not come whole: twice what has come of it at most, or a moderate amount.
size_t framing_get_held_bytes(const struct framing *framing);

// Between messages: the stream may end here.
bool framing_is_at_boundary(const struct framing *framing);

// The flag of an ordinary message: 0.
static inline void framing_write_prefix(uint8_t ret_prefix[FRAMING_PREFIX_BYTES], uint32_t length) {
    ret_prefix[0] = 0;
    ret_prefix[1] = (uint8_t)(length >> 24);
    ret_prefix[2] = (uint8_t)(length >> 16);
    ret_prefix[3] = (uint8_t)(length >> 8);
    ret_prefix[4] = (uint8_t)length;
}

#endif
