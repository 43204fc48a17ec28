// The plain list of prefixes that an ip_set stands for: it answers by looking at every entry.
#ifndef LATCHKEY_TESTS_UNIT_PLAIN_LIST_H
#define LATCHKEY_TESTS_UNIT_PLAIN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip/ip_set.h"
#include "tests/unit/seed.h"

#define PLAIN_LIST_NOW_MS INT64_C(1700000000000)

struct plain_list {
    struct ip_set_entry *entries; // owned: free()
    size_t count;
};

struct plain_shape {
    size_t count;
    unsigned values;     // of each byte of an address
    unsigned v6_percent; // the rest is IPv4
    unsigned bits_min;   // the longest of a few draws, as in real lists
    bool has_ends;
};

struct ip_prefix plain_list_parse(const char *text);

// Addresses crowd, so that prefixes nest and lie side by side; ends lie around PLAIN_LIST_NOW_MS.
struct plain_list plain_list_draw(struct seed *seed, const struct plain_shape *shape);
int64_t plain_list_draw_end(struct seed *seed);
// IPv4 hosts, none of them a neighbour of the next.
struct plain_list plain_list_new_row(size_t count);

struct ip_address plain_list_flip_bit(struct ip_address address, unsigned bit);

// Fails the test unless all invariants of the set hold.
void plain_list_check_set(const struct ip_set *set);

// Fails the test unless the set answers as the list does, about so many addresses in it and near it.
void plain_list_ask(struct seed *seed, const struct ip_set *set, const struct plain_list *list,
                    unsigned values, unsigned questions);

#endif
