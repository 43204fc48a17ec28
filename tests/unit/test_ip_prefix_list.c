// Lists of addresses as typed: every bad one is named, and what a list lets in.
#include <stdio.h>

#include "common/ip/prefix_list.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct fault fault;
static struct prefix_list list;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void parse(const char *const *texts, size_t count, int64_t max) {
    prefix_list_parse((char *const *)texts, count, max, "allowed_ips", &arena, &fault, &list);
}

static bool admits(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return prefix_list_admits(&list, &address);
}

static void what_is_typed_is_kept_in_its_order_and_shown_with_its_bits(void **state) {
    (void)state;
    const char *texts[] = {"203.0.113.7", "10.1.2.3/8", "2001:DB8::/32", "203.0.113.7"};
    const char *shown[] = {"203.0.113.7/32", "10.0.0.0/8", "2001:db8::/32", "203.0.113.7/32"};
    parse(texts, ARRAY_LENGTH(texts), 4);
    assert_int_equal(fault.status, STATUS_OK);
    assert_int_equal(list.count, ARRAY_LENGTH(texts));
    char **formatted = prefix_list_format(&list, &arena);
    assert_non_null(formatted);
    for (size_t i = 0; i < ARRAY_LENGTH(shown); i++)
        assert_string_equal(formatted[i], shown[i]);
}

static void every_bad_one_is_named(void **state) {
    (void)state;
    const char *texts[] = {"", "10.0.0.1", "10.0.0.1/33"};
    parse(texts, ARRAY_LENGTH(texts), 3);
    assert_int_equal(fault.status, STATUS_INVALID);
    assert_int_equal(fault.field_count, 2);
    assert_string_equal(fault.fields->field, "allowed_ips[0]");
    assert_string_equal(fault.last_field->field, "allowed_ips[2]");
}

static void a_list_that_is_too_long_is_refused_as_a_whole(void **state) {
    (void)state;
    const char *texts[] = {"nonsense", "10.0.0.1"};
    parse(texts, ARRAY_LENGTH(texts), 1);
    assert_int_equal(fault.field_count, 1);
    assert_string_equal(fault.fields->field, "allowed_ips");
    assert_int_equal(list.count, 0);
}

static void it_lets_in_what_it_holds_and_an_empty_one_everything(void **state) {
    (void)state;
    const char *texts[] = {"10.0.0.0/8", "2001:db8::1"};
    parse(texts, ARRAY_LENGTH(texts), 2);
    assert_true(admits("10.9.8.7"));
    assert_true(admits("::ffff:10.9.8.7"));
    assert_true(admits("2001:db8::1"));
    assert_false(admits("11.0.0.1"));
    assert_false(admits("2001:db8::2"));
    assert_false(prefix_list_admits(&list, &(struct ip_address){0}));
    parse(NULL, 0, 2);
    assert_true(admits("11.0.0.1"));
    assert_true(prefix_list_admits(&list, &(struct ip_address){0}));
}

// ---- one within another ----

// Lists of up to 7 in a small space, so that they often hold one another.
static struct prefix_list make_list(unsigned *seed) {
    size_t count = (*seed = *seed * 1103515245 + 12345) >> 16 & 7;
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(&arena, struct ip_prefix, count);
    for (size_t i = 0; i < count; i++) {
        unsigned random = (*seed = *seed * 1103515245 + 12345) >> 8;
        char text[40];
        snprintf(text, sizeof(text), random & 1 ? "10.0.0.%u/%u" : "2001:db8::%x/%u", random >> 1 & 15,
                 (random & 1 ? 28 : 124) + (random >> 5) % 5);
        assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefixes[i]), IP_PARSE_OK);
    }
    return (struct prefix_list){prefixes, count};
}

// By every address of the space.
static unsigned get_addresses(const struct prefix_list *some) {
    unsigned addresses = 0;
    for (unsigned i = 0; i < 32; i++) {
        char text[40];
        struct ip_prefix one;
        snprintf(text, sizeof(text), i & 1 ? "10.0.0.%u" : "2001:db8::%x", i >> 1);
        assert_int_equal(ip_prefix_parse(bytes_of_text(text), &one), IP_PARSE_OK);
        for (size_t j = 0; j < some->count; j++)
            if (ip_prefix_contains_prefix(&some->prefixes[j], &one))
                addresses |= 1u << i;
    }
    return addresses;
}

static void a_list_is_within_another_that_holds_all_its_addresses(void **state) {
    (void)state;
    unsigned seed = 1, within_count = 0;
    for (int i = 0; i < 20000; i++) {
        struct prefix_list inner = make_list(&seed), outer = make_list(&seed);
        bool is_within, is_any = outer.count == 0;
        bool wanted = is_any || (inner.count > 0 && (get_addresses(&inner) & ~get_addresses(&outer)) == 0);
        assert_int_equal(prefix_list_compare_reach(&inner, &outer, &arena, &is_within), STATUS_OK);
        assert_int_equal(is_within, wanted);
        within_count += is_within && inner.count > 0 && outer.count > 0;
        arena_reset(&arena);
    }
    assert_in_range(within_count, 500, 19000);
}

static void a_reduced_list_holds_the_same_addresses_by_disjoint_prefixes_in_order(void **state) {
    (void)state;
    unsigned seed = 2, reduced_count = 0;
    for (int i = 0; i < 20000; i++) {
        struct prefix_list some = make_list(&seed), reduced;
        assert_int_equal(prefix_list_reduce(&some, &arena, &reduced), STATUS_OK);
        assert_int_equal(get_addresses(&reduced), get_addresses(&some));
        for (size_t j = 1; j < reduced.count; j++) {
            const struct ip_prefix *before = &reduced.prefixes[j - 1], *here = &reduced.prefixes[j];
            assert_true(ip_prefix_compare(before, here) < 0);
            assert_false(ip_prefix_contains_prefix(before, here));
            struct ip_prefix whole = ip_prefix_of(&before->address, before->bits - 1u);
            assert_false(before->bits == here->bits && ip_prefix_contains_prefix(&whole, here));
        }
        reduced_count += reduced.count < some.count;
        arena_reset(&arena);
    }
    assert_in_range(reduced_count, 500, 19000);
}

static void halves_of_everything_are_everything(void **state) {
    (void)state;
    const char *texts[] = {"128.0.0.0/1", "8000::/1", "0.0.0.0/1", "::/1"};
    struct prefix_list reduced;
    parse(texts, ARRAY_LENGTH(texts), 4);
    assert_int_equal(prefix_list_reduce(&list, &arena, &reduced), STATUS_OK);
    assert_int_equal(reduced.count, 2);
    assert_int_equal(reduced.prefixes[0].bits, 0);
    assert_int_equal(reduced.prefixes[1].bits, 0);
}

static void running_out_of_memory_is_told_whenever_it_happens(void **state) {
    (void)state;
    const char *texts[] = {"10.0.0.0/8", "2001:db8::1"};
    bool is_done = false;
    for (size_t limit = 1; !is_done; limit++) {
        struct arena small;
        arena_init(&small, limit);
        fault_init(&fault, &arena);
        prefix_list_parse((char *const *)texts, 2, 2, "allowed_ips", &small, &fault, &list);
        assert_true(fault.status == STATUS_OK || fault.status == STATUS_NO_MEMORY);
        bool is_within;
        is_done = fault.status == STATUS_OK && prefix_list_format(&list, &small) &&
                  prefix_list_compare_reach(&list, &list, &small, &is_within) == STATUS_OK && is_within;
        arena_fini(&small);
        assert_true(limit < 100000);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_typed_is_kept_in_its_order_and_shown_with_its_bits),
        TEST(every_bad_one_is_named),
        TEST(a_list_that_is_too_long_is_refused_as_a_whole),
        TEST(it_lets_in_what_it_holds_and_an_empty_one_everything),
        TEST(a_list_is_within_another_that_holds_all_its_addresses),
        TEST(a_reduced_list_holds_the_same_addresses_by_disjoint_prefixes_in_order),
        TEST(halves_of_everything_are_everything),
        TEST(running_out_of_memory_is_told_whenever_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
