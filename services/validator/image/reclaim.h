// What the writer has unpublished and readers may still hold. The writer collects it while it works and frees
// all of it after one common grace period.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_RECLAIM_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_RECLAIM_H

#include <stddef.h>

// Zeroed memory is an empty one. Writer thread only.
struct reclaim {
    struct reclaim_item *items;
    size_t first, count, capacity; // `first`: of those not released yet
};

// Takes `object`: `release(owner, object)` is called after a grace period. NULL objects are ignored. When
// there is no memory to remember it, this waits for the grace period at once, and releases what was added
// before as well, in order; so it never fails.
void reclaim_add(struct reclaim *reclaim, void (*release)(void *owner, void *object), void *owner,
                 void *object);

// The same for what malloc() gave.
void reclaim_add_memory(struct reclaim *reclaim, void *object);

// Waits for a grace period, if there is anything to release, and releases it, in the order of adding. What is
// added meanwhile is released as well: nobody can hold it, as its holder is gone.
void reclaim_run(struct reclaim *reclaim);

// Releases what is left and frees the list.
void reclaim_fini(struct reclaim *reclaim);

#endif
