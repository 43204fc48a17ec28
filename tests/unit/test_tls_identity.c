// Whom a certificate names, and which certificates name nobody because two readers could differ about them.
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/tls_identity.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/certificates.h"
#include "tests/unit/unit.h"

#define URI(text) \
    { GEN_URI, BYTES_LITERAL(text) }
#define DNS(text) \
    { GEN_DNS, BYTES_LITERAL(text) }
#define MAIL(text) \
    { GEN_EMAIL, BYTES_LITERAL(text) }
#define ADDRESS(text) \
    { GEN_IPADD, BYTES_LITERAL(text) }

enum { NAMES_MAX = 6 };

static enum status parse(const struct certificate_options *options, struct tls_identity **ret_identity) {
    struct certificate certificate;
    certificate_make(&certificate, options);
    struct bytes der = certificate_encode(&certificate);
    enum status status = tls_identity_parse(der, ret_identity);
    OPENSSL_free((void *)der.data);
    certificate_fini(&certificate);
    return status;
}

static size_t count_names(const struct certificate_name *names) {
    size_t count = 0;
    while (count < NAMES_MAX && names[count].type != 0)
        count++;
    return count;
}

static void names_are_read_with_the_spiffe_id_first_and_hosts_in_lower_case(void **state) {
    (void)state;
    static const struct {
        struct certificate_name names[NAMES_MAX];
        const char *expected[NAMES_MAX];
    } cases[] = {
        {{DNS("a.test")}, {"dns:a.test"}},
        {{URI("spiffe://test/ns/a/sa/b")}, {"spiffe://test/ns/a/sa/b"}},
        {{URI("spiffe://test")}, {"spiffe://test"}},
        {{DNS("B.Test"), DNS("*.a.test"), URI("spiffe://a_b-c.9/P.q_r-S")},
         {"spiffe://a_b-c.9/P.q_r-S", "dns:b.test", "dns:*.a.test"}},
        {{MAIL("a@test"), ADDRESS("\xc0\x00\x02\x01"), DNS("a.test")}, {"dns:a.test"}},
        {{URI("https://a.test/"), URI("urn:x"), DNS("a.test")}, {"dns:a.test"}},
        {{URI("https://a.test/spiffe://test/a"), MAIL("a@test")}, {NULL}},
        {{{0}}, {NULL}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct tls_identity *identity = NULL;
        const struct certificate_options options = {.names = cases[i].names,
                                                    .name_count = count_names(cases[i].names)};
        assert_int_equal(parse(&options, &identity), STATUS_OK);
        assert_int_equal(identity != NULL, cases[i].expected[0] != NULL);
        for (size_t k = 0; identity && k < identity->count; k++)
            assert_string_equal(identity->names[k], cases[i].expected[k]);
        if (identity && identity->count < NAMES_MAX)
            assert_null(cases[i].expected[identity->count]);
        tls_identity_release(identity);
    }
}

static void what_could_be_understood_in_two_ways_is_refused(void **state) {
    (void)state;
    static const struct certificate_name cases[][NAMES_MAX] = {
        {DNS("good.test\0.evil.test")},
        {URI("spiffe://good\0/a")},
        {URI("spiffe://test/good\0")},
        {URI("https://good.test/\0")},
        {DNS("")},
        {URI("")},
        {DNS(" a.test")},
        {DNS("a.test\n")},
        {DNS("\xc3\xa9.test")},
        {URI("spiffe://test/a"), URI("spiffe://test/a")},
        {URI("spiffe://test/a"), URI("https://a.test/")},
        {URI("https://a.test/"), URI("spiffe://test/a")},
        {URI("SPIFFE://test/a")},
        {URI("Spiffe://test/a")},
        {URI("spiffe:test/a")},
        {URI("spiffe:/test/a")},
        {URI("spiffe://")},
        {URI("spiffe:///a")},
        {URI("spiffe://Test/a")},
        {URI("spiffe://user@test/a")},
        {URI("spiffe://test:80/a")},
        {URI("spiffe://[::1]/a")},
        {URI("spiffe://test/")},
        {URI("spiffe://test/a/")},
        {URI("spiffe://test//a")},
        {URI("spiffe://test/./a")},
        {URI("spiffe://test/a/..")},
        {URI("spiffe://test/a?b")},
        {URI("spiffe://test/a#b")},
        {URI("spiffe://test/%61")},
        {URI("spiffe://test/a b")},
        {URI("spiffe://test?a")},
        {DNS("a.test"), URI("spiffe://test/a/")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct tls_identity *identity = NULL;
        const struct certificate_options options = {.names = cases[i], .name_count = count_names(cases[i])};
        if (parse(&options, &identity) != STATUS_INVALID)
            fail_msg("case %zu is taken", i);
        assert_null(identity);
    }
}

static void an_authority_s_certificate_has_no_spiffe_id(void **state) {
    (void)state;
    static const struct certificate_name spiffe[] = {URI("spiffe://test/a")}, dns[] = {DNS("a.test")};
    struct tls_identity *identity = NULL;
    const struct certificate_options refused = {.names = spiffe, .name_count = 1, .is_authority = true};
    const struct certificate_options taken = {.names = dns, .name_count = 1, .is_authority = true};
    assert_int_equal(parse(&refused, &identity), STATUS_INVALID);
    assert_int_equal(parse(&taken, &identity), STATUS_OK);
    tls_identity_release(identity);
}

static void lengths_and_numbers_are_bounded(void **state) {
    (void)state;
    static char text[2100];
    static struct certificate_name names[TLS_IDENTITY_NAMES_MAX];
    struct tls_identity *identity = NULL;
    memset(text, 'a', sizeof(text));
    memcpy(text, "spiffe://test/", 14);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        names[i] = (struct certificate_name)DNS("a.test");
    const struct {
        struct certificate_name name;
        enum status expected;
    } lengths[] = {
        {{GEN_URI, {(uint8_t *)text, 2048}}, STATUS_OK},
        {{GEN_URI, {(uint8_t *)text, 2049}}, STATUS_INVALID},
        {{GEN_DNS, {(uint8_t *)text + 14, 255}}, STATUS_OK},
        {{GEN_DNS, {(uint8_t *)text + 14, 256}}, STATUS_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        const struct certificate_options options = {.names = &lengths[i].name, .name_count = 1};
        assert_int_equal(parse(&options, &identity), lengths[i].expected);
        if (lengths[i].expected == STATUS_OK)
            tls_identity_release(identity);
    }
    const struct certificate_options fits = {.names = names, .name_count = TLS_IDENTITY_NAMES_MAX - 1};
    const struct certificate_options overflows = {.names = names, .name_count = TLS_IDENTITY_NAMES_MAX};
    assert_int_equal(parse(&fits, &identity), STATUS_OK);
    assert_int_equal(identity->count, TLS_IDENTITY_NAMES_MAX - 1);
    tls_identity_release(identity);
    assert_int_equal(parse(&overflows, &identity), STATUS_INVALID);
}

static void a_certificate_that_is_cut_or_followed_by_more_is_refused(void **state) {
    (void)state;
    static const struct certificate_name names[] = {DNS("a.test")};
    const struct certificate_options options = {.names = names, .name_count = 1};
    struct certificate certificate;
    struct tls_identity *identity = NULL;
    certificate_make(&certificate, &options);
    struct bytes der = certificate_encode(&certificate);
    uint8_t longer[2048];
    assert_true(der.len < sizeof(longer));
    memcpy(longer, der.data, der.len);
    longer[der.len] = 0;
    for (size_t len = 0; len < der.len; len++)
        assert_int_equal(tls_identity_parse(bytes_of(der.data, len), &identity), STATUS_INVALID);
    assert_int_equal(tls_identity_parse(bytes_of(longer, der.len + 1), &identity), STATUS_INVALID);
    OPENSSL_free((void *)der.data);
    certificate_fini(&certificate);
}

static void names_have_a_form_that_can_be_checked_where_they_are_typed(void **state) {
    (void)state;
    static const char *const good[] = {"spiffe://test/a", "dns:a.test", "dns:*.a.test"};
    static const char *const bad[] = {"",
                                      "a.test",
                                      "dns:",
                                      "dns:A.test",
                                      "dns:a test",
                                      "DNS:a.test",
                                      "spiffe://test/",
                                      "uri:https://a.test",
                                      "spiffe://Test"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(tls_identity_has_form(bytes_of_text(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(tls_identity_has_form(bytes_of_text(bad[i])));
}

static bool parse_once(void *context) {
    const struct bytes *der = context;
    struct tls_identity *identity = NULL;
    enum status status = tls_identity_parse(*der, &identity);
    tls_identity_release(identity);
    return status == STATUS_OK;
}

static void without_memory_there_is_no_identity(void **state) {
    (void)state;
    static const struct certificate_name names[] = {DNS("a.test")};
    const struct certificate_options options = {.names = names, .name_count = 1};
    struct certificate certificate;
    certificate_make(&certificate, &options);
    struct bytes der = certificate_encode(&certificate);
    allocation_failure_try_each(parse_once, &der);
    OPENSSL_free((void *)der.data);
    certificate_fini(&certificate);
}

static void whoever_holds_it_keeps_it(void **state) {
    (void)state;
    static const struct certificate_name names[] = {DNS("a.test")};
    const struct certificate_options options = {.names = names, .name_count = 1};
    struct tls_identity *identity;
    assert_int_equal(parse(&options, &identity), STATUS_OK);
    assert_ptr_equal(tls_identity_hold(identity), identity);
    tls_identity_release(identity);
    assert_string_equal(identity->names[0], "dns:a.test");
    tls_identity_release(identity);
    assert_null(tls_identity_hold(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_with_the_spiffe_id_first_and_hosts_in_lower_case),
        cmocka_unit_test(what_could_be_understood_in_two_ways_is_refused),
        cmocka_unit_test(an_authority_s_certificate_has_no_spiffe_id),
        cmocka_unit_test(lengths_and_numbers_are_bounded),
        cmocka_unit_test(a_certificate_that_is_cut_or_followed_by_more_is_refused),
        cmocka_unit_test(names_have_a_form_that_can_be_checked_where_they_are_typed),
        cmocka_unit_test(without_memory_there_is_no_identity),
        cmocka_unit_test(whoever_holds_it_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
