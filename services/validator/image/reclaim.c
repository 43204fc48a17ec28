#include "services/validator/image/reclaim.h"

#include <stdbool.h>
#include <stdlib.h>

#include "services/validator/image/quiescence.h"

struct reclaim_item {
    void (*release)(void *owner, void *object);
    void *owner, *object;
};

static bool has_room(struct reclaim *reclaim) {
    if (reclaim->count < reclaim->capacity)
        return true;
    size_t capacity = reclaim->capacity ? reclaim->capacity * 2 : 64;
    struct reclaim_item *grown = realloc(reclaim->items, capacity * sizeof(*grown));
    if (!grown)
        return false;
    reclaim->items = grown;
    reclaim->capacity = capacity;
    return true;
}

// A release may come back here by reclaim_add(): then that goes on where this is.
static void release_all(struct reclaim *reclaim) {
    while (reclaim->first < reclaim->count) {
        struct reclaim_item item = reclaim->items[reclaim->first++];
        item.release(item.owner, item.object);
    }
    reclaim->first = reclaim->count = 0;
}

void reclaim_add(struct reclaim *reclaim, void (*release)(void *owner, void *object), void *owner,
                 void *object) {
    if (!object)
        return;
    if (has_room(reclaim)) {
        reclaim->items[reclaim->count++] = (struct reclaim_item){release, owner, object};
        return;
    }
    quiescence_wait();
    release_all(reclaim); // an image comes after what is of it
    release(owner, object);
}

static void release_memory(void *owner, void *object) {
    (void)owner;
    free(object);
}

void reclaim_add_memory(struct reclaim *reclaim, void *object) {
    reclaim_add(reclaim, release_memory, NULL, object);
}

void reclaim_run(struct reclaim *reclaim) {
    if (reclaim->count == 0)
        return;
    quiescence_wait();
    release_all(reclaim);
}

void reclaim_fini(struct reclaim *reclaim) {
    reclaim_run(reclaim);
    free(reclaim->items);
    *reclaim = (struct reclaim){0};
}
