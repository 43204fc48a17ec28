// Service configs as JSON: what each field becomes, which entry a method gets, and what is said about a
// field that is wrong.
#include <stdio.h>
#include <string.h>

#include "common/grpc/status_code.h"
#include "common/grpc_client/service_config.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const struct service_config *parse(const char *json) {
    const struct service_config *config = NULL;
    char error[300] = "";
    enum status status = service_config_parse(bytes_of_text(json), &arena, &config, error, sizeof(error));
    if (status != STATUS_OK)
        fail_msg("%s", error);
    return config;
}

static const struct service_config_method *get(const struct service_config *config, const char *path) {
    return service_config_get_method(config, bytes_of_text(path));
}

static const char whole[] =
    "{\"loadBalancingConfig\": [{\"grpclb\": {}}, {\"round_robin\": {}}],"
    " \"healthCheckConfig\": {\"serviceName\": \"latchkey.v1.TokenService\"},"
    " \"retryThrottling\": {\"maxTokens\": 10, \"tokenRatio\": 0.1},"
    " \"methodConfig\": ["
    "  {\"name\": [{\"service\": \"a.B\", \"method\": \"C\"}, {\"service\": \"a.B\", \"method\": \"D\"}],"
    "   \"timeout\": \"1.5s\", \"waitForReady\": true, \"maxResponseMessageBytes\": 1000,"
    "   \"retryPolicy\": {\"maxAttempts\": 3, \"initialBackoff\": \"0.1s\", \"maxBackoff\": \"2s\","
    "    \"backoffMultiplier\": 1.5, \"retryableStatusCodes\": [\"UNAVAILABLE\", \"aborted\", 8]}},"
    "  {\"name\": [{\"service\": \"a.B\"}], \"timeout\": \"2s\", \"futureField\": [1]},"
    "  {\"name\": [{}], \"timeout\": \"3s\"}]}";

static void every_field_is_read(void **state) {
    (void)state;
    const struct service_config *config = parse(whole);
    const struct service_config_method *method = get(config, "/a.B/C");
    assert_int_equal(service_config_get_picking(config), CLIENT_PICK_ROUND_ROBIN);
    assert_string_equal(service_config_find_health_service(config), "latchkey.v1.TokenService");
    assert_int_equal(service_config_get_throttle(config).max_milli_tokens, 10000);
    assert_int_equal(service_config_get_throttle(config).milli_tokens_per_success, 100);
    assert_int_equal(method->timeout_ms, 1500);
    assert_true(method->wait_for_ready);
    assert_int_equal(method->max_response_bytes, 1000);
    assert_int_equal(method->retry.max_attempts, 3);
    assert_true(method->retry.backoff.initial_ms == 100 && method->retry.backoff.max_ms == 2000);
    assert_true(method->retry.backoff.multiplier == 1.5);
    assert_int_equal(method->retry.retryable_codes,
                     1 << GRPC_CODE_UNAVAILABLE | 1 << GRPC_CODE_ABORTED | 1 << GRPC_CODE_RESOURCE_EXHAUSTED);
}

static void the_closest_entry_is_a_methods(void **state) {
    (void)state;
    const struct service_config *config = parse(whole);
    assert_ptr_equal(get(config, "/a.B/C"), get(config, "/a.B/D"));
    assert_int_equal(get(config, "/a.B/E")->timeout_ms, 2000);
    assert_int_equal(get(config, "/a.C/C")->timeout_ms, 3000);
    assert_int_equal(get(config, "/a.B")->timeout_ms, 2000);
    assert_int_equal(get(config, "/")->timeout_ms, 3000);
}

static void an_empty_config_says_nothing(void **state) {
    (void)state;
    const struct service_config *config = parse("{}");
    assert_int_equal(service_config_get_picking(config), CLIENT_PICK_FIRST);
    assert_null(service_config_find_health_service(config));
    assert_int_equal(service_config_get_throttle(config).max_milli_tokens, 0);
    assert_int_equal(get(config, "/a.B/C")->retry.max_attempts, 0);
    assert_int_equal(get(config, "/a.B/C")->timeout_ms, 0);
}

static void the_default_is_what_its_contract_says_as_json(void **state) {
    (void)state;
    const struct service_config *json = parse(
        "{\"methodConfig\": [{\"name\": [{}], \"retryPolicy\": {\"maxAttempts\": 4, \"initialBackoff\": \"0.1s\","
        " \"maxBackoff\": \"1s\", \"backoffMultiplier\": 2, \"retryableStatusCodes\": [\"UNAVAILABLE\"]}}],"
        " \"retryThrottling\": {\"maxTokens\": 10, \"tokenRatio\": 0.1}}");
    const struct service_config *config = service_config_get_default();
    const struct service_config_retry *a = &get(json, "/a.B/C")->retry, *b = &get(config, "/a.B/C")->retry;
    assert_int_equal(a->max_attempts, b->max_attempts);
    assert_int_equal(a->retryable_codes, b->retryable_codes);
    assert_memory_equal(&a->backoff, &b->backoff, sizeof(a->backoff));
    const struct service_config_throttle c = service_config_get_throttle(json),
                                         d = service_config_get_throttle(config);
    assert_memory_equal(&c, &d, sizeof(c));
    assert_int_equal(service_config_get_picking(config), CLIENT_PICK_FIRST);
    assert_null(service_config_find_health_service(config));
}

static void the_server_as_a_whole_is_a_service_too(void **state) {
    (void)state;
    assert_string_equal(
        service_config_find_health_service(parse("{\"healthCheckConfig\": {\"serviceName\": \"\"}}")), "");
    assert_null(service_config_find_health_service(parse("{\"healthCheckConfig\": {}}")));
}

static void more_attempts_than_five_are_five(void **state) {
    (void)state;
    const struct service_config *config =
        parse("{\"methodConfig\": [{\"name\": [{}], \"retryPolicy\": {\"maxAttempts\": 99,"
              " \"initialBackoff\": \"1s\", \"maxBackoff\": \"1s\", \"backoffMultiplier\": 1,"
              " \"retryableStatusCodes\": [14]}}]}");
    assert_int_equal(get(config, "/a.B/C")->retry.max_attempts, SERVICE_CONFIG_ATTEMPTS_MAX);
}

static void the_older_field_names_the_policy_too(void **state) {
    (void)state;
    assert_int_equal(service_config_get_picking(parse("{\"loadBalancingPolicy\": \"round_robin\"}")),
                     CLIENT_PICK_ROUND_ROBIN);
    assert_int_equal(service_config_get_picking(parse("{\"loadBalancingConfig\": [{\"pick_first\": {}}],"
                                                      " \"loadBalancingPolicy\": \"round_robin\"}")),
                     CLIENT_PICK_FIRST);
}

static void durations_are_seconds_with_a_fraction(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; // 0 = refused
    } rows[] = {
        {"1s", 1000},
        {"0.5s", 500},
        {"0.000000001s", 1},
        {"1.0001s", 1001},
        {"3600s", 3600000},
        {"315576000000s", INT64_C(315576000000000)},
        {"315576000001s", 0},
        {"0s", 0},
        {"1", 0},
        {"s", 0},
        {".5s", 0},
        {"1.s", 0},
        {"-1s", 0},
        {"1m", 0},
        {"1.0000000001s", 0},
        {"1.5 s", 0},
        {"01s", 0},
        {"1e3s", 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char json[200], error[300];
        const struct service_config *config;
        snprintf(json, sizeof(json), "{\"methodConfig\": [{\"name\": [{}], \"timeout\": \"%s\"}]}",
                 rows[i].text);
        enum status status = service_config_parse(bytes_of_text(json), &arena, &config, error, sizeof(error));
        assert_int_equal(status, rows[i].ms ? STATUS_OK : STATUS_INVALID);
        if (rows[i].ms)
            assert_int_equal(get(config, "/a/b")->timeout_ms, rows[i].ms);
    }
}

#define POLICY(attempts, initial, max, multiplier, codes)                                            \
    "{\"methodConfig\": [{\"name\": [{}], \"retryPolicy\": {\"maxAttempts\": " attempts              \
    ", \"initialBackoff\": " initial ", \"maxBackoff\": " max ", \"backoffMultiplier\": " multiplier \
    ", \"retryableStatusCodes\": " codes "}}]}"

static void a_field_that_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"", "not JSON at line 1"},
        {"{", "not JSON at line 1"},
        {"{} x", "not JSON"},
        {"{\"a\": 1, \"a\": 2}", "duplicate"},
        {"[]", "type an object"},
        {"{\"methodConfig\": {}}", "methodConfig: type a list"},
        {"{\"methodConfig\": [1]}", "methodConfig[0]: type an object"},
        {"{\"methodConfig\": [{}, {\"timeout\": 1}]}", "methodConfig[1].timeout: type seconds"},
        {"{\"methodConfig\": [{\"waitForReady\": 1}]}", "methodConfig[0].waitForReady: type true or false"},
        {"{\"methodConfig\": [{\"maxResponseMessageBytes\": -1}]}", "maxResponseMessageBytes: type a number"},
        {"{\"methodConfig\": [{\"name\": {}}]}", "methodConfig[0].name: type a list"},
        {"{\"methodConfig\": [{\"name\": [1]}]}", "methodConfig[0].name[0]: type an object"},
        {"{\"methodConfig\": [{\"name\": [{\"service\": 1}]}]}", "name[0].service: type a text"},
        {"{\"methodConfig\": [{\"name\": [{\"method\": \"x\"}]}]}", "name[0].method: stands only beside"},
        {"{\"methodConfig\": [{\"name\": [{}]}, {\"name\": [{}]}]}",
         "methodConfig[1].name[0]: this method has"},
        {"{\"methodConfig\": [{\"retryPolicy\": 1}]}", "methodConfig[0].retryPolicy: type an object"},
        {POLICY("1", "\"1s\"", "\"1s\"", "1", "[14]"), "retryPolicy.maxAttempts: type a whole number from 2"},
        {POLICY("2.5", "\"1s\"", "\"1s\"", "1", "[14]"), "retryPolicy.maxAttempts"},
        {POLICY("2", "1", "\"1s\"", "1", "[14]"), "retryPolicy.initialBackoff: type seconds"},
        {POLICY("2", "\"1s\"", "\"0s\"", "1", "[14]"), "retryPolicy.maxBackoff: type seconds"},
        {POLICY("2", "\"1s\"", "\"1s\"", "0", "[14]"),
         "retryPolicy.backoffMultiplier: type a number above 0"},
        {POLICY("2", "\"1s\"", "\"1s\"", "1", "[]"), "retryableStatusCodes: name at least one"},
        {POLICY("2", "\"1s\"", "\"1s\"", "1", "[\"OK\"]"), "retryableStatusCodes: a call that ended with OK"},
        {POLICY("2", "\"1s\"", "\"1s\"", "1", "[14, 17]"), "retryableStatusCodes: item 1 is no status code"},
        {POLICY("2", "\"1s\"", "\"1s\"", "1", "[\"GONE\"]"), "retryableStatusCodes: item 0"},
        {"{\"retryThrottling\": {\"maxTokens\": 0, \"tokenRatio\": 1}}", "retryThrottling.maxTokens"},
        {"{\"retryThrottling\": {\"maxTokens\": 1001, \"tokenRatio\": 1}}", "retryThrottling.maxTokens"},
        {"{\"retryThrottling\": {\"maxTokens\": 1}}", "retryThrottling.tokenRatio"},
        {"{\"loadBalancingConfig\": [{\"rls\": {}}]}", "loadBalancingConfig: pick_first and round_robin"},
        {"{\"loadBalancingConfig\": [{}]}", "loadBalancingConfig: item 0 names no policy"},
        {"{\"loadBalancingPolicy\": \"rls\"}", "loadBalancingPolicy: type"},
        {"{\"healthCheckConfig\": []}", "healthCheckConfig: type an object"},
        {"{\"healthCheckConfig\": {\"serviceName\": \"a\\u0000b\"}}",
         "healthCheckConfig.serviceName: type a text"},
        {"{\"healthCheckConfig\": {\"serviceName\": 1}}", "healthCheckConfig.serviceName: type a text"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct service_config *config = NULL;
        char error[300] = "";
        assert_int_equal(
            service_config_parse(bytes_of_text(rows[i].json), &arena, &config, error, sizeof(error)),
            STATUS_INVALID);
        assert_null(config);
        if (!strstr(error, rows[i].says))
            fail_msg("%s: %s", rows[i].json, error);
    }
}

static bool parse_whole(void *context) {
    struct arena own;
    const struct service_config *config;
    char error[300];
    (void)context;
    arena_init(&own, 0);
    enum status status = service_config_parse(bytes_of_text(whole), &own, &config, error, sizeof(error));
    arena_fini(&own);
    return status == STATUS_OK;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    allocation_failure_try_each(parse_whole, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(the_closest_entry_is_a_methods),
        cmocka_unit_test(an_empty_config_says_nothing),
        cmocka_unit_test(the_default_is_what_its_contract_says_as_json),
        cmocka_unit_test(the_server_as_a_whole_is_a_service_too),
        cmocka_unit_test(more_attempts_than_five_are_five),
        cmocka_unit_test(the_older_field_names_the_policy_too),
        cmocka_unit_test(durations_are_seconds_with_a_fraction),
        cmocka_unit_test(a_field_that_is_wrong_is_named),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
