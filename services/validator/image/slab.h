// Objects of one size by the million, each by a number of 32 bits: cut from large blocks, with no header of
// their own, and recycled through a list of free ones. A number is half of a pointer, and readers find the
// object by it while the writer makes more: blocks never move, and go back only with the slab.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_SLAB_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_SLAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/reclaim.h"

// Stands for no object.
#define SLAB_NONE UINT32_C(0)

struct slab_directory {
    size_t capacity;
    char *blocks[]; // each written before a number of it is published
};

struct slab {
    _Atomic(struct slab_directory *) directory; // release store by the writer, acquire load by readers
    uint32_t object_size;
    uint8_t block_bits; // a block has 1 << block_bits objects

    // The writer's.
    struct reclaim *reclaim;
    uint32_t first_fresh; // the smallest number that was never given out
    uint32_t first_free;  // linked through their first bytes
    size_t block_count;
};

// Borrows `reclaim`, where old directories go. `object_size` is at least 4; objects are aligned as its
// largest power of two. Blocks of 2 MiB and more are made of huge pages where the system has them: random
// look-ups then miss the TLB far less often.
void slab_init(struct slab *slab, struct reclaim *reclaim, size_t object_size, unsigned block_bits);
void slab_fini(struct slab *slab); // and every object with it; zeroed memory will do

// Not zeroed. SLAB_NONE when out of memory or of numbers.
MUST_CHECK uint32_t slab_allocate(struct slab *slab);

// No reader may hold the object any more. Its first four bytes are overwritten, the others stay.
void slab_release(struct slab *slab, uint32_t number);

// Any thread that has the number from where the writer has published it.
static inline void *slab_get(const struct slab *slab, uint32_t number) {
    const struct slab_directory *directory = atomic_load_explicit(&slab->directory, memory_order_acquire);
    char *block = directory->blocks[number >> slab->block_bits];
    return block + (size_t)(number & ((UINT32_C(1) << slab->block_bits) - 1)) * slab->object_size;
}

// The writer walks all objects, free ones as well: begin with `*number` SLAB_NONE; NULL at the end.
void *slab_next(const struct slab *slab, uint32_t *number);

size_t slab_get_size_bytes(const struct slab *slab); // of all blocks

#endif
