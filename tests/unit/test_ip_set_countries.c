// A set of real size: the address ranges of all countries (Debian's tor-geoipdb), as prefixes. Ranges are
// sorted and apart, so that a binary search over them is the oracle. Time and size are printed, not asserted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/ip/ip_set.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define V4_FILE "/usr/share/tor/geoip"
#define V6_FILE "/usr/share/tor/geoip6"

__extension__ typedef unsigned __int128 number;

struct range {
    number first, last;
};

struct countries {
    struct range *ranges;
    size_t count, capacity;
    struct ip_set_entry *entries; // the ranges cut into prefixes
    size_t entry_count, entry_capacity;
};

static number get_number(const struct ip_address *address) {
    number value = 0;
    for (unsigned i = 0; i < ip_address_get_width_bits(address) / 8; i++)
        value = value << 8 | address->bytes[i];
    return value;
}

static struct ip_address get_address(number value, uint8_t family) {
    struct ip_address address = {.family = family};
    unsigned width = ip_address_get_width_bits(&address);
    for (unsigned i = 0; i < width / 8; i++)
        address.bytes[i] = (uint8_t)(value >> (width - 8 - 8 * i));
    return address;
}

static void *grow(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 1024;
    array = realloc(array, *capacity * size);
    assert_non_null(array);
    return array;
}

// The fewest prefixes that make up the range: each time the largest that begins at its beginning and fits.
static void add_range(struct countries *countries, struct range range, uint8_t family) {
    unsigned width = family == IP_FAMILY_V4 ? 32 : 128;
    countries->ranges =
        grow(countries->ranges, countries->count, &countries->capacity, sizeof(*countries->ranges));
    countries->ranges[countries->count] = range;
    for (;;) {
        unsigned host_bits = 0;
        while (host_bits < width && (range.first >> host_bits & 1) == 0 &&
               range.first + ((number)2 << host_bits) - 1 <= range.last)
            host_bits++;
        countries->entries = grow(countries->entries, countries->entry_count, &countries->entry_capacity,
                                  sizeof(*countries->entries));
        struct ip_address address = get_address(range.first, family);
        countries->entries[countries->entry_count++] =
            (struct ip_set_entry){ip_prefix_of(&address, width - host_bits), CLOCK_NEVER_MS};
        number last = range.first + (((number)1 << host_bits) - 1);
        if (last == range.last)
            break;
        range.first = last + 1;
    }
    countries->count++;
}

static number parse_bound(struct bytes text, uint8_t family) {
    uint64_t value;
    if (family == IP_FAMILY_V4) {
        assert_true(bytes_parse_unsigned(text, UINT32_MAX, &value));
        return value;
    }
    struct ip_address address = {0};
    assert_int_equal(ip_address_parse(text, &address), IP_PARSE_OK);
    // why: the table has IPv6 ranges only; a mapped one would have become IPv4.
    assert_int_equal(address.family, IP_FAMILY_V6);
    return get_number(&address);
}

static bool read_countries(const char *path, uint8_t family, struct countries *countries) {
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    char line[256];
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#')
            continue;
        struct bytes rest = bytes_of_text(line);
        number first = parse_bound(bytes_split(&rest, ','), family);
        number last = parse_bound(bytes_split(&rest, ','), family);
        add_range(countries, (struct range){first, last}, family);
    }
    fclose(file);
    return true;
}

static const struct range *find_range(const struct countries *countries, number value) {
    size_t low = 0, high = countries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (countries->ranges[middle].last < value)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_inside = low < countries->count && countries->ranges[low].first <= value;
    return is_inside ? &countries->ranges[low] : NULL;
}

static double get_ms(void) {
    return (double)clock_get_monotonic_ns(clock_get_system()) / 1e6;
}

static void print_look_up_time(const struct ip_set *set, const struct ip_address *addresses, size_t count) {
    size_t listed = 0;
    double started = get_ms();
    for (size_t i = 0; i < count; i++)
        listed += ip_set_contains(set, &addresses[i], 0);
    printf("%zu of %zu addresses listed, %.0f ns each\n", listed, count,
           (get_ms() - started) * 1e6 / (double)count);
}

// Half of the addresses lie near the bounds of ranges, half anywhere in the part of the space that is used.
static struct ip_address draw_address(struct seed *seed, const struct countries *countries, uint8_t family) {
    const struct range *range = &countries->ranges[seed_next_below(seed, countries->count)];
    number value = seed_next_below(seed, 2) ? range->first : range->last;
    if (seed_next_below(seed, 2))
        value += seed_next_below(seed, 3) - 1;
    else
        value ^= seed_next(seed) >> seed_next_below(seed, 64);
    return get_address(family == IP_FAMILY_V4 ? (uint32_t)value : value, family);
}

static void check_countries(const char *path, uint8_t family) {
    struct countries countries = {0};
    if (!read_countries(path, family, &countries)) {
        print_message("no %s here (Debian package tor-geoipdb)\n", path);
        skip();
    }
    double started = get_ms();
    struct ip_set *set = ip_set_new(countries.entries, countries.entry_count);
    assert_non_null(set);
    printf("%zu prefixes built in %.0f ms, %.1f bytes each\n", ip_set_get_count(set), get_ms() - started,
           (double)ip_set_get_size_bytes(set) / (double)ip_set_get_count(set));
    assert_int_equal(ip_set_get_count(set), countries.entry_count);
    const char *broken = ip_set_check(set);
    if (broken)
        fail_msg("%s", broken);

    enum { QUESTIONS = 500000 };
    struct ip_address *addresses = calloc(QUESTIONS, sizeof(*addresses));
    assert_non_null(addresses);
    struct seed seed = seed_new();
    for (size_t i = 0; i < QUESTIONS; i++) {
        addresses[i] = draw_address(&seed, &countries, family);
        const struct range *range = find_range(&countries, get_number(&addresses[i]));
        struct ip_set_entry entry;
        assert_int_equal(ip_set_contains(set, &addresses[i], 0), range != NULL);
        assert_int_equal(ip_set_find(set, &addresses[i], 0, &entry), range != NULL);
        if (range)
            assert_ptr_equal(find_range(&countries, get_number(&entry.prefix.address)), range);
    }
    print_look_up_time(set, addresses, QUESTIONS);
    free(addresses);
    ip_set_free(set);
    free(countries.entries);
    free(countries.ranges);
}

static void every_ipv4_range_of_every_country_is_found(void **state) {
    (void)state;
    check_countries(V4_FILE, IP_FAMILY_V4);
}

static void every_ipv6_range_of_every_country_is_found(void **state) {
    (void)state;
    check_countries(V6_FILE, IP_FAMILY_V6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ipv4_range_of_every_country_is_found),
        cmocka_unit_test(every_ipv6_range_of_every_country_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
