// Sign-ins at a provider: known again in the browser that began them, for a while, and used up once.
#include "services/console/console_flow.h"
#include "tests/unit/unit.h"

#define MINUTE_NS UINT64_C(60000000000)
#define HERE BYTES_LITERAL("0123456789abcdef0123456789abcdef0123456789a")
#define ELSEWHERE BYTES_LITERAL("fedcba98765432100123456789abcdef0123456789a")

enum { MAX = 3, LIFETIME_MINUTES = 10 };

static int set_up(void **state) {
    return console_flows_new(MAX, LIFETIME_MINUTES * 60 * 1000, (struct console_flows **)state) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state) {
    console_flows_free(*state);
    return 0;
}

static struct console_flow begin(const struct console_flows *flows, const char *company, uint64_t now_ns) {
    struct console_flow flow;
    assert_int_equal(console_flows_begin(flows, HERE, company, now_ns, &flow), STATUS_OK);
    return flow;
}

static bool is_known(const struct console_flows *flows, struct bytes browser, const char *text,
                     uint64_t now_ns) {
    struct console_flow found;
    return console_flows_find(flows, browser, bytes_of_text(text), now_ns, &found);
}

static void it_is_known_again_with_all_that_it_was(void **state) {
    const char *const companies[] = {"", "acme", "cmp_01h455vb4pex5vsknk084sn02q"};
    for (size_t i = 0; i < ARRAY_LENGTH(companies); i++) {
        struct console_flow flow = begin(*state, companies[i], MINUTE_NS), found;
        assert_true(console_flows_find(*state, HERE, bytes_of_text(flow.state), MINUTE_NS, &found));
        assert_string_equal(found.company, companies[i]);
        assert_memory_equal(&found, &flow, sizeof(flow));
        assert_string_not_equal(flow.nonce, flow.verifier);
        assert_null(strstr(flow.state, flow.nonce));
        assert_null(strstr(flow.state, flow.verifier));
    }
}

static void the_longest_company_fits_and_a_longer_one_does_not(void **state) {
    char company[CONSOLE_COMPANY_MAX + 2] = "";
    struct console_flow flow;
    memset(company, 'x', CONSOLE_COMPANY_MAX);
    flow = begin(*state, company, 1);
    assert_int_equal(strlen(flow.state), CONSOLE_FLOW_STATE_MAX);
    assert_true(is_known(*state, HERE, flow.state, 1));
    company[CONSOLE_COMPANY_MAX] = 'x';
    assert_int_equal(console_flows_begin(*state, HERE, company, 1, &flow), STATUS_INVALID);
}

static void no_two_are_alike(void **state) {
    struct console_flow a = begin(*state, "acme", 1), b = begin(*state, "acme", 1);
    assert_string_not_equal(a.state, b.state);
    assert_string_not_equal(a.nonce, b.nonce);
    assert_string_not_equal(a.verifier, b.verifier);
}

static void it_is_of_its_browser_and_of_its_process(void **state) {
    struct console_flows *other;
    struct console_flow flow = begin(*state, "acme", 1);
    assert_false(is_known(*state, ELSEWHERE, flow.state, 1));
    assert_false(is_known(*state, BYTES_EMPTY, flow.state, 1));
    assert_false(is_known(*state, bytes_of(HERE.data, HERE.len - 1), flow.state, 1));
    assert_int_equal(console_flows_new(MAX, 1000, &other), STATUS_OK);
    assert_false(is_known(other, HERE, flow.state, 1));
    console_flows_free(other);
}

static void each_character_of_it_counts(void **state) {
    struct console_flow flow = begin(*state, "acme", 1);
    char text[CONSOLE_FLOW_STATE_MAX + 1];
    size_t len = strlen(flow.state);
    for (size_t i = 0; i < len; i++) {
        memcpy(text, flow.state, len + 1);
        text[i] = text[i] == '0' ? '1' : '0';
        assert_false(is_known(*state, HERE, text, 1));
        text[i] = '\0';
        assert_false(is_known(*state, HERE, text, 1));
    }
    assert_true(is_known(*state, HERE, flow.state, 1));
}

static void it_lives_for_its_lifetime(void **state) {
    struct console_flow flow = begin(*state, "acme", MINUTE_NS);
    assert_true(is_known(*state, HERE, flow.state, (1 + LIFETIME_MINUTES) * MINUTE_NS - 1));
    assert_false(is_known(*state, HERE, flow.state, (1 + LIFETIME_MINUTES) * MINUTE_NS));
    assert_false(is_known(*state, HERE, flow.state, MINUTE_NS - 1));
}

static void it_is_used_up_once(void **state) {
    struct console_flow flow = begin(*state, "acme", MINUTE_NS);
    assert_true(console_flows_take(*state, &flow, MINUTE_NS));
    assert_false(console_flows_take(*state, &flow, MINUTE_NS));
    assert_false(console_flows_take(*state, &flow, (LIFETIME_MINUTES + 1) * MINUTE_NS - 1));
}

static void so_many_are_used_up_at_once(void **state) {
    struct console_flow flow;
    for (size_t i = 0; i < MAX; i++) {
        flow = begin(*state, "acme", MINUTE_NS);
        assert_true(console_flows_take(*state, &flow, MINUTE_NS));
    }
    flow = begin(*state, "acme", MINUTE_NS);
    assert_false(console_flows_take(*state, &flow, MINUTE_NS));
    assert_true(console_flows_take(*state, &flow, (LIFETIME_MINUTES + 1) * MINUTE_NS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_known_again_with_all_that_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_company_fits_and_a_longer_one_does_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_two_are_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_of_its_browser_and_of_its_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_character_of_it_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_lives_for_its_lifetime, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_used_up_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(so_many_are_used_up_at_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
