// Look-ups in an ip_set, for bench_ip_set.py. The peers (peers/sorted_array.c, peers/rte_lpm.c, peers/bart)
// are asked the same questions the same way: look_ups.h.
//
// usage: bench-ip-set FILE QUESTIONS
#include "common/ip/ip_set.h"

#include <stdlib.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "tests/bench/look_ups.h"

static struct ip_set *set;
static struct ip_address *addresses;

static bool is_listed(size_t question) {
    return ip_set_contains(set, &addresses[question], 0);
}

static struct ip_set_entry *read_entries(const struct look_ups *look_ups) {
    struct ip_set_entry *entries = calloc(look_ups->line_count + 1, sizeof(*entries));
    for (size_t i = 0; entries && i < look_ups->line_count; i++) {
        entries[i].ends_at_ms = CLOCK_NEVER_MS;
        if (ip_prefix_parse(bytes_of_text(look_ups->lines[i]), &entries[i].prefix) != IP_PARSE_OK)
            look_ups_fail("a line of the file is no prefix");
    }
    return entries;
}

static void read_addresses(const struct look_ups *look_ups) {
    addresses = calloc(LOOK_UPS, sizeof(*addresses));
    for (size_t i = 0; addresses && i < LOOK_UPS; i++) {
        addresses[i].family = look_ups->is_v6 ? IP_FAMILY_V6 : IP_FAMILY_V4;
        memcpy(addresses[i].bytes, look_ups->questions[i], look_ups->is_v6 ? 16 : 4);
    }
}

int main(int argc, char **argv) {
    struct look_ups look_ups;
    look_ups_init(&look_ups, argc, argv);
    struct ip_set_entry *entries = read_entries(&look_ups);
    read_addresses(&look_ups);
    double started = look_ups_get_cpu_ns();
    set = entries ? ip_set_new(entries, look_ups.line_count) : NULL;
    double built_ns = look_ups_get_cpu_ns() - started;
    if (!set || !addresses)
        look_ups_fail("out of memory");

    // One prefix gone and back: what a change costs.
    started = look_ups_get_cpu_ns();
    const struct ip_set_entry *middle = &entries[look_ups.line_count / 2];
    const struct ip_set_change go = {&middle->prefix, 1, NULL, 0}, come = {&middle->prefix, 1, middle, 1};
    struct ip_set *less = ip_set_new_changed(set, &go),
                  *again = less ? ip_set_new_changed(less, &come) : NULL;
    double changed_ns = (look_ups_get_cpu_ns() - started) / 2;
    if (!again || !ip_set_is_equal(set, again))
        look_ups_fail("what went and came back makes another set");
    ip_set_free(less);
    ip_set_free(again);

    look_ups_print_memory(ip_set_get_hot_size_bytes(set), ip_set_get_size_bytes(set));
    printf("{\"build_ms\": %.3f, \"change_ms\": %.4f}\n", built_ns / 1e6, changed_ns / 1e6);
    look_ups_run(is_listed);
    ip_set_free(set);
    free(entries);
    free(addresses);
    look_ups_fini(&look_ups);
    return EXIT_SUCCESS;
}
