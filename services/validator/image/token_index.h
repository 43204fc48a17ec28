// The writer's way from a token's id to its records, one for each of its secrets: a hash table of their
// numbers. Readers never come here.
//
// Memory: four bytes a slot of which 0.78 to 0.88 are taken, so 4.6 to 5.1 bytes a record. It is in 1024
// partitions, each of which grows for itself, an eighth at a time: the peak is a thousandth more, and the
// work of one addition is bounded by a partition.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_INDEX_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/validator/image/slab.h"

enum { TOKEN_INDEX_PARTITIONS = 1024 };

// One thread.
struct token_index {
    const struct slab *records;
    uint64_t keys[2];
    size_t count, capacity; // of all partitions
    struct token_partition {
        uint32_t *slots; // SLAB_NONE = empty; linear probing, no holes: removal moves what stands behind
        uint32_t capacity, count;
    } partitions[TOKEN_INDEX_PARTITIONS];
};

// Borrows `records`, of struct token_record.
void token_index_init(struct token_index *index, const struct slab *records);
void token_index_fini(struct token_index *index);

// Asks the memory for what the others read.
void token_index_prefetch(const struct token_index *index, const struct uuid *id);

// As token_table_reserve() and token_table_trim().
void token_index_reserve(struct token_index *index, size_t count);
void token_index_trim(struct token_index *index);

// Its id is set and stays so.
MUST_CHECK enum status token_index_add(struct token_index *index, uint32_t number);

// Which must be there.
void token_index_remove(struct token_index *index, uint32_t number);

// In place of `number`, which is there, another one with the same id.
void token_index_replace(struct token_index *index, uint32_t number, uint32_t by);

// All with that id: begin with `*cursor` 0; SLAB_NONE at the end. Nothing may be added or removed meanwhile.
uint32_t token_index_next(const struct token_index *index, const struct uuid *id, size_t *cursor);

// Walks every invariant: the sentence for the first one broken, NULL if all hold. For tests; slow.
const char *token_index_check(const struct token_index *index);

size_t token_index_get_size_bytes(const struct token_index *index);

#endif
