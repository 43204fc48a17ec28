// Sets with changes made to them, against a list that is edited the same way and against a set that is made
// anew.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/ip/ip_set_internal.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/plain_list.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static struct ip_address parse_address(const char *text) {
    return plain_list_parse(text).address;
}

// ---- changes ----

struct edit {
    struct ip_prefix prefixes[64];
    struct ip_set_entry entries[128];
    struct ip_set_change change;
};

// Old prefixes and new ones; each then has no entry, one or two.
static void draw_edit(struct seed *seed, const struct plain_shape *shape, const struct plain_list *list,
                      struct edit *edit) {
    size_t prefix_count = 1 + seed_next_below(seed, ARRAY_LENGTH(edit->prefixes)), entry_count = 0;
    for (size_t i = 0; i < prefix_count; i++) {
        struct plain_shape one = *shape;
        one.count = 1;
        struct plain_list drawn = plain_list_draw(seed, &one);
        bool is_old = list->count > 0 && seed_next_below(seed, 2);
        edit->prefixes[i] =
            is_old ? list->entries[seed_next_below(seed, list->count)].prefix : drawn.entries[0].prefix;
        free(drawn.entries);
        for (size_t k = seed_next_below(seed, 3); k > 0; k--)
            edit->entries[entry_count++] = (struct ip_set_entry){
                edit->prefixes[i], shape->has_ends ? plain_list_draw_end(seed) : CLOCK_NEVER_MS};
    }
    edit->change = (struct ip_set_change){edit->prefixes, prefix_count, edit->entries, entry_count};
}

static bool is_edited(const struct edit *edit, const struct ip_prefix *prefix) {
    for (size_t i = 0; i < edit->change.prefix_count; i++)
        if (ip_prefix_compare(&edit->prefixes[i], prefix) == 0)
            return true;
    return false;
}

static void edit_list(struct plain_list *list, const struct edit *edit) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!is_edited(edit, &list->entries[i].prefix))
            list->entries[kept++] = list->entries[i];
    list->count = kept + edit->change.entry_count;
    list->entries = realloc(list->entries, (list->count + 1) * sizeof(*list->entries));
    assert_non_null(list->entries);
    memcpy(list->entries + kept, edit->entries, edit->change.entry_count * sizeof(*edit->entries));
}

// That it is the same as one made of the edited list, whatever its blocks are.
static void compare_with_new_one(const struct ip_set *set, const struct plain_list *list) {
    static const uint64_t keys[2] = {1, UINT64_C(0x9e3779b97f4a7c15)};
    struct ip_set *made = ip_set_new(list->entries, list->count);
    assert_non_null(made);
    assert_true(ip_set_is_equal(set, made));
    assert_int_equal(ip_set_get_hash(set, keys), ip_set_get_hash(made, keys));
    assert_int_equal(ip_set_get_count(set), ip_set_get_count(made));
    ip_set_free(made);
    struct ip_set_draft draft;
    assert_true(ip_set_draft_init(&draft, list->entries, list->count));
    assert_true(ip_set_draft_is_equal(&draft, set));
    assert_int_equal(ip_set_draft_get_hash(&draft, keys), ip_set_get_hash(set, keys));
    ip_set_draft_fini(&draft);
}

static void edit_again_and_again(struct seed *seed, const struct plain_shape *shape, unsigned edits) {
    struct plain_list list = plain_list_draw(seed, shape);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    for (unsigned i = 0; i < edits; i++) {
        struct edit edit;
        draw_edit(seed, shape, &list, &edit);
        struct ip_set *changed = ip_set_new_changed(set, &edit.change);
        if (i % 4 == 0)
            plain_list_ask(seed, set, &list, shape->values, 10); // the old one stays as it is
        ip_set_free(set);
        set = changed;
        edit_list(&list, &edit);
        compare_with_new_one(set, &list);
        if (i % 8 == 0)
            plain_list_check_set(set);
        plain_list_ask(seed, set, &list, shape->values, 10);
    }
    ip_set_free(set);
    free(list.entries);
}

static void small_sets_follow_their_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 300; round++) {
        struct plain_shape shape = {
            .count = seed_next_below(&seed, 40),
            .values = 1 + (unsigned)seed_next_below(&seed, 5),
            .v6_percent = (unsigned)seed_next_below(&seed, 101),
            .has_ends = seed_next_below(&seed, 2),
        };
        edit_again_and_again(&seed, &shape, 20);
    }
}

static void sets_of_many_blocks_follow_their_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 6; round++) {
        struct plain_shape shape = {
            .count = 15000,
            .values = round % 2 ? 256 : 20,
            .v6_percent = round % 3 * 50,
            .bits_min = round < 3 ? 0 : 12,
            .has_ends = seed_next_below(&seed, 2),
        };
        edit_again_and_again(&seed, &shape, 30);
    }
}

static void a_change_shares_all_but_what_it_meets(void **state) {
    (void)state;
    struct plain_list list = plain_list_new_row(200000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    const struct ip_set_change change = {.prefixes = &list.entries[77777].prefix, .prefix_count = 1};
    allocation_failure_begin(0);
    struct ip_set *changed = ip_set_new_changed(set, &change);
    assert_in_range(allocation_failure_end(), 1, 12); // there are 49 blocks
    assert_int_equal(ip_set_get_count(changed), list.count - 1);
    assert_true(ip_set_contains(set, &list.entries[77777].prefix.address, PLAIN_LIST_NOW_MS));
    assert_false(ip_set_contains(changed, &list.entries[77777].prefix.address, PLAIN_LIST_NOW_MS));
    ip_set_free(set);
    plain_list_check_set(changed);
    ip_set_free(changed);
    free(list.entries);
}

static void a_draft_is_equal_to_the_set_of_its_entries_and_to_no_other(void **state) {
    (void)state;
    const struct ip_set_entry entries[] = {{plain_list_parse("10.0.0.0/8"), CLOCK_NEVER_MS},
                                           {plain_list_parse("10.0.0.0/9"), CLOCK_NEVER_MS},
                                           {plain_list_parse("11.0.0.0/8"), CLOCK_NEVER_MS},
                                           {plain_list_parse("a00::/8"), CLOCK_NEVER_MS},
                                           {plain_list_parse("10.0.0.0/8"), 1}};
    for (size_t i = 0; i < ARRAY_LENGTH(entries); i++) {
        struct ip_set *set = ip_set_new(&entries[i], 1);
        for (size_t k = 0; k < ARRAY_LENGTH(entries); k++) {
            struct ip_set_draft draft;
            assert_true(ip_set_draft_init(&draft, &entries[k], 1));
            assert_int_equal(ip_set_draft_is_equal(&draft, set), i == k);
            ip_set_draft_fini(&draft);
        }
        ip_set_free(set);
    }
}

// A change costs the hash of a block, not of a million entries.
static void a_changed_set_hashes_only_what_the_change_has_met(void **state) {
    (void)state;
    static const uint64_t keys[2] = {1, UINT64_C(0x9E3779B97F4A7C15)},
                          others[2] = {2, UINT64_C(0x9E3779B97F4A7C15)};
    struct plain_list list = plain_list_new_row(200000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    (void)ip_set_get_hash(set, keys);
    struct edit edit = {.change = {.prefixes = &list.entries[77777].prefix, .prefix_count = 1}};
    struct ip_set *changed = ip_set_new_changed(set, &edit.change);
    size_t known = 0;
    for (uint32_t i = 0; i < changed->blocks[0].block_count; i++)
        known += changed->blocks[0].blocks[i]->hash_keys[0] == keys[0];
    assert_int_equal(known, changed->blocks[0].block_count - 1);
    list.entries[77777] = list.entries[--list.count];
    struct ip_set *made = ip_set_new(list.entries, list.count);
    assert_int_equal(ip_set_get_hash(changed, keys), ip_set_get_hash(made, keys));
    assert_int_equal(ip_set_get_hash(changed, others), ip_set_get_hash(made, others));
    assert_true(ip_set_get_hash(set, keys) != ip_set_get_hash(changed, keys));
    ip_set_free(set);
    ip_set_free(changed);
    ip_set_free(made);
    free(list.entries);
}

static void a_prefix_that_meets_every_block_changes_them_all(void **state) {
    (void)state;
    struct plain_list list = plain_list_new_row(20000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    const struct ip_set_entry everything = {plain_list_parse("0.0.0.0/0"), CLOCK_NEVER_MS};
    const struct ip_set_change come = {&everything.prefix, 1, &everything, 1},
                               go = {&everything.prefix, 1, NULL, 0};
    struct ip_set *open = ip_set_new_changed(set, &come), *closed = ip_set_new_changed(open, &go);
    struct ip_address far = parse_address("203.0.113.9"), between = parse_address("0.16.0.1");
    plain_list_check_set(open);
    plain_list_check_set(closed);
    assert_true(ip_set_contains(open, &far, PLAIN_LIST_NOW_MS) &&
                ip_set_contains(open, &between, PLAIN_LIST_NOW_MS));
    assert_false(ip_set_contains(closed, &far, PLAIN_LIST_NOW_MS) ||
                 ip_set_contains(closed, &between, PLAIN_LIST_NOW_MS));
    assert_true(ip_set_is_equal(set, closed));
    assert_false(ip_set_is_equal(set, open));
    ip_set_free(set);
    ip_set_free(open);
    ip_set_free(closed);
    free(list.entries);
}

struct attempt {
    const struct ip_set *set;
    struct edit edit;
};

static bool change_a_set(void *context) {
    const struct attempt *attempt = context;
    struct ip_set *changed = ip_set_new_changed(attempt->set, &attempt->edit.change);
    bool succeeded = changed != NULL;
    ip_set_free(changed);
    return succeeded;
}

static void a_failing_allocation_leaves_the_old_set(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 3; round++) {
        struct plain_shape shape = {.count = round == 0 ? 5 : 12000,
                                    .values = 200,
                                    .v6_percent = 50,
                                    .bits_min = 12,
                                    .has_ends = true};
        struct plain_list list = plain_list_draw(&seed, &shape);
        struct ip_set *set = ip_set_new(list.entries, list.count);
        struct attempt attempt = {.set = set};
        draw_edit(&seed, &shape, &list, &attempt.edit);
        allocation_failure_try_each(change_a_set, &attempt);
        plain_list_check_set(set);
        compare_with_new_one(set, &list);
        ip_set_free(set);
        free(list.entries);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_sets_follow_their_list),
        cmocka_unit_test(sets_of_many_blocks_follow_their_list),
        cmocka_unit_test(a_change_shares_all_but_what_it_meets),
        cmocka_unit_test(a_draft_is_equal_to_the_set_of_its_entries_and_to_no_other),
        cmocka_unit_test(a_changed_set_hashes_only_what_the_change_has_met),
        cmocka_unit_test(a_prefix_that_meets_every_block_changes_them_all),
        cmocka_unit_test(a_failing_allocation_leaves_the_old_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
