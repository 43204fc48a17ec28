// Where a call comes from, through proxies and past those who pretend.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/app/client_address.h"
#include "tests/unit/unit.h"

// Finds the address for a peer and up to two header values, and formats it ("" = none).
static const char *find(const char *trusted_list, const char *peer_text, const char *first,
                        const char *second) {
    static char text[IP_ADDRESS_TEXT_MAX + 1];
    struct ip_set *trusted = NULL;
    struct ip_address peer;
    char error[200];
    assert_int_equal(client_address_parse_trusted(trusted_list, &trusted, error, sizeof(error)), STATUS_OK);
    assert_int_equal(ip_address_parse(bytes_of_text(peer_text), &peer), IP_PARSE_OK);
    struct bytes values[] = {bytes_of_text(first), bytes_of_text(second)};
    size_t count = second ? 2 : first ? 1 : 0;
    struct ip_address address = client_address_find(trusted, &peer, values, count);
    ip_address_format(&address, text);
    ip_set_free(trusted);
    return text;
}

static void without_trusted_proxies_the_peer_counts_whatever_the_header_says(void **state) {
    (void)state;
    assert_string_equal(find("", "198.51.100.1", "203.0.113.9", NULL), "198.51.100.1");
}

static void an_untrusted_peer_counts_whatever_the_header_says(void **state) {
    (void)state;
    assert_string_equal(find("10.0.0.0/8", "198.51.100.1", "203.0.113.9", NULL), "198.51.100.1");
}

static void the_right_most_untrusted_address_counts_and_what_stands_left_of_it_may_be_invented(void **state) {
    (void)state;
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", NULL),
                        "203.0.113.9");
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", "garbage, 203.0.113.9", NULL), "203.0.113.9");
}

static void repeated_headers_are_one_list(void **state) {
    (void)state;
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", "203.0.113.9", "10.0.0.2,10.0.0.3"), "203.0.113.9");
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", "1.1.1.1", "203.0.113.9"), "203.0.113.9");
}

static void an_element_that_can_not_be_read_gives_no_address(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      ",",
                                      "unknown",
                                      "203.0.113.9:80",
                                      "203.0.113.9,",
                                      "010.0.0.1",
                                      "203.0.113.9, 10.0.0.2, x",
                                      ",10.0.0.2",
                                      ", 10.0.0.2",
                                      " ,10.0.0.2"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_string_equal(find("10.0.0.0/8", "10.0.0.1", bad[i], NULL), "");
}

static void when_all_are_trusted_the_left_most_counts(void **state) {
    (void)state;
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", "10.0.0.7, 10.0.0.2", NULL), "10.0.0.7");
    assert_string_equal(find("10.0.0.0/8", "10.0.0.1", NULL, NULL), "10.0.0.1");
}

static void mapped_addresses_are_their_ipv4_form(void **state) {
    (void)state;
    assert_string_equal(find("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:203.0.113.9", NULL), "203.0.113.9");
}

static void a_bad_list_of_proxies_is_refused_with_the_item_named(void **state) {
    (void)state;
    struct ip_set *trusted;
    char error[200];
    assert_int_equal(client_address_parse_trusted("10.0.0.0/8, 10.0.0.1/33", &trusted, error, sizeof(error)),
                     STATUS_INVALID);
    assert_non_null(strstr(error, "10.0.0.1/33"));
    static const char *const empty_items[] = {"10.0.0.0/8,,", ",10.0.0.0/8", ","};
    for (size_t i = 0; i < ARRAY_LENGTH(empty_items); i++)
        assert_int_equal(client_address_parse_trusted(empty_items[i], &trusted, error, sizeof(error)),
                         STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trusted_proxies_the_peer_counts_whatever_the_header_says),
        cmocka_unit_test(an_untrusted_peer_counts_whatever_the_header_says),
        cmocka_unit_test(the_right_most_untrusted_address_counts_and_what_stands_left_of_it_may_be_invented),
        cmocka_unit_test(repeated_headers_are_one_list),
        cmocka_unit_test(an_element_that_can_not_be_read_gives_no_address),
        cmocka_unit_test(when_all_are_trusted_the_left_most_counts),
        cmocka_unit_test(mapped_addresses_are_their_ipv4_form),
        cmocka_unit_test(a_bad_list_of_proxies_is_refused_with_the_item_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
