#include "services/validator/slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 1 << 20, OBJECT_ALIGNMENT = 32 };

struct slab_block {
    struct slab_block *next;
};

void slab_init(struct slab *slab, size_t object_size) {
    assert(object_size > 0 && object_size % OBJECT_ALIGNMENT == 0);
    *slab = (struct slab){.object_size = object_size};
}

void slab_fini(struct slab *slab) {
    while (slab->blocks) {
        struct slab_block *block = slab->blocks;
        slab->blocks = block->next;
        free(block);
    }
    *slab = (struct slab){.object_size = slab->object_size};
}

static void *add_block(struct slab *slab) {
    struct slab_block *block = aligned_alloc(OBJECT_ALIGNMENT, BLOCK_SIZE);
    if (!block)
        return NULL;
    block->next = slab->blocks;
    slab->blocks = block;
    slab->block_count++;
    slab->fresh = (char *)block + OBJECT_ALIGNMENT;
    slab->fresh_end = (char *)block + BLOCK_SIZE;
    return block;
}

void *slab_allocate(struct slab *slab) {
    void *object = slab->first_free;
    if (object) {
        memcpy(&slab->first_free, object, sizeof(slab->first_free));
        return object;
    }
    if ((size_t)(slab->fresh_end - slab->fresh) < slab->object_size && !add_block(slab))
        return NULL;
    object = slab->fresh;
    slab->fresh += slab->object_size;
    return object;
}

void slab_release(struct slab *slab, void *object) {
    memcpy(object, &slab->first_free, sizeof(slab->first_free));
    slab->first_free = object;
}

size_t slab_get_size_bytes(const struct slab *slab) {
    return slab->block_count * BLOCK_SIZE;
}
