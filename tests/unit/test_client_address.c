// Where a call comes from, through proxies and past those who pretend.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/app/client_address.h"
#include "tests/unit/allocation_failure.h"
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

// The address `hops` steps away ("" = none).
static const char *find_by_hops(unsigned hops, const char *peer_text, const char *first, const char *second) {
    static char text[IP_ADDRESS_TEXT_MAX + 1];
    struct arena arena;
    struct metadata fields;
    struct ip_address peer;
    if (ip_address_parse(bytes_of_text(peer_text), &peer) != IP_PARSE_OK)
        peer = (struct ip_address){0};
    arena_init(&arena, 0);
    metadata_init(&fields);
    const char *const values[] = {first, second};
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        if (values[i])
            assert_int_equal(
                metadata_add(&fields, &arena, BYTES_LITERAL("x-forwarded-for"), bytes_of_text(values[i])),
                STATUS_OK);
    struct ip_address address = client_address_find_by_hops(hops, &peer, &fields);
    ip_address_format(&address, text);
    arena_fini(&arena);
    return text;
}

static void a_known_number_of_proxies_is_counted_from_the_right(void **state) {
    (void)state;
    static const char forwarded[] = "1.1.1.1, 203.0.113.9, 10.0.0.2";
    assert_string_equal(find_by_hops(0, "10.0.0.1", forwarded, NULL), "10.0.0.1");
    assert_string_equal(find_by_hops(1, "10.0.0.1", forwarded, NULL), "10.0.0.2");
    assert_string_equal(find_by_hops(2, "10.0.0.1", forwarded, NULL), "203.0.113.9");
    assert_string_equal(find_by_hops(2, "10.0.0.1", "203.0.113.9", "10.0.0.2"), "203.0.113.9");
    assert_string_equal(find_by_hops(2, "10.0.0.1", "garbage, 203.0.113.9", "10.0.0.2"), "203.0.113.9");
    assert_string_equal(find_by_hops(1, "", "1.1.1.1, 203.0.113.9", NULL), "203.0.113.9");
}

static void the_peer_that_has_been_added_already_is_no_step(void **state) {
    (void)state;
    assert_string_equal(find_by_hops(1, "10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.1", NULL), "203.0.113.9");
    assert_string_equal(find_by_hops(1, "10.0.0.1", "203.0.113.9", "::ffff:10.0.0.1"), "203.0.113.9");
    // The one beside it is one, whoever it is.
    assert_string_equal(find_by_hops(1, "10.0.0.1", "1.1.1.1, 10.0.0.1, 10.0.0.1", NULL), "10.0.0.1");
}

static void a_walk_that_is_too_long_gives_no_address(void **state) {
    (void)state;
    assert_string_equal(find_by_hops(1, "10.0.0.1", NULL, NULL), "");
    assert_string_equal(find_by_hops(1, "10.0.0.1", "10.0.0.1", NULL), "");
    assert_string_equal(find_by_hops(2, "10.0.0.1", "203.0.113.9", NULL), "");
    assert_string_equal(find_by_hops(2, "10.0.0.1", "garbage, 10.0.0.2", NULL), "");
    assert_string_equal(find_by_hops(1, "10.0.0.1", "203.0.113.9:80", NULL), "");
    assert_string_equal(find_by_hops(1, "10.0.0.1", "203.0.113.9,", NULL), "");
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

// False when memory ran out, and a sentence said so.
static bool parse_two(void *context) {
    struct ip_set *trusted = NULL;
    char error[200] = "";
    (void)context;
    enum status status =
        client_address_parse_trusted("10.0.0.0/8, 2001:db8::1", &trusted, error, sizeof(error));
    ip_set_free(trusted);
    return status == STATUS_OK || *error == '\0'; // without a sentence it would look like a success
}

static void without_memory_there_is_a_sentence_and_no_list(void **state) {
    (void)state;
    assert_in_range(allocation_failure_try_each(parse_two, NULL), 1, 100);
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
        cmocka_unit_test(a_known_number_of_proxies_is_counted_from_the_right),
        cmocka_unit_test(the_peer_that_has_been_added_already_is_no_step),
        cmocka_unit_test(a_walk_that_is_too_long_gives_no_address),
        cmocka_unit_test(a_bad_list_of_proxies_is_refused_with_the_item_named),
        cmocka_unit_test(without_memory_there_is_a_sentence_and_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
