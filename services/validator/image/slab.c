#include "services/validator/image/slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20, PAGE_BYTES = 4096, DIRECTORY_MIN = 8 };

static size_t get_block_bytes(const struct slab *slab) {
    return (size_t)slab->object_size << slab->block_bits;
}

static struct slab_directory *get_own_directory(const struct slab *slab) {
    return atomic_load_explicit(&slab->directory, memory_order_relaxed);
}

void slab_init(struct slab *slab, struct reclaim *reclaim, size_t object_size, unsigned block_bits) {
    assert(object_size >= sizeof(uint32_t) && (object_size << block_bits) % PAGE_BYTES == 0);
    *slab = (struct slab){.object_size = (uint32_t)object_size,
                          .block_bits = (uint8_t)block_bits,
                          .reclaim = reclaim,
                          .first_fresh = SLAB_NONE + 1};
}

void slab_fini(struct slab *slab) {
    for (size_t i = 0; i < slab->block_count; i++)
        free(get_own_directory(slab)->blocks[i]);
    free(get_own_directory(slab));
    *slab = (struct slab){.object_size = 0};
}

static enum status grow_directory(struct slab *slab) {
    struct slab_directory *old = get_own_directory(slab);
    size_t capacity = old ? old->capacity * 2 : DIRECTORY_MIN;
    struct slab_directory *grown = malloc(sizeof(*grown) + capacity * sizeof(grown->blocks[0]));
    if (!grown)
        return STATUS_NO_MEMORY;
    grown->capacity = capacity;
    if (old)
        memcpy(grown->blocks, old->blocks, old->capacity * sizeof(old->blocks[0]));
    atomic_store_explicit(&slab->directory, grown, memory_order_release);
    reclaim_add_memory(slab->reclaim, old);
    return STATUS_OK;
}

static enum status add_block(struct slab *slab) {
    const struct slab_directory *directory = get_own_directory(slab);
    if ((!directory || slab->block_count == directory->capacity) && grow_directory(slab) != STATUS_OK)
        return STATUS_NO_MEMORY;
    size_t size = get_block_bytes(slab);
    char *block = aligned_alloc(size >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : PAGE_BYTES, size);
    if (!block)
        return STATUS_NO_MEMORY;
    if (size >= HUGE_PAGE_BYTES)
        (void)madvise(block, size, MADV_HUGEPAGE); // only a wish
    get_own_directory(slab)->blocks[slab->block_count++] = block;
    return STATUS_OK;
}

uint32_t slab_allocate(struct slab *slab) {
    uint32_t number = slab->first_free;
    if (number != SLAB_NONE) {
        memcpy(&slab->first_free, slab_get(slab, number), sizeof(slab->first_free));
        return number;
    }
    if (slab->first_fresh == UINT32_MAX)
        return SLAB_NONE;
    if (slab->first_fresh >> slab->block_bits == slab->block_count && add_block(slab) != STATUS_OK)
        return SLAB_NONE;
    return slab->first_fresh++;
}

void slab_release(struct slab *slab, uint32_t number) {
    memcpy(slab_get(slab, number), &slab->first_free, sizeof(slab->first_free));
    slab->first_free = number;
}

void *slab_next(const struct slab *slab, uint32_t *number) {
    return ++*number < slab->first_fresh ? slab_get(slab, *number) : NULL;
}

size_t slab_get_size_bytes(const struct slab *slab) {
    const struct slab_directory *directory = get_own_directory(slab);
    return slab->block_count * get_block_bytes(slab) +
           (directory ? sizeof(*directory) + directory->capacity * sizeof(directory->blocks[0]) : 0);
}
