// Which secrets were used since somebody last looked: from which address, when for the last time, and who
// asked. One entry for each pair of secret and address, one cache line each, in a table of fixed size: to
// note a use allocates nothing, locks nothing and reads no clock. What finds no room is dropped and counted.
//
// Pure data structure; one thread at a time.
#ifndef LATCHKEY_COMMON_APP_USE_TABLE_H
#define LATCHKEY_COMMON_APP_USE_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/ip/address.h"

enum use_kind {
    USE_NONE = 0, // an empty slot
    USE_ADMITTED, // the token was let in
    USE_TOO_LATE, // it was refused as expired: maybe a secret that a rotation has replaced
};

// Who asked, as a number; those that are tokens begin at USE_BY_TOKEN.
enum { USE_BY_UNKNOWN, USE_BY_LOCAL, USE_BY_SERVER, USE_BY_TOKEN };
#define USE_TOKENS_MAX 64 // askers that one table tells apart

struct use {
    struct digest digest;
    int64_t at_ms; // the database's time, as well as it is known
    struct ip_address address;
    uint8_t kind; // enum use_kind
    uint16_t by;
};
static_assert(sizeof(struct use) == 64, "one cache line");

struct use_table;

// At least `capacity` uses; rounded up to a power of two.
MUST_CHECK enum status use_table_new(size_t capacity, struct use_table **ret_table);
void use_table_free(struct use_table *table); // takes NULL

// False: there was no room for it.
bool use_table_note(struct use_table *table, const struct use *use);

// Asks the memory for what noting this one would read.
void use_table_prefetch(const struct use_table *table, const struct use *use);

// The number of an asker that is a token; USE_BY_UNKNOWN for more than USE_TOKENS_MAX different ones.
uint16_t use_table_get_by(struct use_table *table, struct uuid token_id);
// The other way round; zero for what is no token's number.
struct uuid use_table_get_asker(const struct use_table *table, uint16_t by);

size_t use_table_get_count(const struct use_table *table);
// So many that somebody should come and look.
bool use_table_is_filling(const struct use_table *table);

// Walks the uses in no order: begins with `*position` 0; NULL at the end.
const struct use *use_table_next(const struct use_table *table, size_t *position);

// Forgets everything, askers too.
void use_table_clear(struct use_table *table);

#endif
