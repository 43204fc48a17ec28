// The least that a list can be: the bounds of its prefixes in a sorted array, and binary search. It knows
// nothing of nesting, ends or what an entry was.
//
// usage: bench-sorted-array FILE QUESTIONS
#include "common/base/bytes.h"
#include "common/ip/prefix.h"
#include "tests/bench/look_ups.h"

__extension__ typedef unsigned __int128 number;

static size_t count;
static uint32_t *first_v4, *last_v4, *questions_v4;
static number *first, *last, *questions;

static number get_number(const uint8_t *bytes, unsigned len) {
    number value = 0;
    for (unsigned i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool is_listed_v4(size_t question) {
    uint32_t value = questions_v4[question];
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (last_v4[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && first_v4[low] <= value;
}

static bool is_listed_v6(size_t question) {
    number value = questions[question];
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (last[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && first[low] <= value;
}

static void add_prefix(const struct look_ups *look_ups, size_t at) {
    struct ip_prefix prefix;
    unsigned width = look_ups->is_v6 ? 128 : 32;
    if (ip_prefix_parse(bytes_of_text(look_ups->lines[at]), &prefix) != IP_PARSE_OK)
        look_ups_fail("a line of the file is no prefix");
    first[at] = get_number(prefix.address.bytes, width / 8);
    last[at] = first[at] + (((number)1 << (width - prefix.bits)) - 1);
    first_v4[at] = (uint32_t)first[at];
    last_v4[at] = (uint32_t)last[at];
    if (at > 0 && first[at] <= last[at - 1])
        look_ups_fail("the file is not sorted, or its prefixes overlap");
}

static void *allocate(size_t elements, size_t size) {
    void *array = calloc(elements, size);
    if (!array)
        look_ups_fail("out of memory");
    return array;
}

int main(int argc, char **argv) {
    struct look_ups look_ups;
    look_ups_init(&look_ups, argc, argv);
    count = look_ups.line_count;
    first = allocate(count, sizeof(*first));
    last = allocate(count, sizeof(*last));
    first_v4 = allocate(count, sizeof(*first_v4));
    last_v4 = allocate(count, sizeof(*last_v4));
    questions = allocate(LOOK_UPS, sizeof(*questions));
    questions_v4 = allocate(LOOK_UPS, sizeof(*questions_v4));
    for (size_t i = 0; i < count; i++)
        add_prefix(&look_ups, i);
    for (size_t i = 0; i < LOOK_UPS; i++) {
        questions[i] = get_number(look_ups.questions[i], look_ups.is_v6 ? 16 : 4);
        questions_v4[i] = (uint32_t)questions[i];
    }
    look_ups_print_memory(count * (look_ups.is_v6 ? 32 : 8), count * (look_ups.is_v6 ? 32 : 8));
    if (look_ups.is_v6)
        look_ups_run(is_listed_v6);
    else
        look_ups_run(is_listed_v4);
    return EXIT_SUCCESS;
}
