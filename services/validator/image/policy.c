#include "services/validator/image/policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/multiply_fold.h"
#include "common/base/random.h"

enum { BUCKETS_MIN = 64, BLOCK_BITS = 12 };

enum status policy_table_init(struct policy_table *table, struct reclaim *reclaim) {
    *table = (struct policy_table){.capacity = BUCKETS_MIN, .reclaim = reclaim};
    table->buckets = calloc(BUCKETS_MIN, sizeof(table->buckets[0]));
    if (!table->buckets)
        return STATUS_NO_MEMORY;
    slab_init(&table->by_number, reclaim, sizeof(struct policy *), BLOCK_BITS);
    random_fill(table->keys, sizeof(table->keys));
    return STATUS_OK;
}

static size_t get_size_bytes(const struct policy *policy) {
    const struct permission_set *granted = policy_get_granted(policy);
    return sizeof(*policy) + policy->key_len + (granted ? permission_set_get_size_bytes(granted) : 0) +
           (policy->ips ? ip_set_get_size_bytes(policy->ips) : 0) +
           (policy->domains ? domain_set_get_size_bytes(policy->domains) : 0);
}

static void free_policy(struct policy *policy) {
    permission_set_free((struct permission_set *)policy_get_granted(policy));
    ip_set_free((struct ip_set *)policy->ips);
    domain_set_free((struct domain_set *)policy->domains);
    free(policy);
}

void policy_table_fini(struct policy_table *table) {
    for (size_t i = 0; table->buckets && i < table->capacity; i++)
        while (table->buckets[i]) {
            struct policy *policy = table->buckets[i];
            table->buckets[i] = policy->next;
            free_policy(policy);
        }
    free(table->buckets);
    slab_fini(&table->by_number);
    *table = (struct policy_table){.buckets = NULL};
}

// --- the key ---
//
// How many grants, domains and addresses; grants, then domains, each text ended by a newline and each list by
// an empty line; then the addresses. By the counts it can be told whether a text has a newline inside.

struct key_head {
    uint32_t grant_count, domain_count, ip_count;
};

enum { PREFIX_BYTES = 2 + sizeof(((struct ip_address *)0)->bytes) };

static void append_lines(struct buffer *key, const struct bytes *lines, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buffer_append(key, lines[i]);
        buffer_append_byte(key, '\n');
    }
    buffer_append_byte(key, '\n');
}

static void append_prefix(struct buffer *key, const struct ip_prefix *prefix) {
    buffer_append_byte(key, prefix->address.family);
    buffer_append_byte(key, prefix->bits);
    buffer_append(key, bytes_of(prefix->address.bytes, sizeof(prefix->address.bytes)));
}

static void write_key(struct buffer *key, const struct policy_rule *rule) {
    const struct key_head head = {(uint32_t)rule->grant_count, (uint32_t)rule->domain_count,
                                  (uint32_t)rule->ip_count};
    buffer_append(key, bytes_of(&head, sizeof(head)));
    append_lines(key, rule->grants, rule->grant_count);
    append_lines(key, rule->domains, rule->domain_count);
    for (size_t i = 0; i < rule->ip_count; i++)
        append_prefix(key, &rule->ips[i]);
}

// The texts, and the addresses behind them.
static struct bytes get_lists(const struct policy *policy) {
    return bytes_of(policy->key + sizeof(struct key_head), policy->key_len - sizeof(struct key_head));
}

// Eight bytes at a time, the last ones filled up with zeros: the length takes part. Who could choose rules
// that share a bucket would keep the writer busy walking it, and so everybody's validator from following.
static uint64_t hash_key(const struct policy_table *table, struct bytes key) {
    uint64_t hash = table->keys[0] ^ key.len;
    for (size_t i = 0; i < key.len; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = key.len - i;
        memcpy(&word, key.data + i, left < sizeof(word) ? left : sizeof(word));
        hash = multiply_fold(hash ^ word, table->keys[1]);
    }
    return hash;
}

// --- making one ---

static enum status expand_grants(const struct permission_catalogue *catalogue, struct bytes grants,
                                 struct permission_set **ret_set) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    if (!set)
        return STATUS_NO_MEMORY;
    for (struct bytes grant; (grant = bytes_split(&grants, '\n')).len > 0;)
        // A grant that the catalogue does not know any more grants nothing.
        if (!permission_catalogue_expand(catalogue, grant, set))
            continue;
    *ret_set = set;
    return STATUS_OK;
}

static enum status make_ips(const struct ip_prefix *prefixes, size_t count, const struct ip_set **ret_ips) {
    if (count == 0)
        return STATUS_OK;
    struct ip_set_entry *entries = calloc(count, sizeof(*entries));
    if (!entries)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct ip_set_entry){.prefix = prefixes[i], .ends_at_ms = CLOCK_NEVER_MS};
    *ret_ips = ip_set_new(entries, count);
    free(entries);
    return *ret_ips ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status fill_policy(struct policy *policy, const struct permission_catalogue *catalogue,
                               const struct policy_rule *rule) {
    struct permission_set *granted = NULL;
    enum status status = expand_grants(catalogue, get_lists(policy), &granted);
    atomic_init(&policy->granted, granted);
    if (status != STATUS_OK)
        return status;
    if (rule->domain_count > 0) {
        policy->domains = domain_set_new(rule->domains, rule->domain_count);
        if (!policy->domains)
            return STATUS_NO_MEMORY;
    }
    return make_ips(rule->ips, rule->ip_count, &policy->ips);
}

static enum status new_policy(const struct permission_catalogue *catalogue, const struct policy_rule *rule,
                              struct bytes key, struct policy **ret_policy) {
    struct policy *policy = calloc(1, sizeof(*policy) + key.len);
    if (!policy)
        return STATUS_NO_MEMORY;
    policy->key_len = key.len;
    memcpy(policy->key, key.data, key.len);
    enum status status = fill_policy(policy, catalogue, rule);
    if (status != STATUS_OK) {
        free_policy(policy);
        return status;
    }
    *ret_policy = policy;
    return STATUS_OK;
}

// --- the table ---

static struct policy **get_bucket(const struct policy_table *table, uint64_t hash) {
    return &table->buckets[(hash ^ hash >> 32) & (table->capacity - 1)];
}

static struct policy *find_policy(const struct policy_table *table, struct bytes key, uint64_t hash) {
    for (struct policy *policy = *get_bucket(table, hash); policy; policy = policy->next)
        if (policy->hash == hash && bytes_is_equal(bytes_of(policy->key, policy->key_len), key))
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

static enum status add_policy(struct policy_table *table, const struct permission_catalogue *catalogue,
                              const struct policy_rule *rule, struct bytes key, struct policy **ret_policy) {
    uint32_t number = slab_allocate(&table->by_number);
    enum status status =
        number == SLAB_NONE ? STATUS_NO_MEMORY : new_policy(catalogue, rule, key, ret_policy);
    if (status != STATUS_OK) {
        if (number != SLAB_NONE)
            slab_release(&table->by_number, number);
        return status;
    }
    *(const struct policy **)slab_get(&table->by_number, number) = *ret_policy;
    (*ret_policy)->number = number;
    if (table->count >= table->capacity)
        grow(table);
    (*ret_policy)->hash = hash_key(table, key);
    link_policy(table, *ret_policy);
    table->count++;
    table->size_bytes += get_size_bytes(*ret_policy);
    return STATUS_OK;
}

enum status policy_table_intern(struct policy_table *table, const struct permission_catalogue *catalogue,
                                const struct policy_rule *rule, const struct policy **ret_policy) {
    struct buffer buffer = {0};
    write_key(&buffer, rule);
    if (buffer.failed) {
        buffer_fini(&buffer);
        return STATUS_NO_MEMORY;
    }
    struct bytes key = buffer_get_bytes(&buffer);
    struct policy *policy = find_policy(table, key, hash_key(table, key));
    enum status status = policy ? STATUS_OK : add_policy(table, catalogue, rule, key, &policy);
    if (status == STATUS_OK) {
        policy->references++;
        *ret_policy = policy;
    }
    buffer_fini(&buffer);
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
    free_policy(policy);
}

static void release_set(void *owner, void *set) {
    (void)owner;
    permission_set_free(set);
}

static enum status expand_policy(struct policy_table *table, const struct permission_catalogue *catalogue,
                                 struct policy *policy) {
    struct permission_set *granted;
    enum status status = expand_grants(catalogue, get_lists(policy), &granted);
    if (status != STATUS_OK)
        return status;
    table->size_bytes -= get_size_bytes(policy);
    const struct permission_set *old =
        atomic_exchange_explicit(&policy->granted, granted, memory_order_acq_rel);
    table->size_bytes += get_size_bytes(policy);
    reclaim_add(table->reclaim, release_set, NULL, (void *)old);
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

static const struct bytes *take_lines(struct bytes *lists, struct arena *arena, size_t count) {
    struct bytes *lines = ARENA_NEW_ARRAY(arena, struct bytes, count);
    for (size_t i = 0; lines && i < count; i++)
        lines[i] = bytes_split(lists, '\n');
    bytes_split(lists, '\n');
    return lines;
}

static const struct ip_prefix *take_prefixes(struct bytes lists, struct arena *arena, size_t count) {
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, count);
    struct cursor cursor = cursor_of(lists);
    for (size_t i = 0; prefixes && i < count; i++) {
        prefixes[i].address.family = cursor_read_u8(&cursor);
        prefixes[i].bits = cursor_read_u8(&cursor);
        struct bytes address = cursor_read_bytes(&cursor, sizeof(prefixes[i].address.bytes));
        memcpy(prefixes[i].address.bytes, address.data, address.len);
    }
    return prefixes;
}

enum status policy_get_rule(const struct policy *policy, struct arena *arena, struct policy_rule *ret_rule) {
    struct key_head head;
    struct bytes lists = get_lists(policy);
    memcpy(&head, policy->key, sizeof(head));
    struct policy_rule rule = {.grants = take_lines(&lists, arena, head.grant_count),
                               .grant_count = head.grant_count,
                               .domains = take_lines(&lists, arena, head.domain_count),
                               .domain_count = head.domain_count,
                               .ip_count = head.ip_count};
    if (lists.len != (size_t)head.ip_count * PREFIX_BYTES)
        return STATUS_MALFORMED;
    rule.ips = take_prefixes(lists, arena, head.ip_count);
    if (!rule.grants || !rule.domains || !rule.ips)
        return STATUS_NO_MEMORY;
    *ret_rule = rule;
    return STATUS_OK;
}
