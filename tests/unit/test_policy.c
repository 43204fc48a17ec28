// Interned policies: one for each rule, counted, and worked out anew when the catalogue changes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/permission_tail.h"
#include "services/validator/image/policy.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct permission_definition definitions[] = {
    {BYTES_LITERAL("charges.create"), false},
    {BYTES_LITERAL("charges.read"), false},
    {BYTES_LITERAL("refunds.create"), false},
};

static struct permission_catalogue *new_catalogue(const struct permission_catalogue *previous, size_t count) {
    struct permission_catalogue *catalogue = permission_catalogue_new(previous, definitions, count);
    assert_non_null(catalogue);
    return catalogue;
}

static struct content_pool pool;

static void begin(struct policy_table *table, struct reclaim *reclaim) {
    *reclaim = (struct reclaim){0};
    content_pool_init(&pool, reclaim);
    assert_int_equal(policy_table_init(table, &pool, reclaim), STATUS_OK);
}

static void end(struct policy_table *table, struct reclaim *reclaim) {
    reclaim_fini(reclaim);
    assert_int_equal(table->count, 0);
    assert_int_equal(table->size_bytes, 0);
    policy_table_fini(table);
    assert_int_equal(content_pool_get_size_bytes(&pool), 0);
    content_pool_fini(&pool);
}

static const struct policy *intern(struct policy_table *table, const struct permission_catalogue *catalogue,
                                   const struct policy_rule *rule) {
    const struct policy *policy;
    assert_int_equal(policy_table_intern(table, catalogue, rule, &policy), STATUS_OK);
    return policy;
}

static bool is_granted(const struct policy *policy, const struct permission_catalogue *catalogue,
                       const char *name) {
    return permission_set_has(policy_get_granted(policy),
                              permission_catalogue_find_id(catalogue, bytes_of_text(name)));
}

static void equal_rules_share_one_policy_until_the_last_lets_go(void **state) {
    (void)state;
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct permission_catalogue *catalogue = new_catalogue(NULL, 3);
    struct bytes grants[] = {BYTES_LITERAL("charges.*")}, same[] = {BYTES_LITERAL("charges.*")};
    struct policy_rule rule = {.grants = grants, .grant_count = 1}, twin = {.grants = same, .grant_count = 1};
    const struct policy *first = intern(&table, catalogue, &rule), *second = intern(&table, catalogue, &twin);
    assert_ptr_equal(first, second);
    assert_int_equal(table.count, 1);
    policy_table_release(&table, first);
    assert_int_equal(table.count, 1);
    assert_true(is_granted(second, catalogue, "charges.read"));
    policy_table_release(&table, second);
    end(&table, &reclaim);
    permission_catalogue_free(catalogue);
}

// What answers copy: a group of a few bytes may stand for far more than that.
static void only_short_lists_of_names_are_kept_with_a_set(void **state) {
    (void)state;
    enum { MANY = PERMISSION_TAIL_KEPT_MAX / 10 };
    struct permission_definition many[MANY];
    char texts[MANY][16];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "many.n%06zu", i);
        many[i] = (struct permission_definition){bytes_of_text(texts[i]), false};
    }
    struct permission_catalogue *catalogue = permission_catalogue_new(NULL, many, MANY);
    assert_non_null(catalogue);
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct bytes one = bytes_of_text(texts[7]), all = BYTES_LITERAL("many.*"), name;
    const struct policy *shorter =
        intern(&table, catalogue, &(struct policy_rule){.grants = &one, .grant_count = 1});
    const struct policy *longer =
        intern(&table, catalogue, &(struct policy_rule){.grants = &all, .grant_count = 1});
    const struct permission_set *granted = policy_get_granted(shorter);
    struct bytes tail = bytes_of(granted->tail, granted->tail_len);
    assert_true(permission_tail_next(&tail, &name));
    assert_true(bytes_is_equal(name, one));
    assert_false(permission_tail_next(&tail, &name));
    assert_int_equal(permission_set_get_count(policy_get_granted(longer)), MANY);
    assert_null(policy_get_granted(longer)->tail);
    policy_table_release(&table, shorter);
    policy_table_release(&table, longer);
    end(&table, &reclaim);
    permission_catalogue_free(catalogue);
}

// Lists that read alike when they are written one behind the other.
static void rules_that_differ_in_anything_are_apart(void **state) {
    (void)state;
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct bytes a = BYTES_LITERAL("charges.read"), ab[] = {a, BYTES_LITERAL("refunds.create")},
                 ba[] = {ab[1], a};
    struct ip_prefix whole = {.address = {.family = IP_FAMILY_V4, .bytes = {10}}, .bits = 8}, half = whole;
    half.bits = 9;
    const struct policy_rule rules[] = {
        {0},
        {.grants = &a, .grant_count = 1},
        {.domains = &a, .domain_count = 1},
        {.grants = &a, .grant_count = 1, .domains = &a, .domain_count = 1},
        {.grants = ab, .grant_count = 2},
        {.grants = ba, .grant_count = 2},
        {.grants = &ab[0], .grant_count = 1, .domains = &ab[1], .domain_count = 1},
        {.ips = &whole, .ip_count = 1},
        {.ips = &half, .ip_count = 1},
    };
    const struct policy *policies[ARRAY_LENGTH(rules)];
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
        policies[i] = intern(&table, NULL, &rules[i]);
        assert_int_equal(policies[i]->ips != NULL, rules[i].ip_count > 0);
        assert_int_equal(policies[i]->domains != NULL, rules[i].domain_count > 0);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(policies[i], policies[k]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        policy_table_release(&table, policies[i]);
    end(&table, &reclaim);
}

static void what_is_granted_follows_the_catalogue(void **state) {
    (void)state;
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct permission_catalogue *small = new_catalogue(NULL, 1);
    struct bytes grants[] = {BYTES_LITERAL("charges.*"), BYTES_LITERAL("refunds.create"),
                             BYTES_LITERAL("zebras.read")};
    struct policy_rule rule = {.grants = grants, .grant_count = 3};
    const struct policy *policy = intern(&table, small, &rule);
    assert_int_equal(permission_set_get_count(policy_get_granted(policy)), 1);

    struct permission_catalogue *large = new_catalogue(small, 3);
    assert_int_equal(policy_table_expand(&table, large), STATUS_OK);
    assert_int_equal(permission_set_get_count(policy_get_granted(policy)), 3);
    assert_true(is_granted(policy, large, "refunds.create"));
    // As it would have been from the start.
    size_t size_bytes = table.size_bytes;
    policy_table_release(&table, policy);
    policy = intern(&table, large, &rule);
    assert_int_equal(table.size_bytes, size_bytes);
    policy_table_release(&table, policy);
    end(&table, &reclaim);
    permission_catalogue_free(small);
    permission_catalogue_free(large);
}

static void policies_share_the_lists_that_they_have_in_common(void **state) {
    (void)state;
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct permission_catalogue *catalogue = new_catalogue(NULL, 3);
    struct bytes one[] = {BYTES_LITERAL("charges.create")}, other[] = {BYTES_LITERAL("refunds.create")};
    struct bytes all[] = {BYTES_LITERAL("charges.create"), BYTES_LITERAL("charges.read")},
                 group[] = {BYTES_LITERAL("charges.*")};
    struct bytes domains[] = {BYTES_LITERAL("a.example"), BYTES_LITERAL("*.b.example")},
                 turned[] = {domains[1], domains[0]};
    struct ip_prefix ips[] = {{.address = {.family = IP_FAMILY_V4, .bytes = {10}}, .bits = 8},
                              {.address = {.family = IP_FAMILY_V6, .bytes = {0x20, 1}}, .bits = 32}},
                     back[] = {ips[1], ips[0]};
    const struct policy *a = intern(&table, catalogue, &(struct policy_rule){one, 1, domains, 2, ips, 2}),
                        *b = intern(&table, catalogue, &(struct policy_rule){other, 1, turned, 2, back, 2}),
                        *c = intern(&table, catalogue, &(struct policy_rule){all, 2, NULL, 0, NULL, 0}),
                        *d = intern(&table, catalogue, &(struct policy_rule){group, 1, NULL, 0, NULL, 0});
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a->ips, b->ips);
    assert_ptr_equal(a->domains, b->domains);
    assert_ptr_not_equal(policy_get_granted(a), policy_get_granted(b));
    assert_ptr_not_equal(c, d);
    assert_ptr_equal(policy_get_granted(c), policy_get_granted(d));
    policy_table_release(&table, a);
    assert_int_equal(domain_set_get_count(b->domains), 2);
    for (const struct policy **left = (const struct policy *[]){b, c, d, NULL}; *left; left++)
        policy_table_release(&table, *left);
    end(&table, &reclaim);
    permission_catalogue_free(catalogue);
}

enum { RULES = 300 };

struct plain_rule {
    char text[24];
    const struct policy *policy;
    size_t references;
};

static void counts_are_those_of_a_plain_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct policy_table table;
    struct reclaim reclaim;
    struct plain_rule *rules = calloc(RULES, sizeof(*rules));
    size_t count = 0;
    assert_non_null(rules);
    begin(&table, &reclaim);
    for (unsigned step = 0; step < 40000; step++) {
        struct plain_rule *plain = &rules[seed_next_below(&seed, RULES)];
        bool is_filling = step / 4000 % 2 == 0;
        if (seed_next_below(&seed, 4) ? is_filling : !is_filling) {
            snprintf(plain->text, sizeof(plain->text), "a.n%td", plain - rules);
            struct bytes grant = bytes_of_text(plain->text);
            const struct policy *policy =
                intern(&table, NULL, &(struct policy_rule){.grants = &grant, .grant_count = 1});
            assert_true(plain->references == 0 || policy == plain->policy);
            plain->policy = policy;
            count += plain->references++ == 0;
        } else if (plain->references > 0) {
            policy_table_release(&table, plain->policy);
            count -= --plain->references == 0;
        }
        assert_int_equal(table.count, count);
    }
    for (size_t i = 0; i < RULES; i++)
        while (rules[i].references-- > 0)
            policy_table_release(&table, rules[i].policy);
    end(&table, &reclaim);
    free(rules);
}

static bool make_a_policy(void *context) {
    const struct permission_catalogue *catalogue = context;
    struct bytes grant = BYTES_LITERAL("charges.*"), domain = BYTES_LITERAL("*.example.com");
    struct ip_prefix prefix = {.address = {.family = IP_FAMILY_V4, .bytes = {10}}, .bits = 8};
    struct policy_rule rule = {&grant, 1, &domain, 1, &prefix, 1};
    struct reclaim reclaim = {0};
    struct policy_table table;
    const struct policy *policy = NULL;
    content_pool_init(&pool, &reclaim);
    enum status status = policy_table_init(&table, &pool, &reclaim);
    if (status == STATUS_OK)
        status = policy_table_intern(&table, catalogue, &rule, &policy);
    if (status == STATUS_OK)
        policy_table_release(&table, policy);
    bool is_whole = table.count == 0 && table.size_bytes == 0 && content_pool_get_size_bytes(&pool) == 0;
    policy_table_fini(&table);
    content_pool_fini(&pool);
    return is_whole && status == STATUS_OK;
}

static void a_failing_allocation_leaves_nothing_behind(void **state) {
    (void)state;
    struct permission_catalogue *catalogue = new_catalogue(NULL, 3);
    allocation_failure_try_each(make_a_policy, catalogue);
    permission_catalogue_free(catalogue);
}

// FNV-1a, which anybody can work out beforehand.
static uint64_t guess_hash(struct bytes grant) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < grant.len; i++)
        hash = (hash ^ (uint8_t)grant.data[i]) * UINT64_C(0x100000001B3);
    hash = (hash ^ '\n') * UINT64_C(0x100000001B3);
    return hash ^ hash >> 32;
}

// Else a customer with many tokens keeps the validator from following.
static void nobody_can_choose_rules_that_share_a_bucket(void **state) {
    (void)state;
    enum { COUNT = 64, LONGEST = 20 };
    struct policy_table table;
    struct reclaim reclaim;
    begin(&table, &reclaim);
    struct permission_catalogue *catalogue = new_catalogue(NULL, 3);
    const struct policy *policies[COUNT];
    char text[24];
    struct bytes grant;
    for (size_t i = 0, tried = 0; i < COUNT; i++) {
        do {
            snprintf(text, sizeof(text), "a.n%zu", tried++);
            grant = bytes_of_text(text);
        } while (guess_hash(grant) % COUNT != 0);
        policies[i] = intern(&table, catalogue, &(struct policy_rule){.grants = &grant, .grant_count = 1});
    }
    for (size_t i = 0; i < table.capacity; i++) {
        size_t length = 0;
        for (const struct policy *policy = table.buckets[i]; policy; policy = policy->next)
            length++;
        assert_in_range(length, 0, LONGEST);
    }
    for (size_t i = 0; i < COUNT; i++)
        policy_table_release(&table, policies[i]);
    end(&table, &reclaim);
    permission_catalogue_free(catalogue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rules_share_one_policy_until_the_last_lets_go),
        cmocka_unit_test(only_short_lists_of_names_are_kept_with_a_set),
        cmocka_unit_test(rules_that_differ_in_anything_are_apart),
        cmocka_unit_test(what_is_granted_follows_the_catalogue),
        cmocka_unit_test(policies_share_the_lists_that_they_have_in_common),
        cmocka_unit_test(counts_are_those_of_a_plain_list),
        cmocka_unit_test(a_failing_allocation_leaves_nothing_behind),
        cmocka_unit_test(nobody_can_choose_rules_that_share_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
