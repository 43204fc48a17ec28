// Addresses in lines against a count of the sorted array: spread evenly, in heaps, as few and as many as
// there may be.
#include <stdlib.h>
#include <string.h>

#include "common/ip/ip_lines.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

struct keys {
    struct ip_key *keys;
    uint32_t count;
};

static struct ip_key make_key(uint32_t address) {
    return (struct ip_key){(uint64_t)address << 32, 0};
}

static int compare_keys(const void *a, const void *b) {
    return ip_key_compare(*(const struct ip_key *)a, *(const struct ip_key *)b);
}

// Sorted and different: each within `span` of one of so many heaps.
static struct keys draw_keys(struct seed *seed, uint32_t count, uint32_t heaps, uint32_t span) {
    struct keys drawn = {.keys = calloc(count, sizeof(struct ip_key))};
    uint32_t *starts = calloc(heaps, sizeof(*starts));
    assert_true(drawn.keys && starts);
    for (uint32_t i = 0; i < heaps; i++)
        starts[i] = (uint32_t)seed_next_below(seed, UINT32_MAX - span);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t start = starts[seed_next_below(seed, heaps)];
        drawn.keys[i] = make_key(start + (uint32_t)seed_next_below(seed, (uint64_t)span + 1));
    }
    qsort(drawn.keys, count, sizeof(drawn.keys[0]), compare_keys);
    for (uint32_t i = 0; i < count; i++)
        if (drawn.count == 0 || !ip_key_is_equal(drawn.keys[drawn.count - 1], drawn.keys[i]))
            drawn.keys[drawn.count++] = drawn.keys[i];
    free(starts);
    return drawn;
}

// Owned memory behind `ret`.
static void *build(struct ip_lines *ret, uint8_t shift, const struct keys *keys) {
    struct carver carver = {.used_bytes = 0};
    ip_lines_build(ret, shift, keys->keys, keys->count, &carver);
    void *memory = aligned_alloc(64, (carver.used_bytes + 63) / 64 * 64);
    assert_non_null(memory);
    carver = (struct carver){.block = memory};
    ip_lines_build(ret, shift, keys->keys, keys->count, &carver);
    return memory;
}

static uint32_t count_up_to(const struct keys *keys, uint32_t address) {
    uint32_t low = 0, high = keys->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (keys->keys[middle].high >> 32 <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void ask(const struct ip_lines *lines, const struct keys *keys, uint32_t address) {
    assert_int_equal(ip_lines_find(lines, address), count_up_to(keys, address));
}

static void ask_around_each(const struct ip_lines *lines, const struct keys *keys) {
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t address = (uint32_t)(keys->keys[i].high >> 32);
        assert_true(ip_key_is_equal(ip_lines_get_key(lines, i), keys->keys[i]));
        ask(lines, keys, address);
        ask(lines, keys, address - 1);
        ask(lines, keys, address + 1);
        ask(lines, keys, address ^ 1u << 16);
        ask(lines, keys, address ^ 1u << 31);
    }
    ask(lines, keys, 0);
    ask(lines, keys, UINT32_MAX);
}

static void lines_count_like_a_sorted_array(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 400; round++) {
        uint32_t count = 1 + (uint32_t)seed_next_below(&seed, round % 2 ? 40 : 3000);
        uint32_t heaps = 1 + (uint32_t)seed_next_below(&seed, 3);
        struct keys keys = draw_keys(&seed, count, heaps, 1u << seed_next_below(&seed, 20));
        uint8_t shift = (uint8_t)(IP_LINES_SHIFT_MAX - seed_next_below(&seed, 5));
        uint64_t span = keys.keys[keys.count - 1].high - keys.keys[0].high;
        if (span >> 32 >> shift < 1 << 16) {
            struct ip_lines lines;
            void *memory = build(&lines, shift, &keys);
            ask_around_each(&lines, &keys);
            free(memory);
        }
        free(keys.keys);
    }
}

static void the_first_and_the_last_address_of_all_are_counted(void **state) {
    (void)state;
    struct ip_key ends[] = {make_key(0), make_key(1), make_key(UINT16_MAX)},
                  top[] = {make_key(UINT32_MAX - UINT16_MAX), make_key(UINT32_MAX)};
    struct keys all[] = {{ends, 1}, {ends, 2}, {ends, 3}, {top, 1}, {top, 2}, {top + 1, 1}};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        struct ip_lines lines;
        void *memory = build(&lines, IP_LINES_SHIFT_MAX, &all[i]);
        ask_around_each(&lines, &all[i]);
        free(memory);
    }
}

// As many as may be, in every second address of two slots.
static void a_crowded_slot_counts_like_any(void **state) {
    (void)state;
    struct keys keys = {.keys = calloc(IP_LINES_MAX, sizeof(struct ip_key)), .count = IP_LINES_MAX};
    assert_non_null(keys.keys);
    for (uint32_t i = 0; i < keys.count; i++)
        keys.keys[i] = make_key((10u << 24) + 2 * i);
    struct ip_lines lines;
    void *memory = build(&lines, IP_LINES_SHIFT_MAX, &keys);
    assert_int_equal(lines.last_line, 1);
    ask_around_each(&lines, &keys);
    free(memory);
    free(keys.keys);
}

static void slots_are_the_smallest_that_fit(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 200; round++) {
        struct keys keys = draw_keys(&seed, 200 + (uint32_t)seed_next_below(&seed, 5000), 1, 1u << 22);
        size_t bytes_max = keys.count * (4 + seed_next_below(&seed, 4));
        uint8_t shift = ip_lines_choose_shift(keys.keys, keys.count, bytes_max);
        for (uint8_t tried = 8; tried <= IP_LINES_SHIFT_MAX && tried <= shift; tried++) {
            struct carver carver = {.used_bytes = 0};
            struct ip_lines lines;
            ip_lines_build(&lines, tried, keys.keys, keys.count, &carver);
            assert_int_equal(carver.used_bytes <= bytes_max, tried == shift);
        }
        free(keys.keys);
    }
    struct ip_key apart[] = {make_key(0), make_key(UINT32_MAX)};
    assert_int_equal(ip_lines_choose_shift(apart, 2, 1000), IP_LINES_UNFIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_and_the_last_address_of_all_are_counted),
        cmocka_unit_test(a_crowded_slot_counts_like_any),
        cmocka_unit_test(slots_are_the_smallest_that_fit),
        cmocka_unit_test(lines_count_like_a_sorted_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
