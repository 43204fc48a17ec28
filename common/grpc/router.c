// Half full at most, so that a path that is not there is known after one or two steps.
#include "common/grpc/router.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    const struct grpc_method *method; // NULL = empty
    uint32_t hash;
    uint32_t index;
    size_t path_length;
};

struct router {
    size_t count;
    size_t mask;
    const struct grpc_method **methods;
    struct slot *slots;
};

// FNV-1a over eight bytes at a time. No peer chooses what is in the table, so a collision costs a step and no
// more.
static uint32_t hash_path(struct bytes path) {
    uint64_t hash = 0xcbf29ce484222325u ^ path.len;
    size_t i = 0;
    for (; i + 8 <= path.len; i += 8) {
        uint64_t word;
        memcpy(&word, path.data + i, sizeof(word));
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 32;
    }
    for (; i < path.len; i++)
        hash = (hash ^ path.data[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ hash >> 29);
}

static const struct slot *find_slot(const struct router *router, struct bytes path) {
    uint32_t hash = hash_path(path);
    size_t at = hash & router->mask;
    for (;; at = (at + 1) & router->mask) {
        const struct slot *slot = &router->slots[at];
        if (!slot->method)
            return slot;
        if (slot->hash == hash && bytes_is_equal(bytes_of(slot->method->path, slot->path_length), path))
            return slot;
    }
}

static bool is_valid(const struct grpc_method *method) {
    const struct grpc_handler *handler = method->handler;
    if (!method->path || method->path[0] != '/' || !handler || !method->request || !method->response)
        return false;
    const char *slash = strchr(method->path + 1, '/');
    bool has_names = slash && slash > method->path + 1 && slash[1] != '\0' && !strchr(slash + 1, '/');
    return has_names && !!handler->on_message + !!handler->on_bytes + !!handler->on_requests == 1;
}

static enum status add(struct router *router, const struct grpc_method *method) {
    if (!is_valid(method))
        return STATUS_INVALID;
    struct bytes path = bytes_of_text(method->path);
    struct slot *slot = (struct slot *)find_slot(router, path);
    if (slot->method)
        return STATUS_ALREADY_EXISTS;
    *slot = (struct slot){
        .method = method, .hash = hash_path(path), .index = (uint32_t)router->count, .path_length = path.len};
    router->methods[router->count++] = method;
    return STATUS_OK;
}

static enum status add_all(struct router *router, const struct router_table *tables, size_t table_count) {
    for (size_t i = 0; i < table_count; i++) {
        for (size_t k = 0; k < tables[i].count; k++) {
            enum status status = add(router, &tables[i].methods[k]);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

enum status router_new(const struct router_table *tables, size_t table_count, struct router **ret_router) {
    size_t count = 0, capacity = 8;
    for (size_t i = 0; i < table_count; i++)
        count += tables[i].count;
    while (capacity < count * 2)
        capacity *= 2;

    enum status status = STATUS_NO_MEMORY;
    struct router *router = calloc(1, sizeof(*router));
    if (!router)
        return status;
    router->mask = capacity - 1;
    router->methods = calloc(count + 1, sizeof(struct grpc_method *));
    router->slots = calloc(capacity, sizeof(*router->slots));
    if (router->methods && router->slots)
        status = add_all(router, tables, table_count);
    if (status != STATUS_OK) {
        router_free(router);
        return status;
    }
    *ret_router = router;
    return STATUS_OK;
}

void router_free(struct router *router) {
    if (!router)
        return;
    free(router->methods);
    free(router->slots);
    free(router);
}

const struct grpc_method *router_find(const struct router *router, struct bytes path, size_t *ret_index) {
    const struct slot *slot = find_slot(router, path);
    if (!slot->method)
        return NULL;
    *ret_index = slot->index;
    return slot->method;
}

size_t router_get_count(const struct router *router) {
    return router->count;
}

const struct grpc_method *router_get_method(const struct router *router, size_t index) {
    return router->methods[index];
}
