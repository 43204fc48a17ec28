// Any bytes as a list, edits of it and questions about it: the set answers as the list does, whether it was
// made at once or changed step by step, and its invariants hold.
//
// Each five bytes are an entry: a byte says its family, its end and in which step it comes (0: in the first
// set; else what stands under its prefix is replaced, by nothing if the top bit is set), one its bits, three
// its address.
#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/ip/ip_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP = 5, ENTRIES_MAX = 400, NOW_MS = 1000 };

struct list {
    struct ip_set_entry entries[ENTRIES_MAX];
    size_t count;
};

static struct ip_set_entry read_entry(const uint8_t *data) {
    static const int64_t ends[] = {CLOCK_NEVER_MS, NOW_MS, NOW_MS + 1, CLOCK_NEVER_MS};
    struct ip_address address = {.family = data[0] & 1 ? IP_FAMILY_V6 : IP_FAMILY_V4};
    unsigned width = ip_address_get_width_bits(&address), bits = data[1] % (width + 1);
    for (unsigned i = 0; i < width / 8; i++)
        address.bytes[i] = data[2 + i * 3 / (width / 8)];
    return (struct ip_set_entry){ip_prefix_of(&address, bits), ends[data[0] >> 1 & 3]};
}

static void remove_prefix(struct list *list, const struct ip_prefix *prefix) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (ip_prefix_compare(&list->entries[i].prefix, prefix) != 0)
            list->entries[kept++] = list->entries[i];
    list->count = kept;
}

static bool is_listed(const struct list *list, const struct ip_address *address) {
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].ends_at_ms > NOW_MS &&
            ip_prefix_contains_address(&list->entries[i].prefix, address))
            return true;
    return false;
}

static void compare(const struct ip_set *set, const struct list *list, const uint8_t *data, size_t size) {
    assert(!ip_set_check(set));
    for (size_t at = 0; at + STEP <= size; at += STEP) {
        struct ip_address address = read_entry(data + at).prefix.address;
        struct ip_set_entry found;
        assert(ip_set_contains(set, &address, NOW_MS) == is_listed(list, &address));
        assert(ip_set_find(set, &address, NOW_MS, &found) == is_listed(list, &address));
    }
}

static struct ip_set *change(struct ip_set *set, struct list *list, const struct ip_set_entry *entry,
                             bool is_gone) {
    const struct ip_set_change change = {&entry->prefix, 1, entry, is_gone ? 0 : 1};
    struct ip_set *changed = ip_set_new_changed(set, &change);
    assert(changed);
    ip_set_free(set);
    remove_prefix(list, &entry->prefix);
    if (!is_gone)
        list->entries[list->count++] = *entry;
    return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint64_t keys[2] = {3, UINT64_C(0x9e3779b97f4a7c15)};
    static struct list list;
    size = size < STEP * ENTRIES_MAX ? size : STEP * ENTRIES_MAX;
    list.count = 0;
    for (size_t at = 0; at + STEP <= size; at += STEP)
        if (!(data[at] & 0x08))
            list.entries[list.count++] = read_entry(data + at);
    struct ip_set *set = ip_set_new(list.entries, list.count);
    assert(set);
    compare(set, &list, data, size);
    for (size_t at = 0; at + STEP <= size; at += STEP) {
        struct ip_set_entry entry = read_entry(data + at);
        if (data[at] & 0x08)
            set = change(set, &list, &entry, data[at] & 0x80);
    }
    compare(set, &list, data, size);
    struct ip_set *made = ip_set_new(list.entries, list.count);
    assert(made && ip_set_is_equal(set, made) && ip_set_get_hash(set, keys) == ip_set_get_hash(made, keys));
    ip_set_free(made);
    ip_set_free(set);
    return 0;
}
