// A table of ranges; the first that contains the prefix names it.
#include "common/ip/special.h"

#include <assert.h>

#include "common/base/compiler.h"

const char *ip_special_get_text(enum ip_special special) {
    static const char *const texts[] = {
#define TEXT(name, text) text,
        IP_SPECIAL_TABLE(TEXT)
#undef TEXT
    };
    assert((unsigned)special < IP_SPECIAL_COUNT);
    return texts[special];
}

#define RANGE(bits_, ...) \
    { .address = {.family = IP_FAMILY_V6, .bytes = {__VA_ARGS__}}, .bits = (bits_) }

static const struct {
    enum ip_special special;
    struct ip_prefix range;
} ranges[] = {
    {IP_SPECIAL_NAT64, RANGE(96, 0x00, 0x64, 0xff, 0x9b)},
    {IP_SPECIAL_NAT64, RANGE(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01)}, // RFC 8215, within one network
    {IP_SPECIAL_SIX_TO_FOUR, RANGE(16, 0x20, 0x02)},
    {IP_SPECIAL_TEREDO, RANGE(32, 0x20, 0x01, 0x00, 0x00)},
    {IP_SPECIAL_V4_COMPATIBLE, RANGE(96, 0x00)},
};

// ::/128 and ::1/128.
static bool is_unspecified_or_loopback(const struct ip_prefix *prefix) {
    static const struct ip_prefix lowest_two = RANGE(127, 0x00);
    return prefix->bits == 128 && ip_prefix_contains_prefix(&lowest_two, prefix);
}

enum ip_special ip_prefix_get_special(const struct ip_prefix *prefix) {
    if (is_unspecified_or_loopback(prefix))
        return IP_SPECIAL_NONE;
    for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++)
        if (ip_prefix_contains_prefix(&ranges[i].range, prefix))
            return ranges[i].special;
    return IP_SPECIAL_NONE;
}
