// What the connections of one address share, on a clock of the test's.
#include "common/grpc/compression.h"
#include "common/grpc/peer_guard.h"
#include "tests/unit/unit.h"

#define SECOND UINT64_C(1000000000)
#define NOW (1000 * SECOND)

static struct grpc_server_settings get_settings(void) {
    struct grpc_server_settings settings;
    grpc_server_settings_init(&settings);
    return settings;
}

static struct peer_guard make_guard(const struct grpc_server_settings *settings) {
    struct peer_guard guard = {0};
    assert_int_equal(peer_guard_init(&guard, settings), STATUS_OK);
    return guard;
}

static struct ip_address address_of(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static void a_flood_is_remembered_of_its_address_for_ten_seconds(void **state) {
    (void)state;
    struct grpc_server_settings settings = get_settings();
    struct peer_guard guard = make_guard(&settings);
    struct ip_address flooder = address_of("2001:db8::1"), neighbour = address_of("2001:db8::2"),
                      other = address_of("2001:db8:0:1::1");
    assert_false(peer_guard_has_flooded(&guard, &flooder, NOW));
    peer_guard_note_flood(&guard, &flooder, NOW);
    assert_true(peer_guard_has_flooded(&guard, &flooder, NOW + 10 * SECOND - 1));
    assert_true(peer_guard_has_flooded(&guard, &neighbour, NOW));
    assert_false(peer_guard_has_flooded(&guard, &other, NOW));
    assert_false(peer_guard_has_flooded(&guard, &flooder, NOW + 10 * SECOND));
    peer_guard_fini(&guard);
}

static void check_steps(struct peer_guard *guard, const char *text, uint64_t now_ns, size_t expected) {
    struct ip_address address = address_of(text);
    for (size_t i = 0; i < expected; i++)
        assert_true(peer_guard_may_inflate(guard, &address, now_ns));
    assert_false(peer_guard_may_inflate(guard, &address, now_ns));
}

static void inflation_has_a_rate_for_each_address_and_four_seconds_of_it_at_once(void **state) {
    (void)state;
    struct grpc_server_settings settings = get_settings();
    settings.peer_inflation_bytes = 10 * (int64_t)COMPRESSION_STEP_BYTES;
    struct peer_guard guard = make_guard(&settings);
    check_steps(&guard, "192.0.2.1", NOW, 40);
    check_steps(&guard, "192.0.2.2", NOW, 40);
    check_steps(&guard, "192.0.2.1", NOW + SECOND, 10);
    peer_guard_fini(&guard);
}

static void the_least_and_the_greatest_rate_are_rates(void **state) {
    (void)state;
    struct grpc_server_settings settings = get_settings();
    settings.peer_inflation_bytes = 1;
    struct peer_guard guard = make_guard(&settings);
    check_steps(&guard, "192.0.2.1", NOW, 4);
    peer_guard_fini(&guard);
    settings.peer_inflation_bytes = 32 * 1024 * 1024;
    guard = make_guard(&settings);
    check_steps(&guard, "192.0.2.1", NOW, 4 * 512);
    peer_guard_fini(&guard);
}

static void settings_of_zero_guard_nothing(void **state) {
    (void)state;
    struct grpc_server_settings settings = get_settings();
    settings.flood_delay_ms = settings.peer_inflation_bytes = 0;
    struct peer_guard guard = make_guard(&settings);
    struct ip_address address = address_of("192.0.2.1");
    peer_guard_note_flood(&guard, &address, NOW);
    assert_false(peer_guard_has_flooded(&guard, &address, NOW));
    for (size_t i = 0; i < 100000; i++)
        assert_true(peer_guard_may_inflate(&guard, &address, NOW));
    peer_guard_fini(&guard);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_remembered_of_its_address_for_ten_seconds),
        cmocka_unit_test(inflation_has_a_rate_for_each_address_and_four_seconds_of_it_at_once),
        cmocka_unit_test(the_least_and_the_greatest_rate_are_rates),
        cmocka_unit_test(settings_of_zero_guard_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
