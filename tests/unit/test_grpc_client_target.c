// Targets as people type them: what is accepted becomes host, port and authority; what is not is answered
// with a sentence that says what to type instead.
#include <string.h>

#include "common/grpc_client/client_target.h"
#include "tests/unit/unit.h"

static void a_target_is_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *host, *port, *authority;
    } good[] = {
        {"localhost:7070", "localhost", "7070", "localhost:7070"},
        {"127.0.0.1:1", "127.0.0.1", "1", "127.0.0.1:1"},
        {"latchkey.example.com:65535", "latchkey.example.com", "65535", "latchkey.example.com:65535"},
        {"[::1]:7070", "::1", "7070", "[::1]:7070"},
        {"[2001:db8::7]:443", "2001:db8::7", "443", "[2001:db8::7]:443"},
        {"[fe80::1%eth0]:443", "fe80::1%eth0", "443", "[fe80::1%eth0]:443"},
        {"my_host-1:80", "my_host-1", "80", "my_host-1:80"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct client_target target;
        char error[200] = "";
        assert_true(client_target_parse(bytes_of_text(good[i].text), &target, error, sizeof(error)));
        assert_false(target.is_unix);
        assert_string_equal(target.host, good[i].host);
        assert_string_equal(target.port, good[i].port);
        assert_string_equal(target.authority, good[i].authority);
        assert_string_equal(target.text, good[i].authority);
    }
}

static void a_unix_target_is_a_path(void **state) {
    (void)state;
    static const char *const good[] = {"unix:/run/latchkey.sock", "unix:///run/latchkey.sock"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct client_target target;
        char error[200] = "";
        assert_true(client_target_parse(bytes_of_text(good[i]), &target, error, sizeof(error)));
        assert_true(target.is_unix);
        assert_string_equal(target.path, "/run/latchkey.sock");
        assert_string_equal(target.authority, "localhost");
        assert_string_equal(target.text, "unix:/run/latchkey.sock");
    }
}

static void a_bad_target_is_refused_with_what_to_type_instead(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "host:port"},
        {"localhost", "localhost:7070"},
        {"localhost:", "localhost:7070"},
        {"localhost:0", "1 to 65535"},
        {"localhost:65536", "1 to 65535"},
        {"localhost:080", "1 to 65535"},
        {"localhost:http", "1 to 65535"},
        {":7070", "127.0.0.1:7070"},
        {"::1:7070", "brackets"},
        {"2001:db8::1", "brackets"},
        {"[::1]", "[::1]:7070"},
        {"[::1]7070", "brackets"},
        {"[::1", "[::1:7070"},
        {"[]:7070", "127.0.0.1:7070"},
        {"http://localhost:7070", "no scheme"},
        {"grpc://localhost:7070", "no scheme"},
        {"local host:7070", "no host name"},
        {"localhost/x:7070", "no host name"},
        {"unix:", "full path"},
        {"unix:run/latchkey.sock", "full path"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct client_target target;
        char error[200] = "";
        memset(&target, 0x5a, sizeof(target));
        assert_false(client_target_parse(bytes_of_text(bad[i].text), &target, error, sizeof(error)));
        assert_non_null(strstr(error, bad[i].says));
        // Untouched on failure.
        assert_int_equal(((const unsigned char *)&target)[0], 0x5a);
    }
}

static void lengths_are_checked_before_anything_is_copied(void **state) {
    (void)state;
    char host[400], path[400], error[700];
    struct client_target target;
    memset(host, 'a', sizeof(host));
    memcpy(host + CLIENT_TARGET_HOST_MAX, ":7070", 6);
    assert_true(client_target_parse(bytes_of_text(host), &target, error, sizeof(error)));
    memset(host, 'a', sizeof(host));
    memcpy(host + CLIENT_TARGET_HOST_MAX + 1, ":7070", 6);
    assert_false(client_target_parse(bytes_of_text(host), &target, error, sizeof(error)));

    memset(path, '/', sizeof(path));
    memcpy(path, "unix:/a", 7);
    assert_true(
        client_target_parse(bytes_of(path, 5 + CLIENT_TARGET_PATH_MAX), &target, error, sizeof(error)));
    assert_int_equal(strlen(target.path), CLIENT_TARGET_PATH_MAX);
    assert_false(
        client_target_parse(bytes_of(path, 6 + CLIENT_TARGET_PATH_MAX), &target, error, sizeof(error)));
    assert_non_null(strstr(error, "107"));
}

static void a_nul_inside_is_not_the_end(void **state) {
    (void)state;
    struct client_target target;
    char error[200];
    assert_false(client_target_parse(BYTES_LITERAL("a\0b:7070"), &target, error, sizeof(error)));
    assert_false(client_target_parse(BYTES_LITERAL("unix:/a\0b"), &target, error, sizeof(error)));
    assert_false(client_target_parse(BYTES_LITERAL("a:7070\0"), &target, error, sizeof(error)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_taken_apart),
        cmocka_unit_test(a_unix_target_is_a_path),
        cmocka_unit_test(a_bad_target_is_refused_with_what_to_type_instead),
        cmocka_unit_test(lengths_are_checked_before_anything_is_copied),
        cmocka_unit_test(a_nul_inside_is_not_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
