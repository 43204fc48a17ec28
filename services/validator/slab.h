// Objects of one size by the million: cut from large blocks, with no header of their own, and recycled
// through a list of free ones. Blocks go back only with the slab.
#ifndef LATCHKEY_SERVICES_VALIDATOR_SLAB_H
#define LATCHKEY_SERVICES_VALIDATOR_SLAB_H

#include <stddef.h>

#include "common/base/compiler.h"

struct slab_block;

// One thread.
struct slab {
    size_t object_size; // a multiple of 32, to which objects are aligned
    struct slab_block *blocks;
    size_t block_count;
    char *fresh, *fresh_end; // the rest of the newest block
    void *first_free;        // linked through their first bytes
};

void slab_init(struct slab *slab, size_t object_size);
void slab_fini(struct slab *slab); // and every object with it

// Not zeroed. NULL when out of memory.
MUST_CHECK void *slab_allocate(struct slab *slab);
void slab_release(struct slab *slab, void *object);

size_t slab_get_size_bytes(const struct slab *slab); // of all blocks

#endif
