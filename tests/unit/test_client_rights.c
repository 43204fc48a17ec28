// What clients may do by their certificates: the file, who is found in it, and a table that is replaced.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/client_rights.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static char error[256];

static struct client_rights *parse(const char *text) {
    struct client_rights *rights = NULL;
    if (client_rights_parse(bytes_of_text(text), "file", &rights, error, sizeof(error)) != STATUS_OK)
        fail_msg("%s", error);
    return rights;
}

static struct tls_identity *make_identity(const char *first, const char *second) {
    struct tls_identity *identity = calloc(1, sizeof(*identity) + 2 * sizeof(identity->names[0]));
    identity->holders = 1;
    identity->names[identity->count++] = first;
    if (second)
        identity->names[identity->count++] = second;
    return identity;
}

static uint32_t find(const char *text, const char *first, const char *second) {
    struct client_rights *rights = parse(text);
    struct tls_identity *identity = make_identity(first, second);
    uint32_t bits = client_rights_find(rights, identity);
    tls_identity_release(identity);
    client_rights_free(rights);
    return bits;
}

static void a_name_holds_what_its_line_says_and_no_other_does(void **state) {
    (void)state;
    static const char text[] = "# comment\r\n"
                               "\r\n"
                               "  spiffe://test/b\tlatchkey.validate.any  latchkey.validate.detail \r\n"
                               "dns:a.test latchkey.validate.watch latchkey.validate.explain";
    assert_int_equal(find(text, "spiffe://test/b", NULL),
                     CLIENT_RIGHT_VALIDATE_ANY | CLIENT_RIGHT_VALIDATE_DETAIL);
    assert_int_equal(find(text, "dns:a.test", NULL),
                     CLIENT_RIGHT_VALIDATE_WATCH | CLIENT_RIGHT_VALIDATE_EXPLAIN);
    static const char *const others[] = {"spiffe://test/",
                                         "spiffe://test/bb",
                                         "spiffe://test/B",
                                         "dns:A.test",
                                         "dns:b.a.test",
                                         "a.test",
                                         "",
                                         "#"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_int_equal(find(text, others[i], NULL), 0);
}

static void who_has_several_names_holds_what_each_of_them_does(void **state) {
    (void)state;
    static const char text[] = "dns:b.test latchkey.validate.any\ndns:a.test latchkey.validate.detail\n";
    assert_int_equal(find(text, "dns:a.test", "dns:b.test"),
                     CLIENT_RIGHT_VALIDATE_ANY | CLIENT_RIGHT_VALIDATE_DETAIL);
    assert_int_equal(find(text, "dns:c.test", "dns:b.test"), CLIENT_RIGHT_VALIDATE_ANY);
}

static void nobody_holds_anything_where_there_is_nothing(void **state) {
    (void)state;
    struct tls_identity *identity = make_identity("dns:a.test", NULL);
    assert_int_equal(find("", "dns:a.test", NULL), 0);
    assert_int_equal(client_rights_find(NULL, identity), 0);
    assert_int_equal(client_rights_get(identity), 0);
    assert_int_equal(client_rights_get(NULL), 0);
    tls_identity_release(identity);
}

static void a_bad_line_is_told_by_its_number(void **state) {
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"gateway latchkey.validate.any", "file:1: begin with a name such as"},
        {"\n\nspiffe://test/ latchkey.validate.any", "file:3: begin with a name such as"},
        {"dns:A.test latchkey.validate.any", "file:1: begin with a name such as"},
        {"dns:a.test", "file:1: say what the name holds"},
        {"dns:a.test #latchkey.validate.any", "file:1: a certificate can hold"},
        {"dns:a.test latchkey.operate", "file:1: a certificate can hold"},
        {"dns:a.test latchkey.validate.*", "file:1: a certificate can hold"},
        {"dns:a.test latchkey.validate.any\ndns:b.test latchkey.validate.any\ndns:a.test latchkey.validate.watch",
         "file:3: the name stands on line 1 already"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct client_rights *rights = NULL;
        assert_int_equal(
            client_rights_parse(bytes_of_text(cases[i].text), "file", &rights, error, sizeof(error)),
            STATUS_INVALID);
        assert_null(rights);
        assert_int_equal(strncmp(error, cases[i].sentence, strlen(cases[i].sentence)), 0);
    }
}

static void a_table_that_is_replaced_counts_from_the_next_look(void **state) {
    (void)state;
    struct tls_identity *identity = make_identity("dns:a.test", NULL);
    client_rights_publish(parse("dns:a.test latchkey.validate.any"));
    assert_int_equal(client_rights_get(identity), CLIENT_RIGHT_VALIDATE_ANY);
    assert_int_equal(client_rights_get(identity), CLIENT_RIGHT_VALIDATE_ANY);
    client_rights_publish(parse("dns:a.test latchkey.validate.watch"));
    assert_int_equal(client_rights_get(identity), CLIENT_RIGHT_VALIDATE_WATCH);
    client_rights_publish(NULL);
    assert_int_equal(client_rights_get(identity), 0);
    tls_identity_release(identity);
}

static void a_file_is_read_whole_or_not_at_all(void **state) {
    (void)state;
    struct client_rights *rights = NULL;
    assert_int_equal(client_rights_read("/nowhere/rights", &rights, error, sizeof(error)), STATUS_INVALID);
    assert_string_equal(error, "/nowhere/rights is not there");
    assert_int_equal(client_rights_read("/", &rights, error, sizeof(error)), STATUS_INVALID);
    assert_int_equal(client_rights_read("/dev/zero", &rights, error, sizeof(error)), STATUS_INVALID);
    assert_non_null(strstr(error, "is larger than 4194304 bytes"));
}

static bool parse_once(void *context) {
    struct client_rights *rights = NULL;
    (void)context;
    enum status status = client_rights_parse(
        BYTES_LITERAL("dns:b.test latchkey.validate.any\ndns:a.test latchkey.validate.any"), "file", &rights,
        error, sizeof(error));
    client_rights_free(rights);
    return status == STATUS_OK;
}

static void without_memory_there_is_no_table(void **state) {
    (void)state;
    allocation_failure_try_each(parse_once, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_holds_what_its_line_says_and_no_other_does),
        cmocka_unit_test(who_has_several_names_holds_what_each_of_them_does),
        cmocka_unit_test(nobody_holds_anything_where_there_is_nothing),
        cmocka_unit_test(a_bad_line_is_told_by_its_number),
        cmocka_unit_test(a_table_that_is_replaced_counts_from_the_next_look),
        cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(without_memory_there_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
