#include "common/grpc/compression.h"

#include <limits.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// zlib's 15 bits of window, and 16 for "gzip only".
enum { GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8, ROOM_MIN = 512 };

// zlib does not tell the size of what it gives back.
struct block {
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

static void *allocate(void *opaque, unsigned count, unsigned size) {
    (void)opaque;
    size_t bytes = (size_t)count * size;
    struct block *block = malloc(sizeof(*block) + bytes);
    if (!block)
        return NULL;
    block->size = bytes;
    return block->data;
}

static void release(void *opaque, void *data) {
    (void)opaque;
    struct block *block = (struct block *)((uint8_t *)data - offsetof(struct block, data));
    explicit_bzero(block->data, block->size);
    free(block);
}

static void init_stream(z_stream *stream) {
    *stream = (z_stream){.zalloc = allocate, .zfree = release};
}

void compression_fini(struct compression *compression) {
    if (compression->has_inflater)
        inflateEnd(&compression->inflater);
    if (compression->has_deflater)
        deflateEnd(&compression->deflater);
    compression->has_inflater = compression->has_deflater = false;
}

static bool prepare_inflater(struct compression *compression) {
    if (compression->has_inflater)
        return inflateReset(&compression->inflater) == Z_OK;
    init_stream(&compression->inflater);
    compression->has_inflater = inflateInit2(&compression->inflater, GZIP_WINDOW_BITS) == Z_OK;
    return compression->has_inflater;
}

static bool prepare_deflater(struct compression *compression) {
    if (compression->has_deflater)
        return deflateReset(&compression->deflater) == Z_OK;
    init_stream(&compression->deflater);
    compression->has_deflater = deflateInit2(&compression->deflater, Z_BEST_SPEED, Z_DEFLATED,
                                             GZIP_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return compression->has_deflater;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

// Grows with what is there, so that a small message stays small and a large one takes few steps.
static size_t choose_room(size_t done, size_t left) {
    size_t room = done < ROOM_MIN ? ROOM_MIN : least(done, COMPRESSION_STEP_BYTES);
    return least(room, left);
}

// One byte more than the limit tells too much from just enough.
static size_t find_first_stop(const struct inflate_limit *limit) {
    return limit->may_go_on ? least(limit->free_bytes, limit->max_bytes + 1) : limit->max_bytes + 1;
}

// OK when it may go on after `done` bytes, and then `*stop` is above them.
static enum status judge_size(const struct inflate_limit *limit, size_t done, size_t *stop) {
    if (done > limit->max_bytes)
        return STATUS_TOO_LARGE;
    if (done < *stop)
        return STATUS_OK;
    if (!limit->may_go_on(limit->context))
        return STATUS_EXHAUSTED;
    *stop = least(done + COMPRESSION_STEP_BYTES, limit->max_bytes + 1);
    return STATUS_OK;
}

// One step: more of `from` into the room that there is. Z_BUF_ERROR when there was no room or nothing to do.
static int inflate_part(z_stream *stream, struct buffer *to, size_t room) {
    stream->next_out = buffer_reserve(to, room);
    stream->avail_out = (uInt)room;
    if (!stream->next_out)
        return Z_MEM_ERROR;
    int result = inflate(stream, Z_NO_FLUSH);
    buffer_advance(to, room - stream->avail_out);
    return result;
}

static enum status judge_end(const z_stream *stream) {
    return stream->avail_in == 0 ? STATUS_OK : STATUS_MALFORMED;
}

enum status compression_inflate(struct compression *compression, struct bytes from,
                                const struct inflate_limit *limit, struct buffer *to) {
    if (from.len > UINT_MAX)
        return STATUS_TOO_LARGE;
    if (!prepare_inflater(compression))
        return STATUS_NO_MEMORY;
    z_stream *stream = &compression->inflater;
    stream->next_in = (Bytef *)from.data;
    stream->avail_in = (uInt)from.len;
    size_t begin = to->len, stop = find_first_stop(limit);
    for (;;) {
        size_t done = to->len - begin;
        enum status status = judge_size(limit, done, &stop);
        if (status != STATUS_OK)
            return status;
        switch (inflate_part(stream, to, choose_room(done, stop - done))) {
        case Z_STREAM_END: return to->len - begin > limit->max_bytes ? STATUS_TOO_LARGE : judge_end(stream);
        case Z_OK: break;
        case Z_MEM_ERROR: return STATUS_NO_MEMORY;
        default: return STATUS_MALFORMED;
        }
    }
}

enum status compression_deflate(struct compression *compression, struct bytes from, struct buffer *to) {
    if (from.len > UINT_MAX || !prepare_deflater(compression))
        return STATUS_NO_MEMORY;
    z_stream *stream = &compression->deflater;
    size_t room = deflateBound(stream, from.len);
    stream->next_out = buffer_reserve(to, room);
    if (!stream->next_out || room > UINT_MAX)
        return STATUS_NO_MEMORY;
    stream->next_in = (Bytef *)from.data;
    stream->avail_in = (uInt)from.len;
    stream->avail_out = (uInt)room;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return STATUS_NO_MEMORY;
    buffer_advance(to, room - stream->avail_out);
    return STATUS_OK;
}
