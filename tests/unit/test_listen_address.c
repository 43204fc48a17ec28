// Where to listen: what is read, who can reach it, and what to type instead.
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/bytes.h"
#include "common/ip/address.h"
#include "common/net/listen_address.h"
#include "tests/unit/unit.h"

static void addresses_are_read_with_who_can_reach_them(void **state) {
    (void)state;
    static const struct {
        const char *text, *address;
        unsigned port;
        bool is_local, is_wildcard;
    } cases[] = {
        {"127.0.0.1:7070", "127.0.0.1", 7070, true, false},
        {"127.1.2.3:1", "127.1.2.3", 1, true, false},
        {"0.0.0.0:7070", "0.0.0.0", 7070, false, false},
        {"192.0.2.7:65535", "192.0.2.7", 65535, false, false},
        {"[::1]:0", "::1", 0, true, false},
        {"[::]:7070", "::", 7070, false, false},
        {"[2001:db8::1]:80", "2001:db8::1", 80, false, false},
        {"*:7070", "::", 7070, false, true},
        {"[::ffff:127.0.0.1]:80", "127.0.0.1", 80, true, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct listen_address address;
        const char *reason = NULL;
        if (!listen_address_parse(cases[i].text, &address, &reason))
            fail_msg("%s: %s", cases[i].text, reason);
        char text[IP_ADDRESS_TEXT_MAX + 1];
        struct ip_address ip = ip_address_from_sockaddr((struct sockaddr *)&address.socket);
        ip_address_format(&ip, text);
        assert_string_equal(text, cases[i].address);
        in_port_t port = address.socket.ss_family == AF_INET
                             ? ((struct sockaddr_in *)&address.socket)->sin_port
                             : ((struct sockaddr_in6 *)&address.socket)->sin6_port;
        assert_int_equal(ntohs(port), cases[i].port);
        assert_int_equal(address.is_local, cases[i].is_local);
        assert_int_equal(address.is_wildcard, cases[i].is_wildcard);
        assert_int_equal(address.length, address.socket.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                             : sizeof(struct sockaddr_in6));
    }
}

static void a_path_of_a_socket_is_taken_as_it_is(void **state) {
    (void)state;
    char text[200] = "unix:";
    struct listen_address address;
    const char *reason;
    assert_true(listen_address_parse("unix:/run/latchkey.sock", &address, &reason));
    assert_true(address.is_local);
    assert_int_equal(address.socket.ss_family, AF_UNIX);
    assert_string_equal(((struct sockaddr_un *)&address.socket)->sun_path, "/run/latchkey.sock");

    memset(text + 5, 'a', 107);
    assert_true(listen_address_parse(text, &address, &reason));
    text[5 + 107] = 'a';
    assert_false(listen_address_parse(text, &address, &reason));
    assert_string_equal(reason, "type a path of 1 to 107 bytes after unix:");
    assert_false(listen_address_parse("unix:", &address, &reason));
}

static void anything_else_is_refused_and_leaves_no_trace(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        ":",
        "7070",
        ":7070",
        "127.0.0.1",
        "127.0.0.1:",
        "1.2.3:80",
        "010.0.0.1:1",
        "127.0.0.1:080",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "::1:80",
        "[::1]",
        "[::1:80",
        "::1]:80",
        "[::1]80",
        "[fe80::1%eth0]:80",
        "[]:80",
        "[*]:80",
        "[127.0.0.1]:80",
        "**:80",
        "localhost:80",
        "example.com:80",
        "127.0.0.1:80 ",
        "127.0.0.1/8:80",
        "http://127.0.0.1:80",
        "[[::1]]:80",
        "1.2.3.4:99999999999999999999",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct listen_address address, before;
        memset(&address, 0x5a, sizeof(address));
        before = address;
        const char *reason = NULL;
        if (listen_address_parse(bad[i], &address, &reason))
            fail_msg("%s is read", bad[i]);
        assert_memory_equal(&address, &before, sizeof(address));
        assert_non_null(reason);
        assert_true(strncmp(reason, "type ", 5) == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_with_who_can_reach_them),
        cmocka_unit_test(a_path_of_a_socket_is_taken_as_it_is),
        cmocka_unit_test(anything_else_is_refused_and_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
