// Lists of targets and their schemes; one target alone is test_grpc_client_target.c's.
#include <stdio.h>
#include <string.h>

#include "common/grpc_client/client_targets.h"
#include "tests/unit/unit.h"

static void targets_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum client_scheme scheme;
        const char *targets[3];
    } rows[] = {
        {"localhost:7070", CLIENT_SCHEME_NONE, {"localhost:7070"}},
        {"a:1,b:2,[::1]:3", CLIENT_SCHEME_NONE, {"a:1", "b:2", "[::1]:3"}},
        {"a:1, b:2", CLIENT_SCHEME_NONE, {"a:1", "b:2"}},
        {"dns:///latchkey.example.com:443", CLIENT_SCHEME_NONE, {"latchkey.example.com:443"}},
        {"ipv4:192.0.2.1:7070,192.0.2.2:7070", CLIENT_SCHEME_NONE, {"192.0.2.1:7070", "192.0.2.2:7070"}},
        {"ipv6:[2001:db8::1]:7070,[::1]:1", CLIENT_SCHEME_NONE, {"[2001:db8::1]:7070", "[::1]:1"}},
        {"https://a:7070", CLIENT_SCHEME_HTTPS, {"a:7070"}},
        {"https://a:7070/", CLIENT_SCHEME_HTTPS, {"a:7070"}},
        {"https://a:1,b:2", CLIENT_SCHEME_HTTPS, {"a:1", "b:2"}},
        {"http://127.0.0.1:7070", CLIENT_SCHEME_HTTP, {"127.0.0.1:7070"}},
        {"unix:/run/a,b.sock", CLIENT_SCHEME_NONE, {"unix:/run/a,b.sock"}},
    };
    static struct client_targets targets;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char error[300] = "";
        assert_true(client_targets_parse(bytes_of_text(rows[i].text), &targets, error, sizeof(error)));
        assert_int_equal(targets.scheme, rows[i].scheme);
        for (size_t k = 0; k < 3; k++) {
            assert_true((k < targets.count) == (rows[i].targets[k] != NULL));
            if (rows[i].targets[k])
                assert_string_equal(targets.all[k].text, rows[i].targets[k]);
        }
    }
}

static void what_is_wrong_is_told(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "host:port"},
        {"a:1,", "host:port"},
        {",a:1", "host:port"},
        {"a:1,,b:2", "host:port"},
        {"a:1,b", "port from 1 to 65535"},
        {"dns://8.8.8.8/a:1", "no scheme"},
        {"dns:///", "host:port"},
        {"ipv4:a:1", "not names"},
        {"ipv4:[::1]:1", "not names"},
        {"ipv6:127.0.0.1:1", "not names"},
        {"ftp://a:1", "no scheme"},
        {"https:///", "host:port"},
        {"https://a:1/path", "port from 1 to 65535"},
        {"https://https://a:1", "no scheme"},
        {"a:1,unix:/run/a.sock", "stands alone"},
    };
    static struct client_targets targets;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char error[300] = "";
        if (client_targets_parse(bytes_of_text(rows[i].text), &targets, error, sizeof(error)))
            fail_msg("%s is taken", rows[i].text);
        if (!strstr(error, rows[i].says))
            fail_msg("%s: %s", rows[i].text, error);
    }
}

static void sixteen_addresses_are_taken_and_no_more(void **state) {
    (void)state;
    static struct client_targets targets;
    char text[200] = "", error[300] = "";
    for (int i = 0; i < CLIENT_TARGETS_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sa:%d", i ? "," : "", i + 1);
    assert_true(client_targets_parse(bytes_of_text(text), &targets, error, sizeof(error)));
    assert_int_equal(targets.count, CLIENT_TARGETS_MAX);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), ",a:17");
    assert_false(client_targets_parse(bytes_of_text(text), &targets, error, sizeof(error)));
    assert_non_null(strstr(error, "more than 16"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(sixteen_addresses_are_taken_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
