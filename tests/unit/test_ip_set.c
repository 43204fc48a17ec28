// Sets of prefixes against the plain list that they stand for: every answer is worked out a second time by a
// linear scan.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/ip/ip_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/plain_list.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define NOW_MS PLAIN_LIST_NOW_MS

static struct ip_address parse_address(const char *text) {
    return plain_list_parse(text).address;
}

static void compare_with_list(struct seed *seed, const struct plain_shape *shape, unsigned questions) {
    struct plain_list list = plain_list_draw(seed, shape);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    plain_list_check_set(set);
    plain_list_ask(seed, set, &list, shape->values, questions);
    ip_set_free(set);
    free(list.entries);
}

static void small_sets_answer_like_the_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 4000; round++) {
        struct plain_shape shape = {
            .count = seed_next_below(&seed, 24), // both sides of where the trie begins
            .values = 1 + (unsigned)seed_next_below(&seed, 5),
            .v6_percent = (unsigned)seed_next_below(&seed, 101),
            .bits_min = 0,
            .has_ends = seed_next_below(&seed, 2),
        };
        compare_with_list(&seed, &shape, 50);
    }
}

static void large_sets_answer_like_the_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 40; round++) {
        struct plain_shape shape = {
            .count = 500 + seed_next_below(&seed, 3000),
            .values = 2 + (unsigned)seed_next_below(&seed, 255),
            .v6_percent = (unsigned)seed_next_below(&seed, 101),
            .bits_min = (unsigned)seed_next_below(&seed, 25),
            .has_ends = seed_next_below(&seed, 2),
        };
        compare_with_list(&seed, &shape, 500);
    }
}

static void sets_of_many_blocks_answer_like_the_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 6; round++) {
        struct plain_shape shape = {
            .count = 20000,
            .values = round % 2 ? 256 : 20, // spread, or heaped
            .v6_percent = round % 3 * 50,
            .bits_min = (unsigned)seed_next_below(&seed, 17),
            .has_ends = seed_next_below(&seed, 2),
        };
        compare_with_list(&seed, &shape, 300);
    }
}

// What the goal is about: each address apart from the next, so that none merges with another.
static void a_merged_ipv4_prefix_takes_no_more_than_ten_bytes(void **state) {
    (void)state;
    struct plain_list list = plain_list_new_row(400000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    assert_in_range(ip_set_get_hot_size_bytes(set), 1, 10 * list.count);
    ip_set_free(set);
    free(list.entries);
}

static void eight_ipv4_prefixes_are_one_cache_line(void **state) {
    (void)state;
    struct plain_list list = plain_list_new_row(8);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    assert_int_equal(ip_set_get_size_bytes(set), 48);
    assert_int_equal((uintptr_t)set % 64, 0);
    ip_set_free(set);
    free(list.entries);
}

static void an_empty_set_and_no_set_contain_nothing(void **state) {
    (void)state;
    struct ip_set *empty = ip_set_new(NULL, 0);
    assert_non_null(empty);
    struct ip_address v4 = parse_address("0.0.0.0"), v6 = parse_address("::");
    struct ip_set_entry entry;
    const struct ip_set *const sets[] = {empty, NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++) {
        assert_false(ip_set_contains(sets[i], &v4, NOW_MS));
        assert_false(ip_set_contains(sets[i], &v6, NOW_MS));
        assert_false(ip_set_find(sets[i], &v4, NOW_MS, &entry));
        assert_false(ip_set_find_nearest(sets[i], &v6, NOW_MS, &entry));
        assert_int_equal(ip_set_get_count(sets[i]), 0);
        assert_null(ip_set_check(sets[i]));
    }
    ip_set_free(empty);
    ip_set_free(NULL);
}

static struct ip_set *new_set_of(const char *const *prefixes, const int64_t *ends, size_t count) {
    struct ip_set_entry entries[32];
    assert_true(count <= ARRAY_LENGTH(entries));
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct ip_set_entry){plain_list_parse(prefixes[i]), ends ? ends[i] : CLOCK_NEVER_MS};
    struct ip_set *set = ip_set_new(entries, count);
    assert_non_null(set);
    assert_null(ip_set_check(set));
    return set;
}

static void no_address_is_in_no_set_not_even_one_of_everything(void **state) {
    (void)state;
    static const char *const everything[] = {"0.0.0.0/0", "::/0"};
    struct ip_set *set = new_set_of(everything, NULL, 2);
    struct ip_address none = {0}, v4 = parse_address("8.8.8.8"), v6 = parse_address("2001:db8::1");
    struct ip_set_entry entry;
    assert_true(ip_set_contains(set, &v4, NOW_MS));
    assert_true(ip_set_contains(set, &v6, NOW_MS));
    assert_false(ip_set_contains(set, &none, NOW_MS));
    assert_false(ip_set_find(set, &none, NOW_MS, &entry));
    assert_false(ip_set_find_nearest(set, &none, NOW_MS, &entry));
    ip_set_free(set);
}

static void an_ipv4_rule_matches_the_mapped_form_and_no_embedded_one(void **state) {
    (void)state;
    static const char *const rules[] = {"192.0.2.0/24"};
    struct ip_set *set = new_set_of(rules, NULL, 1);
    static const struct {
        const char *address;
        bool is_listed;
    } cases[] = {
        {"192.0.2.33", true},           {"::ffff:192.0.2.33", true},  {"::ffff:c000:221", true},
        {"64:ff9b::192.0.2.33", false}, {"2002:c000:221::1", false},  {"::192.0.2.33", false},
        {"192.0.3.33", false},          {"::ffff:192.0.3.33", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_address address = parse_address(cases[i].address);
        assert_int_equal(ip_set_contains(set, &address, NOW_MS), cases[i].is_listed);
    }
    ip_set_free(set);
}

static void an_entry_is_live_up_to_the_millisecond_before_its_end(void **state) {
    (void)state;
    static const char *const rules[] = {"192.0.2.0/24"};
    static const int64_t ends[] = {NOW_MS};
    struct ip_set *set = new_set_of(rules, ends, 1);
    struct ip_address address = parse_address("192.0.2.1");
    assert_true(ip_set_contains(set, &address, NOW_MS - 1));
    assert_false(ip_set_contains(set, &address, NOW_MS));
    ip_set_free(set);
}

static void an_ended_entry_inside_a_live_one_does_not_hide_it(void **state) {
    (void)state;
    static const char *const rules[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"};
    static const int64_t ends[] = {NOW_MS + 10, NOW_MS - 10, NOW_MS - 10};
    struct ip_set *set = new_set_of(rules, ends, 3);
    struct ip_address address = parse_address("10.1.2.3");
    struct ip_set_entry entry;
    assert_true(ip_set_contains(set, &address, NOW_MS));
    assert_true(ip_set_find(set, &address, NOW_MS, &entry));
    assert_int_equal(entry.prefix.bits, 8);
    assert_false(ip_set_find_nearest(set, &address, NOW_MS, &entry));
    assert_false(ip_set_contains(set, &address, NOW_MS + 10));
    assert_true(ip_set_find_nearest(set, &address, NOW_MS + 10, &entry));
    assert_int_equal(entry.prefix.bits, 24); // the longest of those that have ended
    ip_set_free(set);
}

static void of_one_prefix_the_entry_that_ends_last_counts(void **state) {
    (void)state;
    static const char *const rules[] = {"10.0.0.0/8", "10.0.0.0/8", "10.99.0.0/8", "10.0.0.0/8"};
    static const int64_t ends[] = {NOW_MS + 1, NOW_MS + 9, NOW_MS + 9, NOW_MS - 5};
    struct ip_set *set = new_set_of(rules, ends, 4);
    struct ip_address address = parse_address("10.1.2.3");
    struct ip_set_entry entry;
    assert_int_equal(ip_set_get_count(set), 1);
    assert_true(ip_set_find(set, &address, NOW_MS + 8, &entry));
    assert_int_equal(entry.ends_at_ms, NOW_MS + 9);
    assert_false(ip_set_contains(set, &address, NOW_MS + 9));
    ip_set_free(set);
}

static void the_nearest_miss_has_the_most_leading_bits_in_common(void **state) {
    (void)state;
    static const char *const rules[] = {"203.0.112.0/24", "203.0.0.0/18", "198.51.100.0/24", "2001:db8::/32"};
    struct ip_set *set = new_set_of(rules, NULL, 4);
    struct ip_address v4 = parse_address("203.0.113.7"), v6 = parse_address("2001:db9::1");
    struct ip_set_entry entry;
    assert_true(ip_set_find_nearest(set, &v4, NOW_MS, &entry));
    assert_int_equal(entry.prefix.bits, 24);
    assert_int_equal(entry.prefix.address.bytes[2], 112);
    assert_true(ip_set_find_nearest(set, &v6, NOW_MS, &entry));
    assert_int_equal(entry.prefix.address.family, IP_FAMILY_V6);
    ip_set_free(set);
}

static void host_bits_in_an_entry_do_not_count(void **state) {
    (void)state;
    struct ip_set_entry entry = {.prefix = plain_list_parse("10.1.2.3"), .ends_at_ms = CLOCK_NEVER_MS};
    entry.prefix.bits = 8;
    struct ip_set *set = ip_set_new(&entry, 1);
    assert_non_null(set);
    struct ip_address address = parse_address("10.200.0.1");
    assert_true(ip_set_contains(set, &address, NOW_MS));
    assert_null(ip_set_check(set));
    ip_set_free(set);
}

static void a_line_of_nested_prefixes_of_every_length_finds_each(void **state) {
    (void)state;
    struct ip_set_entry entries[129];
    struct ip_address inmost = parse_address("2001:db8:aaaa:5555:0f0f:f0f0:1234:5678");
    for (unsigned bits = 0; bits <= 128; bits++)
        entries[bits] = (struct ip_set_entry){ip_prefix_of(&inmost, bits), CLOCK_NEVER_MS};
    struct ip_set *set = ip_set_new(entries, ARRAY_LENGTH(entries));
    assert_non_null(set);
    assert_null(ip_set_check(set));
    for (unsigned bit = 0; bit < 128; bit++) {
        struct ip_address address = plain_list_flip_bit(inmost, bit);
        struct ip_set_entry entry;
        assert_true(ip_set_find(set, &address, NOW_MS, &entry));
        assert_int_equal(entry.prefix.bits, bit);
    }
    ip_set_free(set);
}

static void a_set_may_live_in_an_arena(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct ip_set_entry entry = {plain_list_parse("10.0.0.0/8"), CLOCK_NEVER_MS};
    struct ip_set *set = ip_set_new_in_arena(&arena, &entry, 1);
    assert_non_null(set);
    struct ip_address address = parse_address("10.1.2.3");
    assert_true(ip_set_contains(set, &address, NOW_MS));
    assert_true(ip_set_get_size_bytes(set) <= arena.used_bytes);
    arena_fini(&arena);
}

static bool make_a_set(void *context) {
    const struct plain_list *list = context;
    struct ip_set *set = ip_set_new(list->entries, list->count);
    bool succeeded = set != NULL;
    ip_set_free(set);
    return succeeded;
}

static void a_failing_allocation_gives_no_set(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct plain_shape shape = {.count = 1000, .values = 200, .v6_percent = 50, .has_ends = true};
    struct plain_list list = plain_list_draw(&seed, &shape);
    allocation_failure_try_each(make_a_set, &list);
    free(list.entries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_and_no_set_contain_nothing),
        cmocka_unit_test(no_address_is_in_no_set_not_even_one_of_everything),
        cmocka_unit_test(an_ipv4_rule_matches_the_mapped_form_and_no_embedded_one),
        cmocka_unit_test(an_entry_is_live_up_to_the_millisecond_before_its_end),
        cmocka_unit_test(an_ended_entry_inside_a_live_one_does_not_hide_it),
        cmocka_unit_test(of_one_prefix_the_entry_that_ends_last_counts),
        cmocka_unit_test(the_nearest_miss_has_the_most_leading_bits_in_common),
        cmocka_unit_test(host_bits_in_an_entry_do_not_count),
        cmocka_unit_test(a_line_of_nested_prefixes_of_every_length_finds_each),
        cmocka_unit_test(a_set_may_live_in_an_arena),
        cmocka_unit_test(a_failing_allocation_gives_no_set),
        cmocka_unit_test(small_sets_answer_like_the_list),
        cmocka_unit_test(large_sets_answer_like_the_list),
        cmocka_unit_test(sets_of_many_blocks_answer_like_the_list),
        cmocka_unit_test(a_merged_ipv4_prefix_takes_no_more_than_ten_bytes),
        cmocka_unit_test(eight_ipv4_prefixes_are_one_cache_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
