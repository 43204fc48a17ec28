#include "services/validator/image/content_pool.h"

#include <stdlib.h>

#include "common/access/domain_set.h"
#include "common/access/permission_set.h"
#include "common/base/clock.h"
#include "common/ip/ip_set.h"

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
    struct ip_set *ips = ip_set_new(entries, count);
    free(entries);
    return intern_table_put(&pool->ip_sets, ips, ret_ips);
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
