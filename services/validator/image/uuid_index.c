#include "services/validator/image/uuid_index.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };

// A UUIDv7 is a time and then randomness; the multiplication spreads both over all bits.
static size_t get_home(const struct uuid_index *index, const struct uuid *id) {
    uint64_t words[2];
    memcpy(words, id->bytes, sizeof(words));
    uint64_t mixed = (words[0] ^ words[1] * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(mixed ^ mixed >> 32) & (index->capacity - 1);
}

static const struct uuid *get_id(const struct uuid_index *index, const void *object) {
    return (const struct uuid *)((const char *)object + index->id_offset);
}

static size_t step(const struct uuid_index *index, size_t at) {
    return (at + 1) & (index->capacity - 1);
}

void uuid_index_init(struct uuid_index *index, size_t id_offset) {
    *index = (struct uuid_index){.id_offset = id_offset};
}

void uuid_index_fini(struct uuid_index *index) {
    free(index->slots);
    *index = (struct uuid_index){.id_offset = index->id_offset};
}

static void place(struct uuid_index *index, void *object) {
    size_t at = get_home(index, get_id(index, object));
    while (index->slots[at])
        at = step(index, at);
    index->slots[at] = object;
}

static enum status grow(struct uuid_index *index) {
    struct uuid_index grown = *index;
    grown.capacity = index->capacity ? index->capacity * 2 : CAPACITY_MIN;
    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (!grown.slots)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i])
            place(&grown, index->slots[i]);
    free(index->slots);
    *index = grown;
    return STATUS_OK;
}

enum status uuid_index_add(struct uuid_index *index, void *object) {
    if (index->count + 1 > index->capacity / 4 * 3) {
        enum status status = grow(index);
        if (status != STATUS_OK)
            return status;
    }
    place(index, object);
    index->count++;
    return STATUS_OK;
}

static size_t find_slot(const struct uuid_index *index, const void *object) {
    size_t at = get_home(index, get_id(index, object));
    while (index->slots[at] != object) {
        assert(index->slots[at]);
        at = step(index, at);
    }
    return at;
}

// Moves into the hole whatever may stand there, until what follows may stay: no look-up ever crosses a hole.
void uuid_index_remove(struct uuid_index *index, const void *object) {
    size_t hole = find_slot(index, object);
    for (size_t at = step(index, hole); index->slots[at]; at = step(index, at)) {
        size_t home = get_home(index, get_id(index, index->slots[at]));
        size_t mask = index->capacity - 1;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        index->slots[hole] = index->slots[at];
        hole = at;
    }
    index->slots[hole] = NULL;
    index->count--;
}

void *uuid_index_find(const struct uuid_index *index, const struct uuid *id) {
    if (index->capacity == 0)
        return NULL;
    size_t at = get_home(index, id);
    while (index->slots[at] && !uuid_is_equal(*get_id(index, index->slots[at]), *id))
        at = step(index, at);
    return index->slots[at];
}

void *uuid_index_next_of_all(const struct uuid_index *index, size_t *cursor) {
    while (*cursor < index->capacity) {
        void *object = index->slots[(*cursor)++];
        if (object)
            return object;
    }
    return NULL;
}
