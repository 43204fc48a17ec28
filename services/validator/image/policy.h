// What a token may do and from where, apart from its times: permissions, domains, addresses. Many tokens have
// the same policy, so each is held once ("interned") and shared by reference count; and what several policies
// have in common, of that too (content_pool.h).
//
// Readers find one by its number, and see `granted` (whose set is replaced when the catalogue changes), `ips`
// and `domains`; the rest, and the counting, is the writer's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_POLICY_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_POLICY_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/access/domain_set.h"
#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/ip/ip_set.h"
#include "services/validator/image/content_pool.h"
#include "services/validator/image/reclaim.h"
#include "services/validator/image/slab.h"

// As the database has it. Borrows.
struct policy_rule {
    const struct bytes *grants; // `charges.create`, `charges.*`
    size_t grant_count;
    const struct bytes *domains; // none = no restriction
    size_t domain_count;
    const struct ip_prefix *ips; // none = no restriction
    size_t ip_count;
};

struct policy {
    uint32_t number;
    _Atomic(const struct permission_set *) granted; // release store by the writer, acquire load by readers
    const struct ip_set *ips;                       // NULL = no restriction
    const struct domain_set *domains;               // NULL = no restriction

    // The writer's.
    struct policy *next; // of the same bucket
    uint64_t hash;
    size_t references;
    struct interned *granted_content, *ips_content, *domains_content; // of which the above are
    size_t grants_len;
    char grants[]; // each ended by a newline
};

struct policy_table {
    struct slab by_number; // of const struct policy *; readers'

    // The writer's.
    struct policy **buckets;
    size_t capacity, count;
    size_t size_bytes; // of all policies, without what is in the pool
    uint64_t keys[2];  // of the hash, random: rules are chosen by customers
    struct content_pool *pool;
};

// Borrows `pool`, and `reclaim` for the slab.
MUST_CHECK enum status policy_table_init(struct policy_table *table, struct content_pool *pool,
                                         struct reclaim *reclaim);
void policy_table_fini(struct policy_table *table); // no reader and no reference may be left

// The policy of that rule, with one more reference.
MUST_CHECK enum status policy_table_intern(struct policy_table *table,
                                           const struct permission_catalogue *catalogue,
                                           const struct policy_rule *rule, const struct policy **ret_policy);

// Gives one reference back. With the last one the policy is freed at once: the caller has waited until no
// reader can hold what pointed to it.
void policy_table_release(struct policy_table *table, const struct policy *policy);

// After the catalogue has changed: what every policy grants is worked out anew. On NO_MEMORY some have been.
MUST_CHECK enum status policy_table_expand(struct policy_table *table,
                                           const struct permission_catalogue *catalogue);

// Writer: a rule that is interned as this policy, in the arena; texts borrow from the policy. NO_MEMORY.
MUST_CHECK enum status policy_get_rule(const struct policy *policy, struct arena *arena,
                                       struct policy_rule *ret_rule);

static inline const struct policy *policy_table_get(const struct policy_table *table, uint32_t number) {
    return *(const struct policy **)slab_get(&table->by_number, number);
}

static inline const struct permission_set *policy_get_granted(const struct policy *policy) {
    return atomic_load_explicit(&policy->granted, memory_order_acquire);
}

#endif
