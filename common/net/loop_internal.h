// What the rest of common/net needs of a loop: libuv's own loop and the shared read buffer.
#ifndef LATCHKEY_COMMON_NET_LOOP_INTERNAL_H
#define LATCHKEY_COMMON_NET_LOOP_INTERNAL_H

#include <uv.h>

#include "common/base/buffer.h"
#include "common/net/loop.h"

uv_loop_t *loop_get_uv(struct loop *loop);

// What a read is deciphered into, and what is enciphered to be written: of the loop's streams together, good
// until the next of them uses it. They keep their memory.
struct buffer *loop_get_plaintext(struct loop *loop);
struct buffer *loop_get_ciphertext(struct loop *loop);

// STREAM_READ_BYTES, good from a read to the end of its callback.
char *loop_get_read_buffer(struct loop *loop);

// When its stop began, monotonic; UINT64_MAX = it has not.
uint64_t loop_get_stop_ns(const struct loop *loop);

// A socket has been read, and so many bytes are known to be left in it.
void loop_note_read(struct loop *loop, size_t read_bytes, size_t left_bytes);

#endif
