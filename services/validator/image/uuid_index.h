// The writer's way from an id to its objects: a hash table of pointers to objects that hold their id inside,
// each another one. Readers never come here.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_UUID_INDEX_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_UUID_INDEX_H

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

// Its id is not in the index yet. NO_MEMORY.
MUST_CHECK enum status uuid_index_add(struct uuid_index *index, void *object);

// It must be there, its id unchanged.
void uuid_index_remove(struct uuid_index *index, const void *object);

// The object with that id, or NULL.
void *uuid_index_find(const struct uuid_index *index, const struct uuid *id);

// All objects: begin with `*cursor` 0; NULL at the end. Nothing may be added or removed meanwhile.
void *uuid_index_next_of_all(const struct uuid_index *index, size_t *cursor);

#endif
