#include "services/validator/image/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/multiply_fold.h"
#include "common/base/random.h"
#include "services/validator/image/grant_text.h"

enum { BUCKETS_MIN = 64, BLOCK_BITS = 12 };

enum status policy_table_init(struct policy_table *table, struct content_pool *pool,
                              struct reclaim *reclaim) {
    *table = (struct policy_table){.capacity = BUCKETS_MIN, .pool = pool};
    table->buckets = calloc(BUCKETS_MIN, sizeof(table->buckets[0]));
    if (!table->buckets)
        return STATUS_NO_MEMORY;
    slab_init(&table->by_number, reclaim, sizeof(struct policy *), BLOCK_BITS);
    random_fill(table->keys, sizeof(table->keys));
    return STATUS_OK;
}

void policy_table_fini(struct policy_table *table) {
    assert(table->count == 0);
    free(table->buckets);
    slab_fini(&table->by_number);
    *table = (struct policy_table){.buckets = NULL};
}

// --- the key ---

// What a policy is found by. Interned lists are the same where their places are.
struct key {
    struct bytes grants;
    struct interned *ips, *domains;
};

static void write_grants(struct buffer *grants, const struct policy_rule *rule) {
    for (size_t i = 0; i < rule->grant_count; i++) {
        buffer_append(grants, rule->grants[i]);
        buffer_append_byte(grants, '\n');
    }
}

static void release_lists(struct content_pool *pool, struct interned *ips, struct interned *domains) {
    intern_table_release(&pool->ip_sets, ips);
    intern_table_release(&pool->domain_sets, domains);
}

static enum status put_lists(struct content_pool *pool, const struct policy_rule *rule, struct key *key) {
    enum status status = content_pool_put_prefixes(pool, rule->ips, rule->ip_count, &key->ips);
    if (status != STATUS_OK)
        return status;
    status = content_pool_put_domains(pool, rule->domains, rule->domain_count, &key->domains);
    if (status != STATUS_OK)
        release_lists(pool, key->ips, NULL);
    return status;
}

// Who could choose rules that share a bucket would keep the writer busy walking it, and so everybody's
// validator from following.
static uint64_t hash_key(const struct policy_table *table, const struct key *key) {
    uint64_t hash = multiply_fold_bytes(key->grants, table->keys);
    hash = multiply_fold(hash ^ (uintptr_t)key->ips, table->keys[1]);
    return multiply_fold(hash ^ (uintptr_t)key->domains, table->keys[1]);
}

static bool has_key(const struct policy *policy, const struct key *key) {
    return policy->ips_content == key->ips && policy->domains_content == key->domains &&
           bytes_is_equal(bytes_of(policy->grants, policy->grants_len), key->grants);
}

// --- making one ---

static enum status expand_grants(struct policy_table *table, const struct permission_catalogue *catalogue,
                                 struct bytes grants, struct interned **ret_granted) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    if (!set)
        return STATUS_NO_MEMORY;
    for (struct bytes grant; (grant = bytes_split(&grants, '\n')).len > 0;)
        // A grant that the catalogue does not know any more grants nothing.
        if (!permission_catalogue_expand(catalogue, grant, set))
            continue;
    return content_pool_put_permissions(table->pool, catalogue, set, ret_granted);
}

// Takes the lists of the key if it is made.
static enum status new_policy(struct policy_table *table, const struct permission_catalogue *catalogue,
                              const struct key *key, struct policy **ret_policy) {
    struct interned *granted;
    enum status status = expand_grants(table, catalogue, key->grants, &granted);
    if (status != STATUS_OK)
        return status;
    struct policy *policy = malloc(sizeof(*policy) + key->grants.len);
    if (!policy) {
        intern_table_release(&table->pool->permission_sets, granted);
        return STATUS_NO_MEMORY;
    }
    *policy = (struct policy){.ips = interned_get_object(key->ips),
                              .domains = interned_get_object(key->domains),
                              .hash = hash_key(table, key),
                              .granted_content = granted,
                              .ips_content = key->ips,
                              .domains_content = key->domains,
                              .grants_len = key->grants.len};
    atomic_init(&policy->granted, granted->object);
    if (key->grants.len > 0)
        memcpy(policy->grants, key->grants.data, key->grants.len);
    *ret_policy = policy;
    return STATUS_OK;
}

static void free_policy(struct policy_table *table, struct policy *policy) {
    intern_table_release(&table->pool->permission_sets, policy->granted_content);
    release_lists(table->pool, policy->ips_content, policy->domains_content);
    free(policy);
}

static size_t get_size_bytes(const struct policy *policy) {
    return sizeof(*policy) + policy->grants_len;
}

// --- the table ---

static struct policy **get_bucket(const struct policy_table *table, uint64_t hash) {
    return &table->buckets[(hash ^ hash >> 32) & (table->capacity - 1)];
}

static struct policy *find_policy(const struct policy_table *table, const struct key *key) {
    uint64_t hash = hash_key(table, key);
    for (struct policy *policy = *get_bucket(table, hash); policy; policy = policy->next)
        if (policy->hash == hash && has_key(policy, key))
            return policy;
    return NULL;
}

static void link_policy(struct policy_table *table, struct policy *policy) {
    struct policy **bucket = get_bucket(table, policy->hash);
    policy->next = *bucket;
    *bucket = policy;
}

// Without memory for more buckets the table only gets slower.
static void grow(struct policy_table *table) {
    struct policy_table grown = *table;
    grown.capacity *= 2;
    grown.buckets = calloc(grown.capacity, sizeof(grown.buckets[0]));
    if (!grown.buckets)
        return;
    for (size_t i = 0; i < table->capacity; i++)
        for (struct policy *policy = table->buckets[i], *next; policy; policy = next) {
            next = policy->next;
            link_policy(&grown, policy);
        }
    free(table->buckets);
    *table = grown;
}

// Takes the lists of the key if there is memory.
static enum status add_policy(struct policy_table *table, const struct permission_catalogue *catalogue,
                              const struct key *key, struct policy **ret_policy) {
    uint32_t number = slab_allocate(&table->by_number);
    if (number == SLAB_NONE)
        return STATUS_NO_MEMORY;
    enum status status = new_policy(table, catalogue, key, ret_policy);
    if (status != STATUS_OK) {
        slab_release(&table->by_number, number);
        return status;
    }
    *(const struct policy **)slab_get(&table->by_number, number) = *ret_policy;
    (*ret_policy)->number = number;
    if (table->count >= table->capacity)
        grow(table);
    link_policy(table, *ret_policy);
    table->count++;
    table->size_bytes += get_size_bytes(*ret_policy);
    return STATUS_OK;
}

// Takes the lists of the key, whatever is returned.
static enum status intern(struct policy_table *table, const struct permission_catalogue *catalogue,
                          const struct key *key, const struct policy **ret_policy) {
    struct policy *policy = find_policy(table, key);
    bool is_there = policy != NULL;
    enum status status = is_there ? STATUS_OK : add_policy(table, catalogue, key, &policy);
    if (is_there || status != STATUS_OK)
        release_lists(table->pool, key->ips, key->domains);
    if (status != STATUS_OK)
        return status;
    policy->references++;
    *ret_policy = policy;
    return STATUS_OK;
}

enum status policy_table_intern(struct policy_table *table, const struct permission_catalogue *catalogue,
                                const struct policy_rule *rule, const struct policy **ret_policy) {
    struct buffer grants = {0};
    struct key key;
    write_grants(&grants, rule);
    enum status status = grants.failed ? STATUS_NO_MEMORY : put_lists(table->pool, rule, &key);
    if (status == STATUS_OK) {
        key.grants = buffer_get_bytes(&grants);
        status = intern(table, catalogue, &key, ret_policy);
    }
    buffer_fini(&grants);
    return status;
}

void policy_table_release(struct policy_table *table, const struct policy *borrowed) {
    struct policy **link = get_bucket(table, borrowed->hash);
    while (*link != borrowed)
        link = &(*link)->next;
    struct policy *policy = *link;
    assert(policy->references > 0);
    if (--policy->references > 0)
        return;
    *link = policy->next;
    table->count--;
    table->size_bytes -= get_size_bytes(policy);
    slab_release(&table->by_number, policy->number);
    free_policy(table, policy);
}

static enum status expand_policy(struct policy_table *table, const struct permission_catalogue *catalogue,
                                 struct policy *policy) {
    struct interned *granted;
    enum status status =
        expand_grants(table, catalogue, bytes_of(policy->grants, policy->grants_len), &granted);
    if (status != STATUS_OK)
        return status;
    atomic_store_explicit(&policy->granted, granted->object, memory_order_release);
    intern_table_retire(&table->pool->permission_sets, policy->granted_content);
    policy->granted_content = granted;
    return STATUS_OK;
}

enum status policy_table_expand(struct policy_table *table, const struct permission_catalogue *catalogue) {
    for (size_t i = 0; i < table->capacity; i++)
        for (struct policy *policy = table->buckets[i]; policy; policy = policy->next) {
            enum status status = expand_policy(table, catalogue, policy);
            if (status != STATUS_OK)
                return status;
        }
    return STATUS_OK;
}

// --- and back ---

// A set that matches nothing stays one: no pattern at all would mean every domain.
static bool get_domains(const struct policy *policy, struct arena *arena, struct policy_rule *rule) {
    if (!policy->domains)
        return true;
    size_t count = domain_set_get_count(policy->domains);
    struct bytes *domains = ARENA_NEW_ARRAY(arena, struct bytes, count + 1);
    if (!domains)
        return false;
    domain_set_copy_patterns(policy->domains, domains);
    rule->domains = domains;
    rule->domain_count = count > 0 ? count : 1;
    return true;
}

static bool get_ips(const struct policy *policy, struct arena *arena, struct policy_rule *rule) {
    if (!policy->ips)
        return true;
    rule->ip_count = ip_set_get_count(policy->ips);
    rule->ips = ip_set_copy_prefixes(policy->ips, arena);
    return rule->ips;
}

enum status policy_get_rule(const struct policy *policy, struct arena *arena, struct policy_rule *ret_rule) {
    struct policy_rule rule = {.grants = NULL};
    if (!grant_text_split(bytes_of(policy->grants, policy->grants_len), arena, &rule.grants,
                          &rule.grant_count) ||
        !get_domains(policy, arena, &rule) || !get_ips(policy, arena, &rule))
        return STATUS_NO_MEMORY;
    *ret_rule = rule;
    return STATUS_OK;
}
