// A client's first message is whole when its last byte is there, however it is cut into records, and nobody
// waits for what can't be one.
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_client.h"
#include "common/crypto/tls_hello.h"
#include "common/crypto/tls_session.h"
#include "tests/unit/certificates.h"
#include "tests/unit/unit.h"

enum { RECORD_HEAD = 5 };

static struct buffer hello; // as a client of ours sends it, in one record

static enum tls_hello look(const void *data, size_t len) {
    uint8_t *exact = malloc(len > 0 ? len : 1); // so that a look beyond its end is seen
    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, data, len);
    enum tls_hello seen = tls_hello_look(bytes_of(exact, len));
    free(exact);
    return seen;
}

static void a_real_one_is_whole_at_its_last_byte(void **state) {
    (void)state;
    for (size_t len = 0; len < hello.len; len++)
        assert_int_equal(look(hello.data, len), TLS_HELLO_UNFINISHED);
    assert_int_equal(look(hello.data, hello.len), TLS_HELLO_WHOLE);
}

// In records of `size` bytes each.
static struct buffer cut(size_t size) {
    struct buffer records = {0};
    struct bytes left = bytes_of(hello.data + RECORD_HEAD, hello.len - RECORD_HEAD);
    while (left.len > 0) {
        size_t len = left.len < size ? left.len : size;
        const uint8_t head[RECORD_HEAD] = {22, 3, 1, (uint8_t)(len >> 8), (uint8_t)len};
        buffer_append(&records, bytes_of(head, sizeof(head)));
        buffer_append(&records, bytes_of(left.data, len));
        left = bytes_of(left.data + len, left.len - len);
    }
    return records;
}

// How long it is says the message, and not how many records it is in: so it may be taken for whole early, and
// never late.
static void one_in_many_records_is_whole_when_as_much_has_come_as_it_says(void **state) {
    (void)state;
    for (size_t size = 1; size <= 8; size++) {
        struct buffer records = cut(size);
        size_t whole = 0;
        while (look(records.data, whole) == TLS_HELLO_UNFINISHED)
            whole++;
        assert_true(whole >= hello.len - RECORD_HEAD && whole <= records.len);
        for (size_t len = whole; len <= records.len; len++)
            assert_int_equal(look(records.data, len), TLS_HELLO_WHOLE);
        buffer_fini(&records);
    }
}

static void nobody_waits_for_what_is_none(void **state) {
    (void)state;
    static const struct bytes others[] = {
        BYTES_LITERAL("G"),                      // HTTP
        BYTES_LITERAL("\x15\x03\x01\0\x02"),     // an alert
        BYTES_LITERAL("\x16\x02"),               // no version that there is
        BYTES_LITERAL("\x16\x03\x01\0\0"),       // an empty record
        BYTES_LITERAL("\x16\x03\x01\x40\x01"),   // one that is too long
        BYTES_LITERAL("\x16\x03\x01\0\x04\x02"), // another message
        BYTES_LITERAL("\x80\x2e\x01"),           // SSL 2
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_int_equal(look(others[i].data, others[i].len), TLS_HELLO_WHOLE);
}

static void more_than_any_client_has_to_say_is_too_long(void **state) {
    (void)state;
    static const struct bytes largest = BYTES_LITERAL("\x16\x03\x01\x40\0\x01\x01\0\0");
    static const struct bytes larger = BYTES_LITERAL("\x16\x03\x01\x40\0\x01\x01\0\x01");
    assert_int_equal(look(largest.data, largest.len), TLS_HELLO_UNFINISHED);
    assert_int_equal(look(larger.data, larger.len), TLS_HELLO_TOO_LONG);
    assert_int_equal(look(larger.data, larger.len - 1), TLS_HELLO_UNFINISHED);
}

static int set_up(void **state) {
    (void)state;
    struct certificate authority;
    struct tls_client *client;
    struct tls_session *session;
    struct buffer plain = {0};
    char error[256];
    certificate_make(&authority, &(struct certificate_options){.is_authority = true});
    const struct tls_client_options options = {.ca_file = authority.certificate_file,
                                               .server_name = "localhost"};
    assert_int_equal(tls_client_new(&options, &client, error, sizeof(error)), STATUS_OK);
    assert_int_equal(tls_session_new_of_client(client, &session), STATUS_OK);
    assert_int_equal(tls_session_receive(session, BYTES_EMPTY, &plain, &hello), STATUS_OK);
    buffer_fini(&plain);
    tls_session_free(session);
    tls_client_free(client);
    certificate_fini(&authority);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buffer_fini(&hello);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_one_is_whole_at_its_last_byte),
        cmocka_unit_test(one_in_many_records_is_whole_when_as_much_has_come_as_it_says),
        cmocka_unit_test(nobody_waits_for_what_is_none),
        cmocka_unit_test(more_than_any_client_has_to_say_is_too_long),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
