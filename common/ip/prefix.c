// Prefixes: bits are counted in the form that was typed, and a colon tells which form that is.
#include "common/ip/prefix.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/ip/key.h"

enum { V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = 96 };

struct ip_prefix ip_prefix_of(const struct ip_address *address, unsigned bits) {
    assert(bits <= ip_address_get_width_bits(address));
    struct ip_key key = ip_key_of_prefix(address, bits);
    return (struct ip_prefix){.address = ip_key_get_address(key, address->family), .bits = (uint8_t)bits};
}

static enum ip_parse_result parse_bits(struct bytes text, uint32_t *ret_bits) {
    if (text.len == 0)
        return IP_PARSE_BITS_MISSING;
    uint64_t bits;
    if (bytes_parse_unsigned(text, V6_BITS, &bits)) {
        *ret_bits = (uint32_t)bits;
        return IP_PARSE_OK;
    }
    return bytes_parse_unsigned(text, UINT64_MAX, &bits) ? IP_PARSE_BITS_TOO_LARGE
                                                         : IP_PARSE_BITS_NOT_A_NUMBER;
}

// From the bits of the typed form to those of the address that it stands for.
static enum ip_parse_result convert_bits(const struct ip_address *address, bool is_typed_as_v6,
                                         uint32_t *bits) {
    if (*bits > V6_BITS)
        return IP_PARSE_BITS_TOO_LARGE;
    if (!is_typed_as_v6 && *bits > V4_BITS)
        return *bits < MAPPED_BITS ? IP_PARSE_BITS_TOO_LARGE : IP_PARSE_MIXED_FAMILY;
    bool is_mapped = is_typed_as_v6 && address->family == IP_FAMILY_V4;
    if (!is_mapped)
        return IP_PARSE_OK;
    if (*bits < MAPPED_BITS)
        return IP_PARSE_MAPPED_BITS;
    *bits -= MAPPED_BITS;
    return IP_PARSE_OK;
}

enum ip_parse_result ip_prefix_parse(struct bytes text, struct ip_prefix *ret) {
    return ip_prefix_parse_with_bits(text, IP_PREFIX_BITS_UNSET, ret);
}

enum ip_parse_result ip_prefix_parse_with_bits(struct bytes text, uint32_t bits, struct ip_prefix *ret) {
    if (text.len == 0)
        return IP_PARSE_EMPTY;
    struct bytes bits_text = text;
    struct bytes address_text = bytes_split(&bits_text, '/');
    struct ip_address address;
    enum ip_parse_result result = ip_address_parse(address_text, &address);
    if (result != IP_PARSE_OK)
        return result;

    if (bits_text.data) {
        uint32_t typed_bits;
        result = parse_bits(bits_text, &typed_bits);
        if (result != IP_PARSE_OK)
            return result;
        if (bits != IP_PREFIX_BITS_UNSET && bits != typed_bits)
            return IP_PARSE_BITS_DIFFER;
        bits = typed_bits;
    }
    bool is_typed_as_v6 = memchr(address_text.data, ':', address_text.len) != NULL;
    if (bits == IP_PREFIX_BITS_UNSET)
        bits = is_typed_as_v6 ? V6_BITS : V4_BITS;
    result = convert_bits(&address, is_typed_as_v6, &bits);
    if (result == IP_PARSE_OK)
        *ret = ip_prefix_of(&address, bits);
    return result;
}

void ip_prefix_format(const struct ip_prefix *prefix, char ret_text[IP_PREFIX_TEXT_MAX + 1]) {
    char address[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&prefix->address, address);
    ret_text[0] = '\0';
    if (prefix->address.family != IP_FAMILY_NONE)
        snprintf(ret_text, IP_PREFIX_TEXT_MAX + 1, "%s/%u", address, prefix->bits);
}

unsigned ip_prefix_get_common_bits(const struct ip_prefix *prefix, const struct ip_address *address) {
    if (prefix->address.family != address->family)
        return 0;
    unsigned common = ip_key_get_common_bits(ip_key_of(&prefix->address), ip_key_of(address));
    return common < prefix->bits ? common : prefix->bits;
}

bool ip_prefix_contains_address(const struct ip_prefix *prefix, const struct ip_address *address) {
    return address->family != IP_FAMILY_NONE && prefix->address.family == address->family &&
           ip_key_is_within(ip_key_of(address), ip_key_of(&prefix->address), prefix->bits);
}

bool ip_prefix_contains_prefix(const struct ip_prefix *outer, const struct ip_prefix *inner) {
    return outer->bits <= inner->bits && ip_prefix_contains_address(outer, &inner->address);
}

int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b) {
    if (a->address.family != b->address.family)
        return a->address.family < b->address.family ? -1 : 1;
    int order = ip_key_compare(ip_key_of(&a->address), ip_key_of(&b->address));
    return order != 0 ? order : (a->bits > b->bits) - (a->bits < b->bits);
}
