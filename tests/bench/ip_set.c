// Look-ups in an ip_set, against binary search in a plain sorted array of the same prefixes. The array knows
// nothing of nesting, ends or ids: it is the least that a list can be.
//
// usage: bench-ip-set FILE    one prefix a line, sorted, all of one family and apart
//
// Prints one JSON object a round: CPU-ns per look-up of both, on the same addresses, half of them in the
// list.
#include "common/ip/ip_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"

__extension__ typedef unsigned __int128 number;

enum { ROUNDS = 15, LOOK_UPS = 200000, MAX_ENTRIES = 1 << 20 };

static struct {
    uint8_t family;
    size_t count;
    struct ip_set_entry entries[MAX_ENTRIES];
    // The peer: bounds of each prefix, IPv4 in 32 bits, as anybody would write it.
    uint32_t first_v4[MAX_ENTRIES], last_v4[MAX_ENTRIES];
    number first[MAX_ENTRIES], last[MAX_ENTRIES];
    struct ip_address questions[LOOK_UPS];
} bench;

static void fail(const char *what) {
    fprintf(stderr, "bench-ip-set: %s\n", what);
    exit(EXIT_FAILURE);
}

static number get_number(const struct ip_address *address) {
    number value = 0;
    for (unsigned i = 0; i < ip_address_get_width_bits(address) / 8; i++)
        value = value << 8 | address->bytes[i];
    return value;
}

static struct ip_address get_address(number value) {
    struct ip_address address = {.family = bench.family};
    unsigned width = ip_address_get_width_bits(&address);
    for (unsigned i = 0; i < width / 8; i++)
        address.bytes[i] = (uint8_t)(value >> (width - 8 - 8 * i));
    return address;
}

// ---- the list ----

static void add_prefix(struct bytes text) {
    size_t at = bench.count++;
    struct ip_prefix prefix = {0};
    if (at == MAX_ENTRIES || ip_prefix_parse(text, &prefix) != IP_PARSE_OK)
        fail("a line of the file is no prefix, or there are too many");
    bench.family = prefix.address.family;
    bench.entries[at] = (struct ip_set_entry){.prefix = prefix, .ends_at_ms = CLOCK_NEVER_MS};
    unsigned host_bits = ip_address_get_width_bits(&prefix.address) - prefix.bits;
    bench.first[at] = get_number(&prefix.address);
    bench.last[at] = bench.first[at] + (((number)1 << host_bits) - 1);
    bench.first_v4[at] = (uint32_t)bench.first[at];
    bench.last_v4[at] = (uint32_t)bench.last[at];
    if (at > 0 && bench.first[at] <= bench.last[at - 1])
        fail("the file is not sorted, or its prefixes overlap");
}

static void read_list(const char *path) {
    char line[IP_PREFIX_TEXT_MAX + 2];
    FILE *file = fopen(path, "r");
    if (!file)
        fail("cannot read the file of prefixes");
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        add_prefix(bytes_of_text(line));
    }
    fclose(file);
    if (bench.count == 0)
        fail("the file has no prefix");
}

// ---- the peer ----

static bool is_in_v4(uint32_t value) {
    size_t low = 0, high = bench.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bench.last_v4[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bench.count && bench.first_v4[low] <= value;
}

static bool is_in_v6(number value) {
    size_t low = 0, high = bench.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bench.last[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bench.count && bench.first[low] <= value;
}

static bool is_in_peer(const struct ip_address *address) {
    number value = get_number(address);
    return bench.family == IP_FAMILY_V4 ? is_in_v4((uint32_t)value) : is_in_v6(value);
}

// ---- the questions ----

static number draw(number limit) {
    number value = 0;
    for (int i = 0; i < 6; i++)
        value = value << 24 | (number)(lrand48() & 0xffffff);
    return value % limit;
}

// Half lie in a prefix of the list, half anywhere between the first and the last one.
static void draw_questions(void) {
    number first = bench.first[0], span = bench.last[bench.count - 1] - first + 1;
    for (size_t i = 0; i < LOOK_UPS; i++) {
        size_t at = (size_t)draw(bench.count);
        number inside = bench.first[at] + draw(bench.last[at] - bench.first[at] + 1);
        bench.questions[i] = get_address(i % 2 ? first + draw(span) : inside);
    }
}

static double get_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double time_set(const struct ip_set *set, size_t *ret_listed) {
    double started = get_cpu_ns();
    for (size_t i = 0; i < LOOK_UPS; i++)
        *ret_listed += ip_set_contains(set, &bench.questions[i], 0);
    return (get_cpu_ns() - started) / LOOK_UPS;
}

static double time_peer(size_t *ret_listed) {
    double started = get_cpu_ns();
    for (size_t i = 0; i < LOOK_UPS; i++)
        *ret_listed += is_in_peer(&bench.questions[i]);
    return (get_cpu_ns() - started) / LOOK_UPS;
}

int main(int argc, char **argv) {
    if (argc != 2)
        fail("usage: bench-ip-set FILE");
    read_list(argv[1]);
    struct ip_set *set = ip_set_new(bench.entries, bench.count);
    if (!set)
        fail("out of memory");
    srand48(1);
    draw_questions();
    for (int round = 0; round < ROUNDS; round++) {
        size_t listed = 0, listed_by_peer = 0;
        double ours = time_set(set, &listed), peer = time_peer(&listed_by_peer);
        if (listed != listed_by_peer)
            fail("the set and the array disagree");
        printf("{\"ours\": %.2f, \"peer\": %.2f}\n", ours, peer);
    }
    ip_set_free(set);
    return EXIT_SUCCESS;
}
