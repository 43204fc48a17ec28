#include "services/validator/image/lane_set.h"

#include <stdio.h>

static bool add_range(struct lane_set *set, uint64_t first, uint64_t last) {
    for (uint64_t lane = first; lane <= last; lane++)
        set->companies |= UINT64_C(1) << lane;
    return first <= last;
}

// "7" or "0-31".
static bool parse_range(struct bytes text, struct lane_set *set) {
    uint64_t first, last;
    struct bytes rest = text;
    struct bytes begin = bytes_split(&rest, '-');
    if (!bytes_parse_unsigned(begin, LANE_DEPLOYMENT - 1, &first))
        return false;
    if (begin.len == text.len)
        return add_range(set, first, first);
    return bytes_parse_unsigned(rest, LANE_DEPLOYMENT - 1, &last) && add_range(set, first, last);
}

bool lane_set_parse(struct bytes text, struct lane_set *ret_set) {
    struct lane_set set = {0};
    for (bool is_last = false; !is_last;) {
        struct bytes rest = text;
        struct bytes range = bytes_split(&rest, ',');
        is_last = range.len == text.len;
        if (!parse_range(bytes_trim(range), &set))
            return false;
        text = rest;
    }
    *ret_set = set;
    return true;
}

static unsigned find_end(struct lane_set set, unsigned first) {
    unsigned end = first;
    while (end < LANE_DEPLOYMENT && lane_set_has(set, end))
        end++;
    return end;
}

void lane_set_format(struct lane_set set, char ret_text[LANE_SET_TEXT_MAX + 1]) {
    size_t len = 0;
    ret_text[0] = '\0';
    for (unsigned first = 0, end; first < LANE_DEPLOYMENT; first = end + 1) {
        end = find_end(set, first);
        if (end == first)
            continue;
        const char *comma = len > 0 ? "," : "";
        len += (size_t)snprintf(ret_text + len, LANE_SET_TEXT_MAX + 1 - len, "%s%u", comma, first);
        if (end - first > 1)
            len += (size_t)snprintf(ret_text + len, LANE_SET_TEXT_MAX + 1 - len, "-%u", end - 1);
    }
}

unsigned lane_set_count(struct lane_set set) {
    return (unsigned)__builtin_popcountll(set.companies);
}
