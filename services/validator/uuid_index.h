// The writer's way from an id to its objects: a hash table of pointers to objects that hold their id inside.
// Several objects may have one id (the secrets of a token). Readers never come here.
#ifndef LATCHKEY_SERVICES_VALIDATOR_UUID_INDEX_H
#define LATCHKEY_SERVICES_VALIDATOR_UUID_INDEX_H

#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

// One thread. 8 bytes a slot, steady load 3/8 to 3/4.
struct uuid_index {
    size_t id_offset; // of the struct uuid in an object
    void **slots;     // NULL = empty; linear probing, no holes: removal moves what stands behind
    size_t capacity;  // a power of two; 0 = nothing allocated yet
    size_t count;
};

void uuid_index_init(struct uuid_index *index, size_t id_offset);
void uuid_index_fini(struct uuid_index *index); // objects stay the caller's

MUST_CHECK enum status uuid_index_add(struct uuid_index *index, void *object);

// The object itself, by address. It must be there, its id unchanged.
void uuid_index_remove(struct uuid_index *index, const void *object);

// In place of `object`, which is there, another one with the same id.
void uuid_index_replace(struct uuid_index *index, const void *object, void *by);

// One object with that id, or NULL.
void *uuid_index_find(const struct uuid_index *index, const struct uuid *id);

// All objects with that id: begin with `*cursor` 0; NULL at the end. Nothing may be added or removed
// meanwhile.
void *uuid_index_next(const struct uuid_index *index, const struct uuid *id, size_t *cursor);

// All objects: the same.
void *uuid_index_next_of_all(const struct uuid_index *index, size_t *cursor);

size_t uuid_index_get_size_bytes(const struct uuid_index *index);

#endif
