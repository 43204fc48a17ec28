// Addresses: a table of what is refused and why, and the C library's strict inet_pton() as oracle.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ip/address.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text, *canonical;
} valid[] = {
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"203.0.113.7", "203.0.113.7"},
    {"10.0.0.10", "10.0.0.10"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"2001:DB8::A", "2001:db8::a"},
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"0:0:1:0:0:0:1:0", "0:0:1::1:0"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"::13.1.68.3", "::d01:4403"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    // Mapped, in every spelling.
    {"::ffff:1.2.3.4", "1.2.3.4"},
    {"::FFFF:1.2.3.4", "1.2.3.4"},
    {"::ffff:a9fe:a9fe", "169.254.169.254"},
    {"0:0:0:0:0:ffff:7f00:1", "127.0.0.1"},
    {"0000:0000:0000:0000:0000:ffff:0a00:0001", "10.0.0.1"},
    {"::ffff:0:0", "0.0.0.0"},
    {"0::ffff:10.0.0.1", "10.0.0.1"},
    // Not mapped.
    {"::fffe:1.2.3.4", "::fffe:102:304"},
    {"::ffff:0:1.2.3.4", "::ffff:0:102:304"},
};

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t len;
    enum ip_parse_result result;
} refused[] = {
    {TEXT(""), IP_PARSE_EMPTY},
    {TEXT(" "), IP_PARSE_SPACE},
    {TEXT(" 1.2.3.4"), IP_PARSE_SPACE},
    {TEXT("1.2.3.4 "), IP_PARSE_SPACE},
    {TEXT("1.2.3.4 x"), IP_PARSE_SPACE},
    {TEXT("1.2.3.4\n"), IP_PARSE_SPACE},
    {TEXT("1.2.3.4\t"), IP_PARSE_SPACE},
    {TEXT("1.2.3.4\0"), IP_PARSE_CHARACTER},
    {TEXT("1.2.3.4\0.example"), IP_PARSE_CHARACTER},
    {TEXT("\0"), IP_PARSE_CHARACTER},
    {TEXT("example.com"), IP_PARSE_CHARACTER},
    {TEXT("localhost"), IP_PARSE_CHARACTER},
    {TEXT("-1.2.3.4"), IP_PARSE_CHARACTER},
    {TEXT("+1.2.3.4"), IP_PARSE_CHARACTER},
    {TEXT("1,2,3,4"), IP_PARSE_CHARACTER},
    {TEXT("1.2.3.4,5.6.7.8"), IP_PARSE_CHARACTER},
    {TEXT("\xd9\xa1.2.3.4"), IP_PARSE_CHARACTER},     // U+0661, Arabic-Indic digit one
    {TEXT("\xef\xbc\x91.2.3.4"), IP_PARSE_CHARACTER}, // U+FF11, fullwidth digit one
    {TEXT("1\xe3\x80\x82"
          "2.3.4"),
     IP_PARSE_CHARACTER}, // U+3002, ideographic full stop
    {TEXT("1.2.3.4x"), IP_PARSE_CHARACTER},
    {TEXT("010.0.0.1"), IP_PARSE_LEADING_ZERO},
    {TEXT("10.00.0.1"), IP_PARSE_LEADING_ZERO},
    {TEXT("1.2.3.04"), IP_PARSE_LEADING_ZERO},
    {TEXT("1.2.3.0004"), IP_PARSE_LEADING_ZERO},
    {TEXT("::ffff:01.2.3.4"), IP_PARSE_LEADING_ZERO},
    {TEXT("0x7f.0.0.1"), IP_PARSE_NOT_DECIMAL},
    {TEXT("0X7f.0.0.1"), IP_PARSE_NOT_DECIMAL},
    {TEXT("0x7f000001"), IP_PARSE_NOT_DECIMAL},
    {TEXT("a.b.c.d"), IP_PARSE_NOT_DECIMAL},
    {TEXT("1.2.3.4f"), IP_PARSE_NOT_DECIMAL},
    {TEXT("1.2.3.99999999999999999999"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("256.1.1.1"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("1.1.1.256"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("1.2.3.1000"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("4294967297.1.1.1"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("1052215181"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("0300.168.257"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("0300.0xA8.257"), IP_PARSE_NOT_DECIMAL},
    {TEXT("127.1"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1.2.3"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1.2.3."), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT(".2.3.4"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1..3.4"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1.2.3.4.5"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1.2.3.4."), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("..."), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("cafe"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("1.2.3.4/24"), IP_PARSE_HAS_PREFIX},
    {TEXT("::1/128"), IP_PARSE_HAS_PREFIX},
    {TEXT("fe80::1%eth0"), IP_PARSE_ZONE},
    {TEXT("fe80::1%25eth0"), IP_PARSE_ZONE},
    {TEXT("fe80::1%"), IP_PARSE_ZONE},
    {TEXT("1.2.3.4%1"), IP_PARSE_ZONE},
    {TEXT("[::1]"), IP_PARSE_PORT_OR_BRACKETS},
    {TEXT("[::1]:443"), IP_PARSE_PORT_OR_BRACKETS},
    {TEXT("[1.2.3.4]"), IP_PARSE_PORT_OR_BRACKETS},
    {TEXT("1.2.3.4:443"), IP_PARSE_PORT_OR_BRACKETS},
    {TEXT("::1.2.3.4:5"), IP_PARSE_PORT_OR_BRACKETS},
    {TEXT(":"), IP_PARSE_COLONS},
    {TEXT(":1"), IP_PARSE_COLONS},
    {TEXT("1:"), IP_PARSE_COLONS},
    {TEXT(":::"), IP_PARSE_COLONS},
    {TEXT("1:::2"), IP_PARSE_COLONS},
    {TEXT("1::2::3"), IP_PARSE_COLONS},
    {TEXT("::1::"), IP_PARSE_COLONS},
    {TEXT("1:2:3:4:5:6:7:"), IP_PARSE_COLONS},
    {TEXT(":1:2:3:4:5:6:7"), IP_PARSE_COLONS},
    {TEXT("1:2:3:4:5:6:7:8:"), IP_PARSE_COLONS},
    {TEXT("1:2"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4:5:6:7"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4:5:6:7:8:9"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4:5:6:7:8::"), IP_PARSE_GROUP_COUNT},
    {TEXT("::1:2:3:4:5:6:7:8"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4::5:6:7:8"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4:5:6:7:1.2.3.4"), IP_PARSE_GROUP_COUNT},
    {TEXT("1:2:3:4:5:1.2.3.4"), IP_PARSE_GROUP_COUNT},
    {TEXT("12345::"), IP_PARSE_GROUP_TOO_LONG},
    {TEXT("2001:db8::00001"), IP_PARSE_GROUP_TOO_LONG},
    {TEXT("::ffff:1.2.3"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("::ffff:1.2.3.4.5"), IP_PARSE_NOT_FOUR_NUMBERS},
    {TEXT("::ffff:256.2.3.4"), IP_PARSE_NUMBER_TOO_LARGE},
    {TEXT("::ffff:0x1.2.3.4"), IP_PARSE_NOT_DECIMAL},
    {TEXT("::g"), IP_PARSE_CHARACTER},
};

static struct ip_address parse(const char *text) {
    struct ip_address address = {0};
    enum ip_parse_result result = ip_address_parse(bytes_of_text(text), &address);
    if (result != IP_PARSE_OK)
        fail_msg("%s: %s", text, ip_parse_result_get_text(result));
    return address;
}

static void valid_addresses_are_written_in_their_canonical_form(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        char text[IP_ADDRESS_TEXT_MAX + 1];
        struct ip_address address = parse(valid[i].text), again = parse(valid[i].canonical);
        ip_address_format(&address, text);
        assert_string_equal(text, valid[i].canonical);
        assert_true(ip_address_is_equal(&address, &again));
    }
}

static void what_programs_read_differently_is_refused_with_its_own_sentence(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct ip_address address = {.family = 99};
        enum ip_parse_result result = ip_address_parse(bytes_of(refused[i].text, refused[i].len), &address);
        if (result != refused[i].result)
            fail_msg("\"%s\": %s", refused[i].text, ip_parse_result_get_text(result));
        assert_int_equal(address.family, 99); // untouched
    }
}

static void every_result_says_what_to_type(void **state) {
    (void)state;
    for (int i = 0; i < IP_PARSE_COUNT; i++)
        assert_true(strlen(ip_parse_result_get_text((enum ip_parse_result)i)) > 10);
}

static void a_mapped_ipv4_address_equals_its_ipv4_form(void **state) {
    (void)state;
    struct ip_address mapped = parse("::ffff:203.0.113.7"), plain = parse("203.0.113.7");
    assert_int_equal(mapped.family, IP_FAMILY_V4);
    assert_true(ip_address_is_equal(&mapped, &plain));
    assert_int_equal(ip_address_get_width_bits(&mapped), 32);
}

static void addresses_of_different_families_differ_even_with_equal_bytes(void **state) {
    (void)state;
    struct ip_address v4 = parse("1.2.3.4"), v6 = parse("102:304::"), none = {0};
    assert_memory_equal(v4.bytes, v6.bytes, sizeof(v4.bytes));
    assert_false(ip_address_is_equal(&v4, &v6));
    assert_int_equal(ip_address_get_width_bits(&none), 0);
}

static void no_address_is_written_as_nothing(void **state) {
    (void)state;
    char text[IP_ADDRESS_TEXT_MAX + 1] = "x";
    ip_address_format(&(struct ip_address){0}, text);
    assert_string_equal(text, "");
}

static void sockets_give_their_address_without_zone_and_mapping(void **state) {
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_scope_id = 3};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr), 1);
    struct ip_address from_v4 = ip_address_from_sockaddr((const struct sockaddr *)&v4);
    struct ip_address from_v6 = ip_address_from_sockaddr((const struct sockaddr *)&v6);
    struct ip_address from_mapped = ip_address_from_sockaddr((const struct sockaddr *)&mapped);
    struct ip_address expected_v4 = parse("192.0.2.1"), expected_v6 = parse("fe80::1");
    assert_true(ip_address_is_equal(&from_v4, &expected_v4));
    assert_true(ip_address_is_equal(&from_v6, &expected_v6));
    assert_true(ip_address_is_equal(&from_mapped, &expected_v4));
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_int_equal(ip_address_from_sockaddr(&local).family, IP_FAMILY_NONE);
}

// Both must take the same texts for the same bytes. The text is copied so that a read past its end is seen.
static void compare_with_inet_pton(const char *text, size_t len) {
    uint8_t *exact = malloc(len + 1);
    assert_non_null(exact);
    memcpy(exact, text, len);
    struct ip_address address = {0};
    enum ip_parse_result result = ip_address_parse(bytes_of(exact, len), &address);
    exact[len] = '\0';

    uint8_t expected[16] = {0};
    bool has_nul = memchr(text, '\0', len) != NULL;
    bool is_v4 = !has_nul && inet_pton(AF_INET, (const char *)exact, expected) == 1;
    bool is_v6 = !has_nul && !is_v4 && inet_pton(AF_INET6, (const char *)exact, expected) == 1;
    if ((result == IP_PARSE_OK) != (is_v4 || is_v6))
        fail_msg("\"%s\": %s", (const char *)exact, ip_parse_result_get_text(result));
    if (is_v4)
        assert_memory_equal(address.bytes, expected, 4);
    if (is_v6 && address.family == IP_FAMILY_V4)
        assert_memory_equal(address.bytes, expected + 12, 4);
    if (is_v6 && address.family == IP_FAMILY_V6)
        assert_memory_equal(address.bytes, expected, 16);
    free(exact);
}

static void every_beginning_of_every_text_is_judged_like_inet_pton_does(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++)
        for (size_t len = 0; len <= strlen(valid[i].text); len++)
            compare_with_inet_pton(valid[i].text, len);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        for (size_t len = 0; len <= refused[i].len; len++)
            compare_with_inet_pton(refused[i].text, len);
}

static void random_changes_to_addresses_are_judged_like_inet_pton_does(void **state) {
    (void)state;
    static const char alphabet[] = "0123456789abcdefABCDEF.:.:.:%/[]x ";
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 300000; round++) {
        char text[64];
        const char *from = valid[seed_next_below(&seed, ARRAY_LENGTH(valid))].text;
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (uint64_t changes = 1 + seed_next_below(&seed, 3); changes > 0 && len > 0; changes--) {
            size_t at = seed_next_below(&seed, len);
            char byte = alphabet[seed_next_below(&seed, sizeof(alphabet) - 1)];
            if (seed_next_below(&seed, 3) == 0)
                memmove(text + at, text + at + 1, --len - at);
            else
                text[at] = byte;
        }
        compare_with_inet_pton(text, len);
    }
}

static void random_addresses_are_written_like_inet_ntop_does(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 100000; round++) {
        struct ip_address address = {.family = IP_FAMILY_V6};
        address.bytes[0] = 0x20; // not ::/80, where inet_ntop() writes the end with dots
        for (unsigned i = 1; i < 16; i++)
            address.bytes[i] = seed_next_below(&seed, 3) == 0 ? (uint8_t)seed_next(&seed) : 0;
        char text[IP_ADDRESS_TEXT_MAX + 1], expected[INET6_ADDRSTRLEN];
        ip_address_format(&address, text);
        assert_non_null(inet_ntop(AF_INET6, address.bytes, expected, sizeof(expected)));
        assert_string_equal(text, expected);
        struct ip_address again = parse(text);
        assert_true(ip_address_is_equal(&again, &address));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_addresses_are_written_in_their_canonical_form),
        cmocka_unit_test(what_programs_read_differently_is_refused_with_its_own_sentence),
        cmocka_unit_test(every_result_says_what_to_type),
        cmocka_unit_test(a_mapped_ipv4_address_equals_its_ipv4_form),
        cmocka_unit_test(addresses_of_different_families_differ_even_with_equal_bytes),
        cmocka_unit_test(no_address_is_written_as_nothing),
        cmocka_unit_test(sockets_give_their_address_without_zone_and_mapping),
        cmocka_unit_test(every_beginning_of_every_text_is_judged_like_inet_pton_does),
        cmocka_unit_test(random_changes_to_addresses_are_judged_like_inet_pton_does),
        cmocka_unit_test(random_addresses_are_written_like_inet_ntop_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
