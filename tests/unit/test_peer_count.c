// Connections by peer: what is one peer, how many it may have, and that nothing is left of it.
#include "common/net/peer_count.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static struct ip_address address_of(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static struct peer_count *make_count(void) {
    struct peer_count *count;
    assert_int_equal(peer_count_new(100, &count), STATUS_OK);
    return count;
}

static bool add(struct peer_count *count, const char *text, size_t max) {
    struct ip_address address = address_of(text);
    return peer_count_add(count, &address, max);
}

static void remove_one(struct peer_count *count, const char *text) {
    struct ip_address address = address_of(text);
    peer_count_remove(count, &address);
}

static void a_peer_has_as_many_as_it_may_and_others_have_theirs(void **state) {
    (void)state;
    struct peer_count *count = make_count();
    assert_true(add(count, "192.0.2.1", 2) && add(count, "192.0.2.1", 2));
    assert_false(add(count, "192.0.2.1", 2));
    assert_true(add(count, "192.0.2.2", 2));
    remove_one(count, "192.0.2.1");
    assert_true(add(count, "192.0.2.1", 2));
    assert_int_equal(peer_count_get_peers(count), 2);
    peer_count_free(count);
}

static void a_prefix_of_64_bits_is_one_peer(void **state) {
    (void)state;
    struct peer_count *count = make_count();
    assert_true(add(count, "2001:db8::1", 2) && add(count, "2001:db8::ffff:2", 2));
    assert_false(add(count, "2001:db8::3", 2));
    assert_true(add(count, "2001:db8:0:1::1", 2));
    assert_int_equal(peer_count_get_peers(count), 2);
    peer_count_free(count);
}

static void an_ipv4_address_is_no_prefix_of_ipv6(void **state) {
    (void)state;
    struct peer_count *count = make_count();
    assert_true(add(count, "32.1.13.184", 1));
    assert_true(add(count, "2001:db8::", 1));
    peer_count_free(count);
}

static void a_peer_without_connections_is_forgotten(void **state) {
    (void)state;
    struct peer_count *count = make_count();
    assert_true(add(count, "192.0.2.1", 1) && add(count, "2001:db8::1", 1));
    remove_one(count, "192.0.2.1");
    remove_one(count, "2001:db8::2");
    assert_int_equal(peer_count_get_peers(count), 0);
    peer_count_free(count);
}

// The oracle is an array of sums.
static void any_order_of_coming_and_going_counts_right(void **state) {
    (void)state;
    enum { PEERS = 200, STEPS = 20000, MAX = 5 };
    size_t have[PEERS] = {0}, peers = 0;
    struct peer_count *count = make_count();
    struct seed seed = seed_new();
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)seed_next_below(&seed, PEERS);
        struct ip_address address = {.family = IP_FAMILY_V4, .bytes = {10, 0, 0, (uint8_t)i}};
        if (seed_next_below(&seed, 2) == 0) {
            bool is_added = peer_count_add(count, &address, MAX);
            assert_int_equal(is_added, have[i] < MAX);
            have[i] += is_added;
            peers += is_added && have[i] == 1;
        } else if (have[i] > 0) {
            peer_count_remove(count, &address);
            peers -= --have[i] == 0;
        }
        assert_int_equal(peer_count_get_peers(count), peers);
    }
    peer_count_free(count);
}

static bool count_one(void *context) {
    (void)context;
    struct peer_count *count;
    if (peer_count_new(100, &count) != STATUS_OK)
        return false;
    bool is_added = add(count, "192.0.2.1", 1);
    peer_count_free(count);
    return is_added;
}

static void without_memory_nobody_is_counted(void **state) {
    (void)state;
    allocation_failure_try_each(count_one, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_has_as_many_as_it_may_and_others_have_theirs),
        cmocka_unit_test(a_prefix_of_64_bits_is_one_peer),
        cmocka_unit_test(an_ipv4_address_is_no_prefix_of_ipv6),
        cmocka_unit_test(a_peer_without_connections_is_forgotten),
        cmocka_unit_test(any_order_of_coming_and_going_counts_right),
        cmocka_unit_test(without_memory_nobody_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
