#include "common/ip/ip_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// A byte each, from the least significant: the bits, the key, the family.
enum { DIGITS = 1 + 16 + 1, DIGIT_VALUES = 256, FEW_RECORDS = 64 };

struct ip_record ip_record_of(const struct ip_prefix *prefix, int64_t ends_at_ms) {
    assert(prefix->address.family != IP_FAMILY_NONE);
    assert(prefix->bits <= ip_address_get_width_bits(&prefix->address));
    return (struct ip_record){
        .key = ip_key_of_prefix(&prefix->address, prefix->bits),
        .ends_at_ms = ends_at_ms,
        .bits = prefix->bits,
        .family = prefix->address.family,
    };
}

int ip_record_compare(const struct ip_record *a, const struct ip_record *b) {
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int order = ip_key_compare(a->key, b->key);
    return order != 0 ? order : a->bits - b->bits;
}

static int compare(const void *a, const void *b) {
    return ip_record_compare(a, b);
}

static bool is_sorted(const struct ip_record *records, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (ip_record_compare(&records[i - 1], &records[i]) > 0)
            return false;
    return true;
}

// ---- sorting a million: by digits ----

static inline unsigned get_digit(const struct ip_record *record, unsigned digit) {
    if (digit == 0)
        return record->bits;
    if (digit <= 8)
        return (uint8_t)(record->key.low >> (8 * (digit - 1)));
    if (digit <= 16)
        return (uint8_t)(record->key.high >> (8 * (digit - 9)));
    return record->family;
}

static void count_digits(const struct ip_record *records, size_t count,
                         uint32_t counts[DIGITS][DIGIT_VALUES]) {
    for (size_t i = 0; i < count; i++)
        for (unsigned digit = 0; digit < DIGITS; digit++)
            counts[digit][get_digit(&records[i], digit)]++;
}

// Where the records with each value begin. False: all have the same one, and there is nothing to do.
static bool find_begins(const uint32_t counts[DIGIT_VALUES], size_t count, uint32_t begins[DIGIT_VALUES]) {
    uint32_t begin = 0;
    for (unsigned value = 0; value < DIGIT_VALUES; value++) {
        if (counts[value] == count)
            return false;
        begins[value] = begin;
        begin += counts[value];
    }
    return true;
}

// Stable passes from the last digit to the first, to and fro between two arrays; returns the one it ends in.
static struct ip_record *sort_by_digits(struct ip_record *from, struct ip_record *to, size_t count) {
    uint32_t counts[DIGITS][DIGIT_VALUES] = {{0}}, begins[DIGIT_VALUES];
    count_digits(from, count, counts);
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        if (!find_begins(counts[digit], count, begins))
            continue;
        for (size_t i = 0; i < count; i++)
            to[begins[get_digit(&from[i], digit)]++] = from[i];
        struct ip_record *sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

static bool sort(struct ip_record *records, size_t count) {
    if (is_sorted(records, count))
        return true;
    if (count <= FEW_RECORDS) {
        qsort(records, count, sizeof(*records), compare);
        return true;
    }
    struct ip_record *other = malloc(count * sizeof(*other));
    if (!other)
        return false;
    if (sort_by_digits(records, other, count) == other)
        memcpy(records, other, count * sizeof(*other));
    free(other);
    return true;
}

// ---- one of each prefix ----

static bool is_outdone(const struct ip_record *record, const struct ip_record *by) {
    return record->is_gone || (!by->is_gone && by->ends_at_ms > record->ends_at_ms);
}

bool ip_record_sort(struct ip_record *records, size_t *count) {
    if (!sort(records, *count))
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (kept == 0 || ip_record_compare(&records[kept - 1], &records[i]) != 0)
            records[kept++] = records[i];
        else if (is_outdone(&records[kept - 1], &records[i]))
            records[kept - 1] = records[i];
    }
    *count = kept;
    return true;
}

struct ip_records ip_record_select(const struct ip_record *records, size_t count, uint8_t family) {
    size_t first = 0, end = count;
    while (first < end && records[first].family < family)
        first++;
    while (end > first && records[end - 1].family > family)
        end--;
    return (struct ip_records){records + first, end - first, family};
}

size_t ip_record_merge(struct ip_records old, struct ip_records changes, struct ip_record *ret) {
    size_t i = 0, k = 0, count = 0;
    while (i < old.count || k < changes.count) {
        int order = i == old.count       ? 1
                    : k == changes.count ? -1
                                         : ip_record_compare(&old.records[i], &changes.records[k]);
        if (order < 0) {
            ret[count++] = old.records[i++];
            continue;
        }
        i += order == 0;
        if (!changes.records[k].is_gone)
            ret[count++] = changes.records[k];
        k++;
    }
    return count;
}
