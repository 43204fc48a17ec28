// What is equal is held once ("interned"): immutable objects of one kind, found by their content, each with a
// count of those who hold it.
//
//     holder (a company, a member, a policy) --> interned --> object <-- readers, by a plain pointer
//
// The writer's alone. Readers see an object where its holder has published it, and go by quiescence.h.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_INTERN_TABLE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_INTERN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/reclaim.h"

struct intern_kind {
    uint64_t (*get_hash)(const void *object, const uint64_t keys[2]); // the same for equal objects
    bool (*is_equal)(const void *a, const void *b);
    size_t (*get_size_bytes)(const void *object); // never changes
    void (*free)(void *object);
};

// NULL stands for no object.
struct interned {
    void *object;
    struct interned *next; // of the same bucket
    uint32_t hash;
    uint32_t references;
};

// Zeroed memory is good for intern_table_fini().
struct intern_table {
    const struct intern_kind *kind;
    struct reclaim *reclaim;
    struct interned **buckets;
    size_t capacity; // a power of two; 0 = nothing allocated yet
    size_t count;
    size_t size_bytes; // of all objects, each once, and of what keeps them
    uint64_t keys[2];  // of the hash, random: content is chosen by customers
};

// Borrows both.
void intern_table_init(struct intern_table *table, const struct intern_kind *kind, struct reclaim *reclaim);
void intern_table_fini(struct intern_table *table); // nothing is held any more

// Takes the object, and gives one reference to it or to one equal to it, which then is kept in its place.
// A NULL object is out of memory, and then as ever `*ret` is untouched.
MUST_CHECK enum status intern_table_put(struct intern_table *table, void *object, struct interned **ret);

// Gives one reference back at once: the caller knows that no reader has the object from it. With the last one
// the object is freed. NULL is ignored.
void intern_table_release(struct intern_table *table, struct interned *interned);

// The same after a grace period: the holder has just been unpublished.
void intern_table_retire(struct intern_table *table, struct interned *interned);

static inline const void *interned_get_object(const struct interned *interned) {
    return interned ? interned->object : NULL;
}

#endif
