// Prefixes: parsing with the checking bits in one place or two, mapped forms, order, and the special ranges.
#include <stdlib.h>
#include <string.h>

#include "common/ip/prefix.h"
#include "common/ip/special.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text, *canonical;
} valid[] = {
    {"203.0.113.7", "203.0.113.7/32"},
    {"203.0.113.0/24", "203.0.113.0/24"},
    {"203.0.113.77/24", "203.0.113.0/24"}, // host bits
    {"10.0.0.1/8", "10.0.0.0/8"},
    {"1.2.3.4/0", "0.0.0.0/0"},
    {"255.255.255.255/31", "255.255.255.254/31"},
    {"2001:db8::", "2001:db8::/128"},
    {"2001:db8::1/32", "2001:db8::/32"},
    {"2001:db8:ffff::/33", "2001:db8:8000::/33"},
    {"::1/127", "::/127"},
    {"2001:db8::ffff/65", "2001:db8::/65"},
    {"::/0", "::/0"},
    {"::ffff:1.2.3.4", "1.2.3.4/32"},
    {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
    {"::ffff:10.0.0.1/128", "10.0.0.1/32"},
    {"::ffff:10.0.0.1/96", "0.0.0.0/0"},
    {"::ffff:a00:0/104", "10.0.0.0/8"},
    {"::fffe:0:0/95", "::fffe:0:0/95"},
};

static const struct {
    const char *text;
    enum ip_parse_result result;
} refused[] = {
    {"", IP_PARSE_EMPTY},
    {"/", IP_PARSE_EMPTY},
    {"/24", IP_PARSE_EMPTY},
    {"10.0.0.0/", IP_PARSE_BITS_MISSING},
    {"10.0.0.0/08", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/+8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/-8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/ 8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/8 ", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/0x8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/8/8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0//8", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/255.0.0.0", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.0/8.0", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.1/33", IP_PARSE_BITS_TOO_LARGE},
    {"10.0.0.1/64", IP_PARSE_BITS_TOO_LARGE},
    {"10.0.0.1/129", IP_PARSE_BITS_TOO_LARGE},
    {"10.0.0.1/4294967296", IP_PARSE_BITS_TOO_LARGE},
    {"10.0.0.1/4294967304", IP_PARSE_BITS_TOO_LARGE}, // 2^32 + 8
    {"::1/129", IP_PARSE_BITS_TOO_LARGE},
    {"::1/256", IP_PARSE_BITS_TOO_LARGE},
    {"1.2.3.4/96", IP_PARSE_MIXED_FAMILY},
    {"1.2.3.4/128", IP_PARSE_MIXED_FAMILY},
    {"::ffff:10.0.0.0/8", IP_PARSE_MAPPED_BITS},
    {"::ffff:10.0.0.0/95", IP_PARSE_MAPPED_BITS},
    {"::ffff:10.0.0.0/0", IP_PARSE_MAPPED_BITS},
    {"010.0.0.1/8", IP_PARSE_LEADING_ZERO},
    {" 10.0.0.1/8", IP_PARSE_SPACE},
    {"10.0.0.1 /8", IP_PARSE_SPACE},
    {"10.0.0/24", IP_PARSE_NOT_FOUR_NUMBERS},
    {"10/8", IP_PARSE_NOT_FOUR_NUMBERS},
    {"[::1]/128", IP_PARSE_PORT_OR_BRACKETS},
    {"fe80::1%eth0/64", IP_PARSE_ZONE},
    {"fe80::/64%eth0", IP_PARSE_BITS_NOT_A_NUMBER},
    {"10.0.0.1-10.0.0.9", IP_PARSE_RANGE},
};

static struct ip_prefix parse(const char *text) {
    struct ip_prefix prefix = {0};
    enum ip_parse_result result = ip_prefix_parse(bytes_of_text(text), &prefix);
    if (result != IP_PARSE_OK)
        fail_msg("%s: %s", text, ip_parse_result_get_text(result));
    return prefix;
}

static struct ip_address parse_address(const char *text) {
    struct ip_address address = {0};
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static void valid_prefixes_are_written_in_their_canonical_form(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        struct ip_prefix prefix = parse(valid[i].text);
        ip_prefix_format(&prefix, text);
        assert_string_equal(text, valid[i].canonical);
        struct ip_prefix again = parse(text);
        assert_int_equal(ip_prefix_compare(&prefix, &again), 0);
    }
}

static void what_is_no_prefix_is_refused_with_its_own_sentence(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct ip_prefix prefix = {.bits = 99};
        enum ip_parse_result result = ip_prefix_parse(bytes_of_text(refused[i].text), &prefix);
        if (result != refused[i].result)
            fail_msg("\"%s\": %s", refused[i].text, ip_parse_result_get_text(result));
        assert_int_equal(prefix.bits, 99);
    }
}

// The text in memory of exactly its length, so that AddressSanitizer sees any read past it.
static void parse_beginning(const char *text, size_t len) {
    char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, text, len);
    struct ip_prefix prefix;
    if (ip_prefix_parse(bytes_of(exact, len), &prefix) == IP_PARSE_OK)
        assert_true(prefix.bits <= ip_address_get_width_bits(&prefix.address));
    free(exact);
}

static void every_beginning_of_every_text_is_parsed_within_its_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++)
        for (size_t len = 0; len <= strlen(valid[i].text); len++)
            parse_beginning(valid[i].text, len);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        for (size_t len = 0; len <= strlen(refused[i].text); len++)
            parse_beginning(refused[i].text, len);
}

static void bits_may_stand_after_the_slash_or_beside_or_both_if_equal(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t bits;
        enum ip_parse_result result;
        const char *canonical;
    } cases[] = {
        {"10.0.0.0", 8, IP_PARSE_OK, "10.0.0.0/8"},
        {"10.0.0.0/8", 8, IP_PARSE_OK, "10.0.0.0/8"},
        {"10.0.0.0/8", IP_PREFIX_BITS_UNSET, IP_PARSE_OK, "10.0.0.0/8"},
        {"10.0.0.0", 0, IP_PARSE_OK, "0.0.0.0/0"},
        {"::ffff:10.0.0.0", 104, IP_PARSE_OK, "10.0.0.0/8"},
        {"::ffff:10.0.0.0", 8, IP_PARSE_MAPPED_BITS, NULL},
        {"10.0.0.0/8", 9, IP_PARSE_BITS_DIFFER, NULL},
        {"10.0.0.0/8", 0, IP_PARSE_BITS_DIFFER, NULL},
        {"10.0.0.0", 33, IP_PARSE_BITS_TOO_LARGE, NULL},
        {"10.0.0.0", 96, IP_PARSE_MIXED_FAMILY, NULL},
        {"2001:db8::", 129, IP_PARSE_BITS_TOO_LARGE, NULL},
        {"2001:db8::", UINT32_MAX - 1, IP_PARSE_BITS_TOO_LARGE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_prefix prefix;
        assert_int_equal(ip_prefix_parse_with_bits(bytes_of_text(cases[i].text), cases[i].bits, &prefix),
                         cases[i].result);
        if (cases[i].result != IP_PARSE_OK)
            continue;
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&prefix, text);
        assert_string_equal(text, cases[i].canonical);
    }
}

static void a_prefix_contains_its_addresses_and_no_others(void **state) {
    (void)state;
    struct ip_prefix prefix = parse("203.0.113.128/25");
    struct ip_address first = parse_address("203.0.113.128"), last = parse_address("::ffff:203.0.113.255");
    struct ip_address before = parse_address("203.0.113.127"), v6 = parse_address("cb00:7180::"), none = {0};
    assert_true(ip_prefix_contains_address(&prefix, &first));
    assert_true(ip_prefix_contains_address(&prefix, &last));
    assert_false(ip_prefix_contains_address(&prefix, &before));
    assert_false(ip_prefix_contains_address(&prefix, &v6));
    assert_false(ip_prefix_contains_address(&prefix, &none));
}

static void all_of_ipv6_contains_no_ipv4_address(void **state) {
    (void)state;
    struct ip_prefix all_v6 = parse("::/0"), all_v4 = parse("0.0.0.0/0");
    struct ip_address v4 = parse_address("::ffff:10.0.0.1"), v6 = parse_address("::1");
    assert_false(ip_prefix_contains_address(&all_v6, &v4));
    assert_true(ip_prefix_contains_address(&all_v4, &v4));
    assert_true(ip_prefix_contains_address(&all_v6, &v6));
    assert_false(ip_prefix_contains_address(&all_v4, &v6));
}

static void a_zeroed_prefix_contains_nothing(void **state) {
    (void)state;
    struct ip_prefix zero = {0};
    struct ip_address v4 = parse_address("0.0.0.0"), none = {0};
    char text[IP_PREFIX_TEXT_MAX + 1] = "x";
    assert_false(ip_prefix_contains_address(&zero, &v4));
    assert_false(ip_prefix_contains_address(&zero, &none));
    ip_prefix_format(&zero, text);
    assert_string_equal(text, "");
}

static void a_prefix_contains_itself_and_the_longer_ones_inside(void **state) {
    (void)state;
    struct ip_prefix outer = parse("10.0.0.0/8"), inner = parse("10.1.0.0/16"), other = parse("11.0.0.0/16");
    assert_true(ip_prefix_contains_prefix(&outer, &outer));
    assert_true(ip_prefix_contains_prefix(&outer, &inner));
    assert_false(ip_prefix_contains_prefix(&inner, &outer));
    assert_false(ip_prefix_contains_prefix(&outer, &other));
}

static void order_is_family_then_address_then_bits(void **state) {
    (void)state;
    static const char *const sorted[] = {"0.0.0.0/0",   "10.0.0.0/8", "10.0.0.0/16",
                                         "10.0.1.0/24", "11.0.0.0/8", "::/0",
                                         "::/1",        "::1",        "2001:db8::/32"};
    for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(sorted); j++) {
            struct ip_prefix a = parse(sorted[i]), b = parse(sorted[j]);
            int order = ip_prefix_compare(&a, &b);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
}

static bool get_bit(const struct ip_address *address, unsigned i) {
    return address->bytes[i / 8] >> (7 - i % 8) & 1;
}

static unsigned count_common_bits_slowly(const struct ip_prefix *prefix, const struct ip_address *address) {
    unsigned common = 0;
    while (common < prefix->bits && get_bit(&prefix->address, common) == get_bit(address, common))
        common++;
    return common;
}

static void common_bits_are_those_counted_one_by_one(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 100000; round++) {
        struct ip_address a = {.family = IP_FAMILY_V6}, b;
        seed_fill(&seed, a.bytes, sizeof(a.bytes));
        b = a;
        unsigned flipped = (unsigned)seed_next_below(&seed, 128);
        b.bytes[flipped / 8] ^= (uint8_t)(0x80 >> flipped % 8);
        struct ip_prefix prefix = ip_prefix_of(&a, (unsigned)seed_next_below(&seed, 129));
        unsigned expected = count_common_bits_slowly(&prefix, &b);
        assert_int_equal(ip_prefix_get_common_bits(&prefix, &b), expected);
        assert_int_equal(ip_prefix_contains_address(&prefix, &b), expected == prefix.bits);
    }
}

static void ranges_with_embedded_addresses_are_told(void **state) {
    (void)state;
    static const struct {
        const char *prefix;
        enum ip_special special;
    } cases[] = {
        {"64:ff9b::/96", IP_SPECIAL_NAT64},
        {"64:ff9b::1.2.3.4", IP_SPECIAL_NAT64},
        {"64:ff9b:1::/48", IP_SPECIAL_NAT64},
        {"2002:c000:204::/48", IP_SPECIAL_SIX_TO_FOUR},
        {"2001::/32", IP_SPECIAL_TEREDO},
        {"2001::/31", IP_SPECIAL_NONE},
        {"2001:db8::/32", IP_SPECIAL_NONE},
        {"::1.2.3.4", IP_SPECIAL_V4_COMPATIBLE},
        {"::/96", IP_SPECIAL_V4_COMPATIBLE},
        {"::1", IP_SPECIAL_NONE},
        {"::", IP_SPECIAL_NONE},
        {"::2", IP_SPECIAL_V4_COMPATIBLE},
        {"::/0", IP_SPECIAL_NONE},
        {"10.0.0.0/8", IP_SPECIAL_NONE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ip_prefix prefix = parse(cases[i].prefix);
        assert_int_equal(ip_prefix_get_special(&prefix), cases[i].special);
        assert_int_equal(strlen(ip_special_get_text(cases[i].special)) > 0,
                         cases[i].special != IP_SPECIAL_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_prefixes_are_written_in_their_canonical_form),
        cmocka_unit_test(what_is_no_prefix_is_refused_with_its_own_sentence),
        cmocka_unit_test(every_beginning_of_every_text_is_parsed_within_its_bytes),
        cmocka_unit_test(bits_may_stand_after_the_slash_or_beside_or_both_if_equal),
        cmocka_unit_test(a_prefix_contains_its_addresses_and_no_others),
        cmocka_unit_test(all_of_ipv6_contains_no_ipv4_address),
        cmocka_unit_test(a_zeroed_prefix_contains_nothing),
        cmocka_unit_test(a_prefix_contains_itself_and_the_longer_ones_inside),
        cmocka_unit_test(order_is_family_then_address_then_bits),
        cmocka_unit_test(common_bits_are_those_counted_one_by_one),
        cmocka_unit_test(ranges_with_embedded_addresses_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
