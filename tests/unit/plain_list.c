#include "tests/unit/plain_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

struct ip_prefix plain_list_parse(const char *text) {
    struct ip_prefix prefix = {0};
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefix), IP_PARSE_OK);
    return prefix;
}

// The list answers what the set should: by looking at every entry.
static bool list_contains(const struct plain_list *list, const struct ip_address *address, int64_t now_ms) {
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].ends_at_ms > now_ms &&
            ip_prefix_contains_address(&list->entries[i].prefix, address))
            return true;
    return false;
}

static const struct ip_set_entry *list_find(const struct plain_list *list, const struct ip_address *address,
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

static int list_get_nearness(const struct plain_list *list, const struct ip_address *address,
                             int64_t now_ms) {
    int best = -1;
    for (size_t i = 0; i < list->count; i++) {
        int nearness = get_nearness(&list->entries[i], address, now_ms);
        best = nearness > best ? nearness : best;
    }
    return best;
}

static void compare_answers(const struct ip_set *set, const struct plain_list *list,
                            const struct ip_address *address, int64_t now_ms) {
    bool expected = list_contains(list, address, now_ms);
    assert_int_equal(ip_set_contains(set, address, now_ms), expected);

    struct ip_set_entry found = {.ends_at_ms = PLAIN_LIST_NOW_MS - 1};
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

int64_t plain_list_draw_end(struct seed *seed) {
    switch (seed_next_below(seed, 4)) {
    case 0: return PLAIN_LIST_NOW_MS;     // has just ended
    case 1: return PLAIN_LIST_NOW_MS + 1; // is about to
    case 2: return PLAIN_LIST_NOW_MS + (int64_t)seed_next_below(seed, 2000) - 1000;
    default: return CLOCK_NEVER_MS;
    }
}

struct plain_list plain_list_draw(struct seed *seed, const struct plain_shape *shape) {
    struct plain_list list = {.entries = calloc(shape->count + 1, sizeof(struct ip_set_entry)),
                              .count = shape->count};
    assert_non_null(list.entries);
    for (size_t i = 0; i < list.count; i++) {
        uint8_t family = seed_next_below(seed, 100) < shape->v6_percent ? IP_FAMILY_V6 : IP_FAMILY_V4;
        struct ip_address address = draw_address(seed, family, shape->values);
        unsigned width = ip_address_get_width_bits(&address);
        unsigned bits = shape->bits_min + (unsigned)seed_next_below(seed, width + 1 - shape->bits_min);
        list.entries[i] = (struct ip_set_entry){
            .prefix = ip_prefix_of(&address, bits),
            .ends_at_ms = shape->has_ends ? plain_list_draw_end(seed) : CLOCK_NEVER_MS,
        };
    }
    return list;
}

struct ip_address plain_list_flip_bit(struct ip_address address, unsigned bit) {
    address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    return address;
}

// Near an entry: inside it, or one bit beside it.
static struct ip_address draw_neighbour(struct seed *seed, const struct plain_list *list) {
    const struct ip_prefix *prefix = &list->entries[seed_next_below(seed, list->count)].prefix;
    struct ip_address address = prefix->address;
    unsigned width = ip_address_get_width_bits(&address);
    for (unsigned bit = prefix->bits; bit < width; bit++)
        if (seed_next_below(seed, 2))
            address = plain_list_flip_bit(address, bit);
    if (prefix->bits > 0 && seed_next_below(seed, 2))
        address = plain_list_flip_bit(address, (unsigned)seed_next_below(seed, prefix->bits));
    return address;
}

void plain_list_check_set(const struct ip_set *set) {
    assert_non_null(set);
    const char *broken = ip_set_check(set);
    if (broken)
        fail_msg("%s", broken);
}

void plain_list_ask(struct seed *seed, const struct ip_set *set, const struct plain_list *list,
                    unsigned values, unsigned questions) {
    for (unsigned i = 0; i < questions; i++) {
        uint8_t family = seed_next_below(seed, 2) ? IP_FAMILY_V4 : IP_FAMILY_V6;
        bool is_far = list->count == 0 || seed_next_below(seed, 4) == 0;
        struct ip_address address = is_far ? draw_address(seed, family, values) : draw_neighbour(seed, list);
        compare_answers(set, list, &address, PLAIN_LIST_NOW_MS + (int64_t)seed_next_below(seed, 3) - 1);
    }
}

struct plain_list plain_list_new_row(size_t count) {
    struct plain_list list = {.entries = calloc(count, sizeof(struct ip_set_entry)), .count = count};
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
