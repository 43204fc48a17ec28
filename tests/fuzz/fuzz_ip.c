// Any bytes as an address and as a prefix. Plain addresses against inet_pton(3), both ways; what is written
// is read again as the same.
#include <arpa/inet.h>
#include <assert.h>

#include "common/ip/prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_mapped(const uint8_t *bytes) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

// As the C library reads it; family NONE if it does not.
static struct ip_address ask_library(struct bytes text) {
    char copy[64];
    struct ip_address address = {0};
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
        return address;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    uint8_t wide[16];
    if (inet_pton(AF_INET, copy, address.bytes) == 1)
        address.family = IP_FAMILY_V4;
    else if (inet_pton(AF_INET6, copy, wide) == 1 && is_mapped(wide)) {
        address.family = IP_FAMILY_V4;
        memcpy(address.bytes, wide + 12, 4);
    } else if (inet_pton(AF_INET6, copy, wide) == 1) {
        address.family = IP_FAMILY_V6;
        memcpy(address.bytes, wide, 16);
    }
    return address;
}

static void check_address(struct bytes text) {
    struct ip_address address = {0}, expected = ask_library(text);
    enum ip_parse_result result = ip_address_parse(text, &address);
    assert((result == IP_PARSE_OK) == (expected.family != IP_FAMILY_NONE));
    assert(ip_address_is_equal(&address, &expected));
    assert(*ip_parse_result_get_text(result));
}

static void check_prefix(struct bytes text) {
    struct ip_prefix prefix, again;
    char written[IP_PREFIX_TEXT_MAX + 1];
    if (ip_prefix_parse(text, &prefix) != IP_PARSE_OK)
        return;
    ip_prefix_format(&prefix, written);
    assert(ip_prefix_parse(bytes_of_text(written), &again) == IP_PARSE_OK);
    assert(ip_prefix_compare(&prefix, &again) == 0);
    assert(ip_prefix_contains_address(&prefix, &prefix.address));
    assert(ip_prefix_contains_prefix(&prefix, &again));
    // Given a second time by itself, the number of bits must be the same.
    bool has_slash = memchr(text.data, '/', text.len) != NULL;
    uint32_t bits = 0;
    for (; bits <= 128 && has_slash; bits++)
        if (ip_prefix_parse_with_bits(text, bits, &again) == IP_PARSE_OK)
            break;
    assert(!has_slash || ip_prefix_compare(&prefix, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_of(data, size);
    check_address(text);
    check_prefix(text);
    return 0;
}
