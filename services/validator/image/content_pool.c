#include "services/validator/image/content_pool.h"

#include <stdlib.h>

#include "common/access/domain_set.h"
#include "common/access/permission_set.h"
#include "common/base/clock.h"
#include "common/ip/ip_set.h"
#include "services/validator/image/permission_tail.h"

// ---- kinds ----

#define DEFINE_KIND(type)                                                  \
    static uint64_t type##_hash(const void *set, const uint64_t keys[2]) { \
        return type##_get_hash(set, keys);                                 \
    }                                                                      \
    static bool type##_equal(const void *a, const void *b) {               \
        return type##_is_equal(a, b);                                      \
    }                                                                      \
    static size_t type##_size(const void *set) {                           \
        return type##_get_size_bytes(set);                                 \
    }                                                                      \
    static void type##_release(void *set) {                                \
        type##_free(set);                                                  \
    }                                                                      \
    static const struct intern_kind type##_kind = {type##_hash, type##_equal, type##_size, type##_release}

DEFINE_KIND(ip_set);
DEFINE_KIND(domain_set);
DEFINE_KIND(permission_set);

// ---- the pool ----

void content_pool_init(struct content_pool *pool, struct reclaim *reclaim) {
    intern_table_init(&pool->ip_sets, &ip_set_kind, reclaim);
    intern_table_init(&pool->domain_sets, &domain_set_kind, reclaim);
    intern_table_init(&pool->permission_sets, &permission_set_kind, reclaim);
}

void content_pool_fini(struct content_pool *pool) {
    intern_table_fini(&pool->ip_sets);
    intern_table_fini(&pool->domain_sets);
    intern_table_fini(&pool->permission_sets);
}

static bool is_of_draft(const void *set, const void *draft) {
    return ip_set_draft_is_equal(draft, set);
}

// why not simply made and put: most lists of a load are there already, and making a set of many takes long.
static enum status put_entries(struct content_pool *pool, const struct ip_set_entry *entries, size_t count,
                               struct interned **ret_ips) {
    struct ip_set_draft draft;
    if (!ip_set_draft_init(&draft, entries, count))
        return STATUS_NO_MEMORY;
    uint64_t hash = ip_set_draft_get_hash(&draft, pool->ip_sets.keys);
    struct interned *ips = intern_table_take(&pool->ip_sets, hash, is_of_draft, &draft);
    enum status status =
        ips ? STATUS_OK : intern_table_put(&pool->ip_sets, ip_set_new_of_draft(&draft), &ips);
    ip_set_draft_fini(&draft);
    if (status == STATUS_OK)
        *ret_ips = ips;
    return status;
}

enum status content_pool_put_prefixes(struct content_pool *pool, const struct ip_prefix *prefixes,
                                      size_t count, struct interned **ret_ips) {
    if (count == 0) {
        *ret_ips = NULL;
        return STATUS_OK;
    }
    struct ip_set_entry *entries = calloc(count, sizeof(*entries));
    if (!entries)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct ip_set_entry){.prefix = prefixes[i], .ends_at_ms = CLOCK_NEVER_MS};
    enum status status = put_entries(pool, entries, count, ret_ips);
    free(entries);
    return status;
}

// False when out of memory.
static bool keep_tail(const struct permission_catalogue *catalogue, struct permission_set *set) {
    struct arena arena;
    arena_init(&arena, 0);
    struct bytes tail = permission_tail_make(catalogue, set, &arena);
    bool has_memory =
        tail.data && (tail.len > PERMISSION_TAIL_KEPT_MAX || permission_set_keep_tail(set, tail));
    arena_fini(&arena);
    return has_memory;
}

enum status content_pool_put_permissions(struct content_pool *pool,
                                         const struct permission_catalogue *catalogue,
                                         struct permission_set *set, struct interned **ret_permissions) {
    if (!set)
        return STATUS_NO_MEMORY;
    uint64_t hash = permission_set_get_hash(set, pool->permission_sets.keys);
    struct interned *equal = intern_table_take(&pool->permission_sets, hash, permission_set_equal, set);
    if (!equal && keep_tail(catalogue, set))
        return intern_table_put(&pool->permission_sets, set, ret_permissions);
    permission_set_free(set);
    if (!equal)
        return STATUS_NO_MEMORY;
    *ret_permissions = equal;
    return STATUS_OK;
}

enum status content_pool_put_domains(struct content_pool *pool, const struct bytes *patterns, size_t count,
                                     struct interned **ret_domains) {
    if (count == 0) {
        *ret_domains = NULL;
        return STATUS_OK;
    }
    return intern_table_put(&pool->domain_sets, domain_set_new(patterns, count), ret_domains);
}

size_t content_pool_get_size_bytes(const struct content_pool *pool) {
    return pool->ip_sets.size_bytes + pool->domain_sets.size_bytes + pool->permission_sets.size_bytes;
}
