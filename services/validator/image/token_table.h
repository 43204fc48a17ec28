// From the digest of a secret to its record: a hash table that one thread writes while any number of threads
// read, without a lock and without ever waiting.
//
// Its key is the digest's fingerprint, which is also its hash. A bucket is one cache line: ten numbers of
// records (slab.h), and 16 bits of each one's fingerprint, so that a look-up goes to a record nearly only
// when it has found it. A look-up is two steps to memory, each of which can be asked for ahead: both buckets
// at once, then the record.
//
// Invariant (what makes readers safe): a record stands in one of the two buckets that its fingerprint names,
// once, and is never moved. So every write of a table is one slot:
//   put       into a free slot of the emptier of the two, or over the number it replaces;
//   remove    frees the slot; nothing stands behind it;
//   grow      when both are full. The buckets are in partitions, by the first bits of fingerprints; one
//             partition is built beside, an eighth larger, and published by one word that holds its place and
//             its size. Readers find in the old one what they found before.
//
// Memory: 64 bytes for ten slots of which 0.74 to 0.85 are taken, so 7.5 to 8.6 bytes a record. While it
// grows one partition of 4096 is there twice: a 4096th at the peak (a table below 64 Ki records is one
// partition, at most 1 MiB more). The work of one put is bounded by a partition: 10 million records have 2
// 500 in each.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_TABLE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_TOKEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/digest.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/image/reclaim.h"
#include "services/validator/image/slab.h"
#include "services/validator/image/token_record.h"

struct token_table;

// A look-up under way, from one call to the next in the same turn (quiescence.h).
struct token_probe {
    struct fingerprint fingerprint;
    uint32_t candidate; // SLAB_NONE = both buckets are empty
    bool is_match;      // it has the right 16 bits; else it is the decoy
};

// Borrows `reclaim`, where old partitions go, and `records`, where the numbers are from.
MUST_CHECK enum status token_table_new(struct reclaim *reclaim, const struct slab *records,
                                       const struct fingerprint_key *key, struct token_table **ret_table);

// No reader may be in it any more. Records stay the caller's. Takes NULL.
void token_table_free(struct token_table *table);

// Any thread. The record stays as it is until the reader goes offline (quiescence.h). The time must not tell
// whether there is one: without one another record, "decoy", is compared and returned, for the caller to go
// on with as far as with the right one. NULL only where there is no record at all.
const struct token_record *token_table_find_or_decoy(const struct token_table *table,
                                                     const struct digest *digest, bool *ret_is_found);

// The same in three steps, for many look-ups at once: the first step for all, the second for all, the third.
// Each asks the memory for what the next one reads.
void token_table_begin_probe(const struct token_table *table, const struct digest *digest,
                             struct token_probe *ret_probe);
void token_table_advance_probe(const struct token_table *table, struct token_probe *probe);
const struct token_record *token_table_end_probe(const struct token_table *table,
                                                 const struct token_probe *probe, bool *ret_is_found);

// The rest is the writer's.

const struct fingerprint_key *token_table_get_key(const struct token_table *table);

// Asks the memory for what the next two read.
void token_table_prefetch(const struct token_table *table, const struct fingerprint *fingerprint);

// SLAB_NONE if there is none.
uint32_t token_table_find_number(const struct token_table *table, const struct fingerprint *fingerprint);

// What a table that is filled at once does not have to grow for, again and again: makes room for about so
// many where it is empty. Only a wish: without memory for it the table grows as it must.
void token_table_reserve(struct token_table *table, size_t count);

// Gives back room that nothing has come for. Only a wish, too.
void token_table_trim(struct token_table *table);

// The record of that number, its fingerprint set. `*ret_replaced` is the one with the same fingerprint that
// stood there, now the caller's to reclaim, or SLAB_NONE. NO_MEMORY leaves the table as it was.
MUST_CHECK enum status token_table_put(struct token_table *table, uint32_t number, uint32_t *ret_replaced);

// Which is there; now the caller's to reclaim.
void token_table_remove(struct token_table *table, uint32_t number);

size_t token_table_get_count(const struct token_table *table);
size_t token_table_get_size_bytes(const struct token_table *table); // without records

// Walks every invariant: the sentence for the first one broken, NULL if all hold. For tests; slow.
const char *token_table_check(const struct token_table *table);

#endif
