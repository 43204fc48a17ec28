// Own parser, because the C libraries' differ: what one reads as octal another reads as decimal, and some
// take short forms and trailing garbage. The first byte that can't be part of an address decides what the
// person is told.
#include "common/ip/address.h"

#include <assert.h>
#include <endian.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { V6_GROUPS = 8, V6_BYTES = 16, V4_BYTES = 4, V4_NUMBER_DIGITS_MAX = 3, V6_GROUP_DIGITS_MAX = 4 };

const char *ip_parse_result_get_text(enum ip_parse_result result) {
    static const char *const texts[] = {
#define TEXT(name, text) text,
        IP_PARSE_TABLE(TEXT)
#undef TEXT
    };
    static_assert(ARRAY_LENGTH(texts) == IP_PARSE_COUNT, "one sentence for each result");
    assert((unsigned)result < IP_PARSE_COUNT);
    return texts[result];
}

static bool is_decimal(uint8_t character) {
    return character >= '0' && character <= '9';
}

// 16 for what is no hexadecimal digit.
static unsigned get_hex_value(uint8_t character) {
    if (is_decimal(character))
        return character - '0';
    uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10u : 16;
}

static size_t count_byte(struct bytes text, uint8_t byte) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == byte;
    return count;
}

static bool has_byte(struct bytes text, uint8_t byte) {
    return text.len > 0 && memchr(text.data, byte, text.len) != NULL;
}

static enum ip_parse_result screen_byte(uint8_t byte) {
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': return IP_PARSE_SPACE;
    case '[':
    case ']': return IP_PARSE_PORT_OR_BRACKETS;
    case '%': return IP_PARSE_ZONE;
    case '/': return IP_PARSE_HAS_PREFIX;
    case 'x':
    case 'X': return IP_PARSE_NOT_DECIMAL;
    case '.':
    case ':': return IP_PARSE_OK;
    default: return get_hex_value(byte) < 16 ? IP_PARSE_OK : IP_PARSE_CHARACTER;
    }
}

static enum ip_parse_result screen(struct bytes text) {
    if (text.len == 0)
        return IP_PARSE_EMPTY;
    for (size_t i = 0; i < text.len; i++) {
        enum ip_parse_result result = screen_byte(text.data[i]);
        // why: "0x7f" is hexadecimal, "example.com" is a name.
        if (result == IP_PARSE_NOT_DECIMAL && (i == 0 || text.data[i - 1] != '0'))
            result = IP_PARSE_CHARACTER;
        if (result != IP_PARSE_OK)
            return result;
    }
    return IP_PARSE_OK;
}

static enum ip_parse_result parse_v4_number(struct bytes text, uint8_t *ret) {
    if (text.len == 0)
        return IP_PARSE_NOT_FOUR_NUMBERS;
    unsigned value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_decimal(text.data[i]))
            return IP_PARSE_NOT_DECIMAL;
        if (i < V4_NUMBER_DIGITS_MAX)
            value = value * 10 + (text.data[i] - '0');
    }
    if (text.len > 1 && text.data[0] == '0')
        return IP_PARSE_LEADING_ZERO;
    if (text.len > V4_NUMBER_DIGITS_MAX || value > 255)
        return IP_PARSE_NUMBER_TOO_LARGE;
    *ret = (uint8_t)value;
    return IP_PARSE_OK;
}

static enum ip_parse_result parse_v4(struct bytes text, uint8_t ret[V4_BYTES]) {
    if (count_byte(text, '.') != V4_BYTES - 1)
        return IP_PARSE_NOT_FOUR_NUMBERS;
    enum ip_parse_result result = IP_PARSE_OK;
    for (unsigned i = 0; i < V4_BYTES && result == IP_PARSE_OK; i++)
        result = parse_v4_number(bytes_split(&text, '.'), &ret[i]);
    return result;
}

// Returns what stands behind the number, NULL if there is none, or it is too large or begins with a zero.
static const uint8_t *read_plain_number(const uint8_t *at, const uint8_t *end, uint8_t *ret) {
    unsigned value = at < end ? (unsigned)*at - '0' : 10;
    if (value > 9)
        return NULL;
    for (at++; at < end && (unsigned)*at - '0' <= 9; at++) {
        if (value == 0)
            return NULL;
        value = value * 10 + (*at - '0');
        if (value > 255)
            return NULL;
    }
    *ret = (uint8_t)value;
    return at;
}

// Four numbers as nearly everybody types them, in one pass; false says nothing about what is wrong.
// why: every decision reads an address, and the way that finds the right sentence costs five times as much.
static bool read_plain_v4(struct bytes text, uint32_t *ret) {
    if (text.len == 0) // it may have no address
        return false;
    const uint8_t *at = text.data, *end = at + text.len;
    uint32_t address = 0;
    for (unsigned i = 0; i < V4_BYTES; i++) {
        uint8_t number;
        if (i > 0 && (at == end || *at++ != '.'))
            return false;
        at = read_plain_number(at, end, &number);
        if (!at)
            return false;
        address = address << 8 | number;
    }
    *ret = htobe32(address);
    return at == end;
}

struct v6_parser {
    struct bytes rest;
    uint8_t bytes[V6_BYTES];
    unsigned filled; // bytes written so far
    unsigned gap;    // `filled` where "::" stood
    bool has_gap;
};

static bool skip_colon(struct v6_parser *parser) {
    if (parser->rest.len == 0 || parser->rest.data[0] != ':')
        return false;
    parser->rest = bytes_of(parser->rest.data + 1, parser->rest.len - 1);
    return true;
}

// What stands before the next colon, which stays.
static struct bytes take_group(struct v6_parser *parser) {
    size_t len = 0;
    while (len < parser->rest.len && parser->rest.data[len] != ':')
        len++;
    struct bytes group = bytes_of(parser->rest.data, len);
    parser->rest = bytes_of(parser->rest.data + len, parser->rest.len - len);
    return group;
}

static enum ip_parse_result add_hex_group(struct v6_parser *parser, struct bytes group) {
    if (group.len > V6_GROUP_DIGITS_MAX)
        return IP_PARSE_GROUP_TOO_LONG;
    if (parser->filled + 2 > V6_BYTES)
        return IP_PARSE_GROUP_COUNT;
    unsigned value = 0;
    for (size_t i = 0; i < group.len; i++) {
        unsigned digit = get_hex_value(group.data[i]);
        if (digit == 16)
            return IP_PARSE_CHARACTER;
        value = value << 4 | digit;
    }
    parser->bytes[parser->filled++] = (uint8_t)(value >> 8);
    parser->bytes[parser->filled++] = (uint8_t)value;
    return IP_PARSE_OK;
}

// "::ffff:192.0.2.1": the last 32 bits may be written as an IPv4 address.
static enum ip_parse_result add_dotted_group(struct v6_parser *parser, struct bytes group) {
    if (parser->rest.len > 0)
        return IP_PARSE_PORT_OR_BRACKETS;
    if (parser->filled == 0 && !parser->has_gap)
        return IP_PARSE_GROUP_COUNT;
    if (parser->filled + V4_BYTES > V6_BYTES)
        return IP_PARSE_GROUP_COUNT;
    enum ip_parse_result result = parse_v4(group, parser->bytes + parser->filled);
    if (result == IP_PARSE_OK)
        parser->filled += V4_BYTES;
    return result;
}

// The colon or two between groups; a single one must not be the last.
static enum ip_parse_result take_separator(struct v6_parser *parser) {
    if (!skip_colon(parser))
        return IP_PARSE_OK;
    if (!skip_colon(parser))
        return parser->rest.len > 0 ? IP_PARSE_OK : IP_PARSE_COLONS;
    bool is_third = parser->rest.len > 0 && parser->rest.data[0] == ':';
    if (parser->has_gap || is_third)
        return IP_PARSE_COLONS;
    parser->has_gap = true;
    parser->gap = parser->filled;
    return IP_PARSE_OK;
}

static enum ip_parse_result expand_gap(struct v6_parser *parser) {
    if (!parser->has_gap)
        return parser->filled == V6_BYTES ? IP_PARSE_OK : IP_PARSE_GROUP_COUNT;
    if (parser->filled > V6_BYTES - 2)
        return IP_PARSE_GROUP_COUNT;
    unsigned tail = parser->filled - parser->gap;
    unsigned zeros = V6_BYTES - parser->filled;
    memmove(parser->bytes + V6_BYTES - tail, parser->bytes + parser->gap, tail);
    memset(parser->bytes + parser->gap, 0, zeros);
    return IP_PARSE_OK;
}

static enum ip_parse_result parse_v6(struct bytes text, uint8_t ret[V6_BYTES]) {
    struct v6_parser parser = {.rest = text};
    enum ip_parse_result result = IP_PARSE_OK;
    if (text.data[0] == ':') {
        result = text.len > 1 && text.data[1] == ':' ? take_separator(&parser) : IP_PARSE_COLONS;
    }
    while (result == IP_PARSE_OK && parser.rest.len > 0) {
        struct bytes group = take_group(&parser);
        result = has_byte(group, '.') ? add_dotted_group(&parser, group) : add_hex_group(&parser, group);
        if (result == IP_PARSE_OK)
            result = take_separator(&parser);
    }
    if (result == IP_PARSE_OK)
        result = expand_gap(&parser);
    if (result == IP_PARSE_OK)
        memcpy(ret, parser.bytes, V6_BYTES);
    return result;
}

static struct ip_address from_v4_bytes(const uint8_t bytes[V4_BYTES]) {
    struct ip_address address = {.family = IP_FAMILY_V4};
    memcpy(address.bytes, bytes, V4_BYTES);
    return address;
}

// The one door through which IPv6 comes in: mapped IPv4 leaves it as IPv4.
static struct ip_address from_v6_bytes(const uint8_t bytes[V6_BYTES]) {
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
        return from_v4_bytes(bytes + sizeof(mapped));
    struct ip_address address = {.family = IP_FAMILY_V6};
    memcpy(address.bytes, bytes, V6_BYTES);
    return address;
}

// Two addresses and what stands between them.
enum { NOTATION_MAX = 2 * IP_ADDRESS_TEXT_MAX + sizeof(" - ") - 1 };

static bool is_address(struct bytes text) {
    struct ip_address ignored;
    return ip_address_parse(bytes_trim(text), &ignored) == IP_PARSE_OK;
}

// Other programs' notations of several addresses, by name; of anything else what is wrong with its first byte
// that is. What it asks about is shorter than the text, so it comes to an end.
static enum ip_parse_result recognise(struct bytes text, enum ip_parse_result wrong) {
    struct bytes last = text, mask = text;
    if (text.len > NOTATION_MAX)
        return wrong;
    if (has_byte(text, '*'))
        return IP_PARSE_WILDCARD;
    if (has_byte(text, '-') && is_address(bytes_split(&last, '-')))
        return IP_PARSE_RANGE;
    if (has_byte(text, ' ') && is_address(bytes_split(&mask, ' ')) && is_address(mask))
        return IP_PARSE_NETMASK;
    return wrong;
}

enum ip_parse_result ip_address_parse(struct bytes text, struct ip_address *ret) {
    uint8_t bytes[V6_BYTES];
    uint32_t plain;
    if (read_plain_v4(text, &plain)) {
        *ret = (struct ip_address){.family = IP_FAMILY_V4};
        memcpy(ret->bytes, &plain, sizeof(plain));
        return IP_PARSE_OK;
    }
    enum ip_parse_result result = screen(text);
    if (result != IP_PARSE_OK)
        return recognise(text, result);
    bool is_v6 = has_byte(text, ':');
    result = is_v6 ? parse_v6(text, bytes) : parse_v4(text, bytes);
    if (result == IP_PARSE_OK)
        *ret = is_v6 ? from_v6_bytes(bytes) : from_v4_bytes(bytes);
    return result;
}

static unsigned get_group(const struct ip_address *address, unsigned i) {
    return (unsigned)address->bytes[2 * i] << 8 | address->bytes[2 * i + 1];
}

// The longest run of two or more zero groups, the first among equals; length 0 if there is none.
static void find_zero_run(const struct ip_address *address, unsigned *ret_first, unsigned *ret_len) {
    *ret_first = *ret_len = 0;
    unsigned len = 0;
    for (unsigned i = 0; i < V6_GROUPS; i++) {
        len = get_group(address, i) == 0 ? len + 1 : 0;
        if (len >= 2 && len > *ret_len) {
            *ret_len = len;
            *ret_first = i + 1 - len;
        }
    }
}

static void format_v6(const struct ip_address *address, char *ret_text) {
    unsigned run_first, run_len;
    find_zero_run(address, &run_first, &run_len);
    char *end = ret_text;
    for (unsigned i = 0; i < V6_GROUPS; i++) {
        if (run_len > 0 && i == run_first) {
            *end++ = ':';
            *end++ = ':';
            i += run_len - 1;
            continue;
        }
        if (i > 0 && end[-1] != ':')
            *end++ = ':';
        end += snprintf(end, sizeof("ffff"), "%x", get_group(address, i));
    }
    *end = '\0';
}

void ip_address_format(const struct ip_address *address, char ret_text[IP_ADDRESS_TEXT_MAX + 1]) {
    const uint8_t *bytes = address->bytes;
    ret_text[0] = '\0';
    if (address->family == IP_FAMILY_V4)
        snprintf(ret_text, IP_ADDRESS_TEXT_MAX + 1, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    if (address->family == IP_FAMILY_V6)
        format_v6(address, ret_text);
}

struct ip_address ip_address_from_sockaddr(const struct sockaddr *socket_address) {
    if (socket_address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)socket_address;
        return from_v4_bytes((const uint8_t *)&v4->sin_addr);
    }
    if (socket_address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)socket_address;
        return from_v6_bytes(v6->sin6_addr.s6_addr);
    }
    return (struct ip_address){0};
}
