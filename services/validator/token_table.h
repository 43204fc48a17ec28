// From the digest of a secret to its record: a hash table with open addressing and linear probing that one
// thread writes while any number of threads read, without a lock and without ever waiting.
//
// A slot is one 64-bit word: 48 bits of pointer, and 16 bits of the key's hash so that a probe follows a
// pointer nearly only when it has found its record. The whole digest is compared in the record. The hash is
// keyed with random bits of this process: digests of imported secrets are chosen by customers.
//
// Invariant (what makes readers safe): at every instant, no empty slot lies between a record's home slot and
// the slot it stands in. Every write of the table is one store that keeps it true:
//   put       into the first slot on its way that is empty or deleted, or over the record it replaces;
//   remove    marks the slot deleted, or empty when the next one is empty (nothing can stand behind it), and
//             then the deleted ones before it as well, so that marks don't pile up;
//   grow      a new array is filled beside the old one and published by one pointer. It is also how marks
//             are cleared away: full means records and marks together above 3/4.
//
// Memory: 8 bytes a slot, steady load 3/8 to 3/4, so 11 to 21 bytes a record; while growing the old array is
// there too, so at most 32 bytes a record at the peak. Records are the caller's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_TOKEN_TABLE_H
#define LATCHKEY_SERVICES_VALIDATOR_TOKEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/digest.h"
#include "services/validator/reclaim.h"
#include "services/validator/token_record.h"

struct token_table;

// Borrows `reclaim`, where old arrays go.
MUST_CHECK enum status token_table_new(struct reclaim *reclaim, struct token_table **ret_table);

// No reader may be in it any more. Records stay the caller's. Takes NULL.
void token_table_free(struct token_table *table);

// Any thread. The record stays as it is until the reader goes offline (quiescence.h).
const struct token_record *token_table_find(const struct token_table *table, const struct digest *digest);

// The same for those whom the time must not tell whether there is one: without one another record, "decoy",
// is compared and returned, for the caller to go on with as far as with the right one. NULL only where there
// is no record at all.
const struct token_record *token_table_find_or_decoy(const struct token_table *table,
                                                     const struct digest *digest, bool *ret_is_found);

// The rest is the writer's.

// Borrows `record`. `*ret_replaced` is the one with the same digest that stood there, now the caller's to
// reclaim, or NULL. NO_MEMORY leaves the table as it was.
MUST_CHECK enum status token_table_put(struct token_table *table, const struct token_record *record,
                                       const struct token_record **ret_replaced);

// The record, now the caller's to reclaim; NULL if there was none.
const struct token_record *token_table_remove(struct token_table *table, const struct digest *digest);

// Walks all records: begin with `*cursor` 0; NULL at the end. Removing the record just returned is fine.
const struct token_record *token_table_next(const struct token_table *table, size_t *cursor);

size_t token_table_get_count(const struct token_table *table);
size_t token_table_get_size_bytes(const struct token_table *table); // without records

// Walks every invariant: the sentence for the first one broken, NULL if all hold. For tests; slow.
const char *token_table_check(const struct token_table *table);

#endif
