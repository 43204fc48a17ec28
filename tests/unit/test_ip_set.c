// Sets of prefixes against the plain list that they stand for: every answer is worked out a second time by a
// linear scan.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/ip/ip_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1700000000000)

static struct ip_prefix parse(const char *text) {
    struct ip_prefix prefix = {0};
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefix), IP_PARSE_OK);
    return prefix;
}

static struct ip_address parse_address(const char *text) {
    return parse(text).address;
}

struct list {
    struct ip_set_entry *entries;
    size_t count;
};

// The list answers what the set should: by looking at every entry.
static bool list_contains(const struct list *list, const struct ip_address *address, int64_t now_ms) {
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].ends_at_ms > now_ms &&
            ip_prefix_contains_address(&list->entries[i].prefix, address))
            return true;
    return false;
}

static const struct ip_set_entry *list_find(const struct list *list, const struct ip_address *address,
                                            int64_t now_ms) {
    const struct ip_set_entry *longest = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct ip_set_entry *entry = &list->entries[i];
        if (entry->ends_at_ms <= now_ms || !ip_prefix_contains_address(&entry->prefix, address))
            continue;
        if (!longest || entry->prefix.bits > longest->prefix.bits ||
            (entry->prefix.bits == longest->prefix.bits && entry->ends_at_ms > longest->ends_at_ms))
            longest = entry;
    }
    return longest;
}

// Of the list, how near an entry can come: dead entries that contain the address go before all live ones.
static int get_nearness(const struct ip_set_entry *entry, const struct ip_address *address, int64_t now_ms) {
    if (entry->prefix.address.family != address->family)
        return -1;
    if (ip_prefix_contains_address(&entry->prefix, address))
        return 1000 + entry->prefix.bits;
    return entry->ends_at_ms > now_ms ? (int)ip_prefix_get_common_bits(&entry->prefix, address) : -1;
}

static int list_get_nearness(const struct list *list, const struct ip_address *address, int64_t now_ms) {
    int best = -1;
    for (size_t i = 0; i < list->count; i++) {
        int nearness = get_nearness(&list->entries[i], address, now_ms);
        best = nearness > best ? nearness : best;
    }
    return best;
}

static void compare_answers(const struct ip_set *set, const struct list *list,
                            const struct ip_address *address, int64_t now_ms) {
    bool expected = list_contains(list, address, now_ms);
    assert_int_equal(ip_set_contains(set, address, now_ms), expected);

    struct ip_set_entry found = {.ends_at_ms = NOW_MS - 1};
    assert_int_equal(ip_set_find(set, address, now_ms, &found), expected);
    if (expected) {
        const struct ip_set_entry *longest = list_find(list, address, now_ms);
        assert_int_equal(ip_prefix_compare(&found.prefix, &longest->prefix), 0);
        assert_int_equal(found.ends_at_ms, longest->ends_at_ms);
    }

    int nearness = list_get_nearness(list, address, now_ms);
    bool has_nearest = ip_set_find_nearest(set, address, now_ms, &found);
    assert_int_equal(has_nearest, !expected && nearness >= 0);
    if (has_nearest)
        assert_int_equal(get_nearness(&found, address, now_ms), nearness);
}

// Addresses crowd: few values for each byte, so that prefixes nest and lie side by side.
static struct ip_address draw_address(struct seed *seed, uint8_t family, unsigned values) {
    struct ip_address address = {.family = family};
    unsigned len = family == IP_FAMILY_V4 ? 4 : 16;
    for (unsigned i = 0; i < len; i++)
        address.bytes[i] = (uint8_t)(seed_next_below(seed, values) * 255 / (values > 1 ? values - 1 : 1));
    return address;
}

static int64_t draw_end(struct seed *seed) {
    switch (seed_next_below(seed, 4)) {
    case 0: return NOW_MS;     // has just ended
    case 1: return NOW_MS + 1; // is about to
    case 2: return NOW_MS + (int64_t)seed_next_below(seed, 2000) - 1000;
    default: return CLOCK_NEVER_MS;
    }
}

struct shape {
    size_t count;
    unsigned values;     // of each byte of an address
    unsigned v6_percent; // the rest is IPv4
    unsigned bits_min;   // the longest of a few draws, as in real lists
    bool has_ends;
};

static struct list draw_list(struct seed *seed, const struct shape *shape) {
    struct list list = {.entries = calloc(shape->count + 1, sizeof(struct ip_set_entry)),
                        .count = shape->count};
    assert_non_null(list.entries);
    for (size_t i = 0; i < list.count; i++) {
        uint8_t family = seed_next_below(seed, 100) < shape->v6_percent ? IP_FAMILY_V6 : IP_FAMILY_V4;
        struct ip_address address = draw_address(seed, family, shape->values);
        unsigned width = ip_address_get_width_bits(&address);
        unsigned bits = shape->bits_min + (unsigned)seed_next_below(seed, width + 1 - shape->bits_min);
        list.entries[i] = (struct ip_set_entry){
            .prefix = ip_prefix_of(&address, bits),
            .ends_at_ms = shape->has_ends ? draw_end(seed) : CLOCK_NEVER_MS,
        };
    }
    return list;
}

static struct ip_address flip_a_bit(struct ip_address address, unsigned bit) {
    address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    return address;
}

// Near an entry: inside it, or one bit beside it.
static struct ip_address draw_neighbour(struct seed *seed, const struct list *list) {
    const struct ip_prefix *prefix = &list->entries[seed_next_below(seed, list->count)].prefix;
    struct ip_address address = prefix->address;
    unsigned width = ip_address_get_width_bits(&address);
    for (unsigned bit = prefix->bits; bit < width; bit++)
        if (seed_next_below(seed, 2))
            address = flip_a_bit(address, bit);
    if (prefix->bits > 0 && seed_next_below(seed, 2))
        address = flip_a_bit(address, (unsigned)seed_next_below(seed, prefix->bits));
    return address;
}

static void check(const struct ip_set *set) {
    assert_non_null(set);
    const char *broken = ip_set_check(set);
    if (broken)
        fail_msg("%s", broken);
}

static void ask(struct seed *seed, const struct ip_set *set, const struct list *list, unsigned values,
                unsigned questions) {
    for (unsigned i = 0; i < questions; i++) {
        uint8_t family = seed_next_below(seed, 2) ? IP_FAMILY_V4 : IP_FAMILY_V6;
        bool is_far = list->count == 0 || seed_next_below(seed, 4) == 0;
        struct ip_address address = is_far ? draw_address(seed, family, values) : draw_neighbour(seed, list);
        compare_answers(set, list, &address, NOW_MS + (int64_t)seed_next_below(seed, 3) - 1);
    }
}

static void compare_with_list(struct seed *seed, const struct shape *shape, unsigned questions) {
    struct list list = draw_list(seed, shape);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    check(set);
    ask(seed, set, &list, shape->values, questions);
    ip_set_free(set);
    free(list.entries);
}

static void small_sets_answer_like_the_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 4000; round++) {
        struct shape shape = {
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
        struct shape shape = {
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
        struct shape shape = {
            .count = 20000,
            .values = round % 2 ? 256 : 20, // spread, or heaped
            .v6_percent = round % 3 * 50,
            .bits_min = (unsigned)seed_next_below(&seed, 17),
            .has_ends = seed_next_below(&seed, 2),
        };
        compare_with_list(&seed, &shape, 300);
    }
}

// ---- changes ----

struct edit {
    struct ip_prefix prefixes[64];
    struct ip_set_entry entries[128];
    struct ip_set_change change;
};

// Old prefixes and new ones; each then has no entry, one or two.
static void draw_edit(struct seed *seed, const struct shape *shape, const struct list *list,
                      struct edit *edit) {
    size_t prefix_count = 1 + seed_next_below(seed, ARRAY_LENGTH(edit->prefixes)), entry_count = 0;
    for (size_t i = 0; i < prefix_count; i++) {
        struct shape one = *shape;
        one.count = 1;
        struct list drawn = draw_list(seed, &one);
        bool is_old = list->count > 0 && seed_next_below(seed, 2);
        edit->prefixes[i] =
            is_old ? list->entries[seed_next_below(seed, list->count)].prefix : drawn.entries[0].prefix;
        free(drawn.entries);
        for (size_t k = seed_next_below(seed, 3); k > 0; k--)
            edit->entries[entry_count++] =
                (struct ip_set_entry){edit->prefixes[i], shape->has_ends ? draw_end(seed) : CLOCK_NEVER_MS};
    }
    edit->change = (struct ip_set_change){edit->prefixes, prefix_count, edit->entries, entry_count};
}

static bool is_edited(const struct edit *edit, const struct ip_prefix *prefix) {
    for (size_t i = 0; i < edit->change.prefix_count; i++)
        if (ip_prefix_compare(&edit->prefixes[i], prefix) == 0)
            return true;
    return false;
}

static void edit_list(struct list *list, const struct edit *edit) {
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
static void compare_with_new_one(const struct ip_set *set, const struct list *list) {
    static const uint64_t keys[2] = {1, UINT64_C(0x9e3779b97f4a7c15)};
    struct ip_set *made = ip_set_new(list->entries, list->count);
    assert_non_null(made);
    assert_true(ip_set_is_equal(set, made));
    assert_int_equal(ip_set_get_hash(set, keys), ip_set_get_hash(made, keys));
    assert_int_equal(ip_set_get_count(set), ip_set_get_count(made));
    ip_set_free(made);
}

static void edit_again_and_again(struct seed *seed, const struct shape *shape, unsigned edits) {
    struct list list = draw_list(seed, shape);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    for (unsigned i = 0; i < edits; i++) {
        struct edit edit;
        draw_edit(seed, shape, &list, &edit);
        struct ip_set *changed = ip_set_new_changed(set, &edit.change);
        if (i % 4 == 0)
            ask(seed, set, &list, shape->values, 10); // the old one stays as it is
        ip_set_free(set);
        set = changed;
        edit_list(&list, &edit);
        compare_with_new_one(set, &list);
        if (i % 8 == 0)
            check(set);
        ask(seed, set, &list, shape->values, 10);
    }
    ip_set_free(set);
    free(list.entries);
}

static void small_sets_follow_their_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 300; round++) {
        struct shape shape = {
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
        struct shape shape = {
            .count = 15000,
            .values = round % 2 ? 256 : 20,
            .v6_percent = round % 3 * 50,
            .bits_min = round < 3 ? 0 : 12,
            .has_ends = seed_next_below(&seed, 2),
        };
        edit_again_and_again(&seed, &shape, 30);
    }
}

static struct list new_row_of_addresses(size_t count) {
    struct list list = {.entries = calloc(count, sizeof(struct ip_set_entry)), .count = count};
    assert_non_null(list.entries);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)i * 5000; // apart: nothing is merged
        struct ip_address address = {.family = IP_FAMILY_V4,
                                     .bytes = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                                               (uint8_t)(number >> 8), (uint8_t)number}};
        list.entries[i] = (struct ip_set_entry){ip_prefix_of(&address, 32), CLOCK_NEVER_MS};
    }
    return list;
}

static void a_change_shares_all_but_what_it_meets(void **state) {
    (void)state;
    struct list list = new_row_of_addresses(200000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    const struct ip_set_change change = {.prefixes = &list.entries[77777].prefix, .prefix_count = 1};
    allocation_failure_begin(0);
    struct ip_set *changed = ip_set_new_changed(set, &change);
    assert_in_range(allocation_failure_end(), 1, 12); // there are 49 blocks
    assert_int_equal(ip_set_get_count(changed), list.count - 1);
    assert_true(ip_set_contains(set, &list.entries[77777].prefix.address, NOW_MS));
    assert_false(ip_set_contains(changed, &list.entries[77777].prefix.address, NOW_MS));
    ip_set_free(set);
    check(changed);
    ip_set_free(changed);
    free(list.entries);
}

static void a_prefix_that_meets_every_block_changes_them_all(void **state) {
    (void)state;
    struct list list = new_row_of_addresses(20000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    const struct ip_set_entry everything = {parse("0.0.0.0/0"), CLOCK_NEVER_MS};
    const struct ip_set_change come = {&everything.prefix, 1, &everything, 1},
                               go = {&everything.prefix, 1, NULL, 0};
    struct ip_set *open = ip_set_new_changed(set, &come), *closed = ip_set_new_changed(open, &go);
    struct ip_address far = parse_address("203.0.113.9"), between = parse_address("0.16.0.1");
    check(open);
    check(closed);
    assert_true(ip_set_contains(open, &far, NOW_MS) && ip_set_contains(open, &between, NOW_MS));
    assert_false(ip_set_contains(closed, &far, NOW_MS) || ip_set_contains(closed, &between, NOW_MS));
    assert_true(ip_set_is_equal(set, closed));
    assert_false(ip_set_is_equal(set, open));
    ip_set_free(set);
    ip_set_free(open);
    ip_set_free(closed);
    free(list.entries);
}

// What the goal is about: each address apart from the next, so that none merges with another.
static void a_merged_ipv4_prefix_takes_no_more_than_ten_bytes(void **state) {
    (void)state;
    struct list list = new_row_of_addresses(400000);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert_non_null(set);
    assert_in_range(ip_set_get_hot_size_bytes(set), 1, 10 * list.count);
    ip_set_free(set);
    free(list.entries);
}

static void eight_ipv4_prefixes_are_one_cache_line(void **state) {
    (void)state;
    struct list list = new_row_of_addresses(8);
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
        entries[i] = (struct ip_set_entry){parse(prefixes[i]), ends ? ends[i] : CLOCK_NEVER_MS};
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
    struct ip_set_entry entry = {.prefix = parse("10.1.2.3"), .ends_at_ms = CLOCK_NEVER_MS};
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
        struct ip_address address = flip_a_bit(inmost, bit);
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
    struct ip_set_entry entry = {parse("10.0.0.0/8"), CLOCK_NEVER_MS};
    struct ip_set *set = ip_set_new_in_arena(&arena, &entry, 1);
    assert_non_null(set);
    struct ip_address address = parse_address("10.1.2.3");
    assert_true(ip_set_contains(set, &address, NOW_MS));
    assert_true(ip_set_get_size_bytes(set) <= arena.used_bytes);
    arena_fini(&arena);
}

static bool make_a_set(void *context) {
    const struct list *list = context;
    struct ip_set *set = ip_set_new(list->entries, list->count);
    bool succeeded = set != NULL;
    ip_set_free(set);
    return succeeded;
}

static void a_failing_allocation_gives_no_set(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct shape shape = {.count = 1000, .values = 200, .v6_percent = 50, .has_ends = true};
    struct list list = draw_list(&seed, &shape);
    allocation_failure_try_each(make_a_set, &list);
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
        struct shape shape = {.count = round == 0 ? 5 : 12000,
                              .values = 200,
                              .v6_percent = 50,
                              .bits_min = 12,
                              .has_ends = true};
        struct list list = draw_list(&seed, &shape);
        struct ip_set *set = ip_set_new(list.entries, list.count);
        struct attempt attempt = {.set = set};
        draw_edit(&seed, &shape, &list, &attempt.edit);
        allocation_failure_try_each(change_a_set, &attempt);
        check(set);
        compare_with_new_one(set, &list);
        ip_set_free(set);
        free(list.entries);
    }
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
        cmocka_unit_test(small_sets_follow_their_list),
        cmocka_unit_test(sets_of_many_blocks_follow_their_list),
        cmocka_unit_test(a_change_shares_all_but_what_it_meets),
        cmocka_unit_test(a_prefix_that_meets_every_block_changes_them_all),
        cmocka_unit_test(a_failing_allocation_leaves_the_old_set),
        cmocka_unit_test(a_merged_ipv4_prefix_takes_no_more_than_ten_bytes),
        cmocka_unit_test(eight_ipv4_prefixes_are_one_cache_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
