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

void reclaim_add(struct reclaim *reclaim, void (*release)(void *owner, void *object), void *owner,
                 void *object) {
    if (!object)
        return;
    if (has_room(reclaim)) {
        reclaim->items[reclaim->count++] = (struct reclaim_item){release, owner, object};
        return;
    }
    quiescence_wait();
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
    for (size_t i = 0; i < reclaim->count; i++) {
        struct reclaim_item item = reclaim->items[i];
        item.release(item.owner, item.object);
    }
    reclaim->count = 0;
}

void reclaim_fini(struct reclaim *reclaim) {
    reclaim_run(reclaim);
    free(reclaim->items);
    *reclaim = (struct reclaim){0};
}
