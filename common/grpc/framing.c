// A message that lies whole in what was read is handed on where it lies; only one that was cut is put
// together in `body`.
#include "common/grpc/framing.h"

#include <assert.h>
#include <string.h>

// What a stream keeps of a message's memory for the next one: no budget counts it, so it is less than the
// rest of what a stream takes, and enough for most questions.
enum { KEPT_BYTES = 1024 };

void framing_init(struct framing *framing, uint32_t max_length) {
    *framing = (struct framing){.max_length = max_length};
}

void framing_fini(struct framing *framing) {
    buffer_fini(&framing->body);
}

void framing_trim(struct framing *framing) {
    if (framing->prefix_len == 0 && !framing->is_bare && framing->body.capacity > KEPT_BYTES)
        buffer_fini(&framing->body);
}

void framing_reset(struct framing *framing, uint32_t max_length) {
    framing->prefix_len = 0;
    framing->is_bare = false;
    framing->length = 0;
    framing->max_length = max_length;
    framing_trim(framing);
    buffer_reset(&framing->body);
}

void framing_reset_bare(struct framing *framing, uint32_t max_length) {
    framing_reset(framing, max_length);
    framing->is_bare = true;
}

struct bytes framing_get_bare(const struct framing *framing) {
    return buffer_get_bytes(&framing->body);
}

static struct bytes take(struct bytes *from, size_t len) {
    struct bytes taken = bytes_of(from->data, len);
    from->data += len;
    from->len -= len;
    return taken;
}

static enum framing_result judge_prefix(struct framing *framing) {
    const uint8_t *prefix = framing->prefix;
    if (prefix[0] > FRAMING_FLAG_COMPRESSED)
        return FRAMING_BAD_FLAG;
    framing->is_compressed = prefix[0] == FRAMING_FLAG_COMPRESSED;
    framing->length =
        (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 | prefix[4];
    return framing->length > framing->max_length ? FRAMING_TOO_LARGE : FRAMING_MORE;
}

static enum framing_result read_prefix(struct framing *framing, struct bytes *from) {
    size_t missing = FRAMING_PREFIX_BYTES - framing->prefix_len;
    size_t len = from->len < missing ? from->len : missing;
    if (len == 0)
        return FRAMING_MORE;
    memcpy(framing->prefix + framing->prefix_len, take(from, len).data, len);
    framing->prefix_len = (uint8_t)(framing->prefix_len + len);
    if (framing->prefix_len < FRAMING_PREFIX_BYTES)
        return FRAMING_MORE;
    buffer_reset(&framing->body);
    return judge_prefix(framing);
}

static enum framing_result read_bare(struct framing *framing, struct bytes *from) {
    if (from->len > framing->max_length - framing->body.len)
        return FRAMING_TOO_LARGE;
    buffer_append(&framing->body, take(from, from->len));
    return framing->body.failed ? FRAMING_NO_MEMORY : FRAMING_MORE;
}

// why not room for all of it at once: its length is what a peer says. What has come vouches for as much
// again, which spares a message of two parts, as most are that were cut, a copy; a buffer that doubles takes
// no more.
static void append_part(struct framing *framing, struct bytes part, size_t missing) {
    size_t vouched = framing->body.len == 0 ? part.len * 2 : part.len;
    if (buffer_reserve(&framing->body, missing < vouched ? missing : vouched))
        buffer_append(&framing->body, part);
}

enum framing_result framing_read(struct framing *framing, struct bytes *from, struct bytes *ret_message) {
    if (framing->is_bare)
        return read_bare(framing, from);
    if (framing->prefix_len < FRAMING_PREFIX_BYTES) {
        enum framing_result result = read_prefix(framing, from);
        if (result != FRAMING_MORE || framing->prefix_len < FRAMING_PREFIX_BYTES)
            return result;
    }
    size_t missing = framing->length - framing->body.len;
    if (framing->body.len == 0 && from->len >= missing) {
        *ret_message = take(from, missing);
        framing->prefix_len = 0;
        return FRAMING_MESSAGE;
    }
    struct bytes part = take(from, from->len < missing ? from->len : missing);
    if (part.len == 0)
        return FRAMING_MORE;
    append_part(framing, part, missing);
    if (framing->body.failed)
        return FRAMING_NO_MEMORY;
    if (part.len < missing)
        return FRAMING_MORE;
    *ret_message = buffer_get_bytes(&framing->body);
    framing->prefix_len = 0;
    return FRAMING_MESSAGE;
}

struct buffer framing_take_body(struct framing *framing, struct bytes message) {
    struct buffer body = framing->body;
    if (message.data != body.data)
        return (struct buffer){0};
    framing->body = (struct buffer){0};
    return body;
}

size_t framing_get_held_bytes(const struct framing *framing) {
    return framing->is_bare || framing->prefix_len > 0 ? framing->body.capacity : 0;
}

bool framing_is_at_boundary(const struct framing *framing) {
    return framing->prefix_len == 0;
}
