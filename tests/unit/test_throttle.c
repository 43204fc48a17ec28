// Buckets of tries by address: what they hold, that they fill again, and that memory stays bounded.
#include "common/base/clock.h"
#include "common/ip/throttle.h"
#include "tests/unit/unit.h"

#define MS UINT64_C(1000000)
#define NOW CLOCK_MANUAL_START_NS

static struct throttle *make_throttle(int64_t burst, int64_t refill_ms, int64_t addresses_max) {
    struct throttle_options options = {burst, refill_ms, addresses_max};
    struct throttle *throttle;
    assert_int_equal(throttle_new(&options, &throttle), STATUS_OK);
    return throttle;
}

static struct ip_address address_of(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static bool take(struct throttle *throttle, const char *text, uint64_t now_ns) {
    struct ip_address address = address_of(text);
    int64_t retry_in_ms;
    return throttle_take(throttle, &address, now_ns, &retry_in_ms);
}

static void as_many_tries_as_the_burst_pass_at_once(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(3, 1000, 10);
    struct ip_address address = address_of("192.0.2.1");
    int64_t retry_in_ms = 0;
    for (int i = 0; i < 3; i++)
        assert_true(throttle_take(throttle, &address, NOW, &retry_in_ms));
    assert_false(throttle_take(throttle, &address, NOW, &retry_in_ms));
    assert_int_equal(retry_in_ms, 1000);
    throttle_free(throttle);
}

static void a_bucket_fills_again_one_by_one_and_no_further_than_the_burst(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(2, 1000, 10);
    assert_true(take(throttle, "192.0.2.1", NOW) && take(throttle, "192.0.2.1", NOW));
    assert_false(take(throttle, "192.0.2.1", NOW + 999 * MS));
    assert_true(take(throttle, "192.0.2.1", NOW + 1000 * MS));
    assert_false(take(throttle, "192.0.2.1", NOW + 1000 * MS));
    uint64_t later = NOW + 1000000 * MS;
    assert_true(take(throttle, "192.0.2.1", later) && take(throttle, "192.0.2.1", later));
    assert_false(take(throttle, "192.0.2.1", later));
    throttle_free(throttle);
}

static void looking_takes_no_try(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(1, 1000, 10);
    struct ip_address address = address_of("192.0.2.1");
    assert_false(throttle_is_spent(throttle, &address, NOW));
    assert_true(take(throttle, "192.0.2.1", NOW));
    assert_true(throttle_is_spent(throttle, &address, NOW + 999 * MS));
    assert_false(throttle_is_spent(throttle, &address, NOW + 1000 * MS));
    assert_true(take(throttle, "192.0.2.1", NOW + 1000 * MS));
    throttle_free(throttle);
}

static void refused_tries_do_not_put_off_the_next_one(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(1, 1000, 10);
    assert_true(take(throttle, "192.0.2.1", NOW));
    for (uint64_t ms = 0; ms < 1000; ms++)
        assert_false(take(throttle, "192.0.2.1", NOW + ms * MS));
    assert_true(take(throttle, "192.0.2.1", NOW + 1000 * MS));
    throttle_free(throttle);
}

static void addresses_have_buckets_of_their_own_and_ipv6_shares_one_in_each_64(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(1, 1000, 10);
    assert_true(take(throttle, "192.0.2.1", NOW));
    assert_true(take(throttle, "192.0.2.2", NOW));
    assert_true(take(throttle, "2001:db8::1", NOW));
    assert_false(take(throttle, "2001:db8::ffff", NOW));
    assert_true(take(throttle, "2001:db8:0:1::1", NOW));
    throttle_free(throttle);
}

static void ipv4_and_ipv6_with_the_same_bytes_are_two(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(1, 1000, 10);
    assert_true(take(throttle, "32.1.13.184", NOW));
    assert_true(take(throttle, "2001:db8::", NOW));
    throttle_free(throttle);
}

static void the_address_that_waited_longest_makes_room(void **state) {
    (void)state;
    struct throttle *throttle = make_throttle(1, 1000000, 2);
    assert_true(take(throttle, "192.0.2.1", NOW));
    assert_true(take(throttle, "192.0.2.2", NOW));
    assert_true(take(throttle, "192.0.2.3", NOW)); // in place of the first
    assert_false(take(throttle, "192.0.2.2", NOW));
    assert_false(take(throttle, "192.0.2.3", NOW));
    assert_true(take(throttle, "192.0.2.1", NOW)); // in place of the second
    assert_false(take(throttle, "192.0.2.3", NOW));
    throttle_free(throttle);
}

static void a_call_too_many_is_told_why_and_when_to_try_again(void **state) {
    (void)state;
    static const struct throttle_words words = {"TOO_MANY_REPORTS", "too many reports"};
    struct throttle *throttle = make_throttle(1, 2500, 10);
    struct ip_address address = address_of("192.0.2.1");
    struct arena arena;
    struct fault fault;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    assert_int_equal(throttle_check(throttle, &address, NOW, &words, &fault), STATUS_OK);
    assert_int_equal(fault.status, STATUS_OK);
    assert_int_equal(throttle_check(throttle, &address, NOW, &words, &fault), STATUS_EXHAUSTED);
    assert_int_equal(fault.status, STATUS_EXHAUSTED);
    assert_string_equal(fault.reason, "TOO_MANY_REPORTS");
    assert_string_equal(fault.message, "too many reports from this address; try again in 3 s");
    assert_int_equal(fault.retry_after_ms, 2500);
    arena_fini(&arena);
    throttle_free(throttle);
}

// A bucket more than enough addresses have to share is what a plain table of them says.
static void many_addresses_behave_as_in_a_plain_table(void **state) {
    (void)state;
    enum { ADDRESSES = 500, ROUNDS = 20000 };
    struct throttle *throttle = make_throttle(3, 10, ADDRESSES);
    int64_t tokens_ms[ADDRESSES]; // thousandths of a token's time that are there
    for (int i = 0; i < ADDRESSES; i++)
        tokens_ms[i] = 30;
    uint32_t random = 1;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        random = random * 1103515245 + 12345;
        uint32_t which = (random >> 16) % ADDRESSES;
        if (round % 100 == 99)
            for (int i = 0; i < ADDRESSES; i++)
                tokens_ms[i] = tokens_ms[i] + 1 > 30 ? 30 : tokens_ms[i] + 1;
        struct ip_address address = {.family = IP_FAMILY_V4,
                                     .bytes = {10, 0, (uint8_t)(which >> 8), (uint8_t)which}};
        int64_t retry_in_ms;
        bool passes = throttle_take(throttle, &address, NOW + (round + 1) / 100 * MS, &retry_in_ms);
        assert_int_equal(passes, tokens_ms[which] >= 10);
        if (passes)
            tokens_ms[which] -= 10;
    }
    throttle_free(throttle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_tries_as_the_burst_pass_at_once),
        cmocka_unit_test(a_bucket_fills_again_one_by_one_and_no_further_than_the_burst),
        cmocka_unit_test(looking_takes_no_try),
        cmocka_unit_test(refused_tries_do_not_put_off_the_next_one),
        cmocka_unit_test(addresses_have_buckets_of_their_own_and_ipv6_shares_one_in_each_64),
        cmocka_unit_test(ipv4_and_ipv6_with_the_same_bytes_are_two),
        cmocka_unit_test(the_address_that_waited_longest_makes_room),
        cmocka_unit_test(a_call_too_many_is_told_why_and_when_to_try_again),
        cmocka_unit_test(many_addresses_behave_as_in_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
