#include "services/validator/image/permission_tail.h"

#include <assert.h>
#include <string.h>

#include "common/protobuf/wire_reader.h"

enum { HEAD_BYTES = 2 }; // of a field: its tag, and the length of the name
static_assert(PERMISSION_NAME_MAX < 0x80, "a length is one byte");

static size_t measure(const struct bytes *names, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += HEAD_BYTES + names[i].len;
    return size;
}

struct bytes permission_tail_make(const struct permission_catalogue *catalogue,
                                  const struct permission_set *set, struct arena *arena) {
    const struct bytes *names;
    size_t count;
    if (!permission_catalogue_list(catalogue, set, arena, &names, &count))
        return BYTES_EMPTY;
    size_t size = measure(names, count);
    uint8_t *tail = arena_allocate(arena, size), *to = tail;
    for (size_t i = 0; tail && i < count; i++) {
        *to++ = WIRE_TAG(PERMISSION_TAIL_FIELD, WIRE_LENGTH);
        *to++ = (uint8_t)names[i].len;
        memcpy(to, names[i].data, names[i].len);
        to += names[i].len;
    }
    return tail ? bytes_of(tail, size) : BYTES_EMPTY;
}

bool permission_tail_next(struct bytes *tail, struct bytes *ret_name) {
    if (tail->len == 0)
        return false;
    *ret_name = bytes_of(tail->data + HEAD_BYTES, tail->data[1]);
    *tail = bytes_of(ret_name->data + ret_name->len, tail->len - HEAD_BYTES - ret_name->len);
    return true;
}
