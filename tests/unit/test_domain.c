// What is a pattern, what a page may present, and which matches which: tables of traps.
#include <stdio.h>
#include <string.h>

#include "common/access/domain.h"
#include "tests/unit/unit.h"

// As patterns; what is stored for OK.
static void a_pattern_is_read_as_typed_or_refused_with_its_reason(void **state) {
    (void)state;
    static const struct {
        struct bytes text;
        enum domain_parse_result result;
        const char *stored;
    } cases[] = {
        {BYTES_LITERAL("example.com"), DOMAIN_PARSE_OK, "example.com"},
        {BYTES_LITERAL("*.example.com"), DOMAIN_PARSE_OK, "*.example.com"},
        {BYTES_LITERAL("App.EXAMPLE.com"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("example.com."), DOMAIN_PARSE_OK, "example.com"},
        {BYTES_LITERAL("*.Example.com."), DOMAIN_PARSE_OK, "*.example.com"},
        {BYTES_LITERAL("localhost"), DOMAIN_PARSE_OK, "localhost"},
        {BYTES_LITERAL("a-b--c.example.com"), DOMAIN_PARSE_OK, "a-b--c.example.com"},
        {BYTES_LITERAL("r3---sn-x.example.com"), DOMAIN_PARSE_OK, "r3---sn-x.example.com"},
        {BYTES_LITERAL("1.2.3.example"), DOMAIN_PARSE_OK, "1.2.3.example"},
        {BYTES_LITERAL("com"), DOMAIN_PARSE_OK, "com"}, // a host may have that name; no wildcard
        // international
        {BYTES_LITERAL("b\xc3\xbc"
                       "cher.example"),
         DOMAIN_PARSE_OK, "xn--bcher-kva.example"},
        {BYTES_LITERAL("B\xc3\x9c"
                       "CHER.example"),
         DOMAIN_PARSE_OK, "xn--bcher-kva.example"},
        {BYTES_LITERAL("*.b\xc3\xbc"
                       "cher.example"),
         DOMAIN_PARSE_OK, "*.xn--bcher-kva.example"},
        {BYTES_LITERAL("XN--BCHER-KVA.example"), DOMAIN_PARSE_OK, "xn--bcher-kva.example"},
        {BYTES_LITERAL("stra\xc3\x9f"
                       "e.example"),
         DOMAIN_PARSE_OK, "xn--strae-oqa.example"}, // not "strasse": another domain
        {BYTES_LITERAL("xn--a.example"), DOMAIN_PARSE_INTERNATIONAL, NULL},
        {BYTES_LITERAL("xn--example.com"), DOMAIN_PARSE_INTERNATIONAL, NULL},
        {BYTES_LITERAL("xn--.com"), DOMAIN_PARSE_HYPHEN, NULL},
        {BYTES_LITERAL("b\xc3\xbc\xff.example"), DOMAIN_PARSE_INTERNATIONAL, NULL},
        {BYTES_LITERAL("\xe2\x98\x83\xe2\x80\x8b.example"), DOMAIN_PARSE_INTERNATIONAL, NULL},
        // what is no domain
        {BYTES_LITERAL(""), DOMAIN_PARSE_EMPTY, NULL},
        {BYTES_LITERAL("*."), DOMAIN_PARSE_EMPTY, NULL},
        {BYTES_LITERAL("."), DOMAIN_PARSE_EMPTY_LABEL, NULL},
        {BYTES_LITERAL(".example.com"), DOMAIN_PARSE_EMPTY_LABEL, NULL},
        {BYTES_LITERAL("example..com"), DOMAIN_PARSE_EMPTY_LABEL, NULL},
        {BYTES_LITERAL("example.com.."), DOMAIN_PARSE_EMPTY_LABEL, NULL},
        {BYTES_LITERAL("-example.com"), DOMAIN_PARSE_HYPHEN, NULL},
        {BYTES_LITERAL("example-.com"), DOMAIN_PARSE_HYPHEN, NULL},
        {BYTES_LITERAL("https://example.com"), DOMAIN_PARSE_SCHEME, NULL},
        {BYTES_LITERAL("example.com:443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("example.com/"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("example.com\\x"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("example.com?q"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("example.com#f"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("me@example.com"), DOMAIN_PARSE_USER, NULL},
        {BYTES_LITERAL("example%2ecom"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("exa mple.com"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL(" example.com"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("example.com\n"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("example.com\0.evil.net"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("b\xc3\xbc"
                       "cher\0.example"),
         DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("exam_ple.com"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("\x7f.example.com"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("192.0.2.1"), DOMAIN_PARSE_ADDRESS, NULL},
        {BYTES_LITERAL("1234"), DOMAIN_PARSE_ADDRESS, NULL},
        {BYTES_LITERAL("\xef\xbc\x91.\xef\xbc\x92"), DOMAIN_PARSE_ADDRESS, NULL}, // full-width 1.2
        {BYTES_LITERAL("[::1]"), DOMAIN_PARSE_ADDRESS, NULL},
        // wildcards
        {BYTES_LITERAL("*"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("*example.com"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("*.*.example.com"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("a.*.example.com"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("example.*"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("*.com"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.COM."), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.co.uk"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.github.io"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.xn--55qx5d.cn"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.\xe5\x85\xac\xe5\x8f\xb8.cn"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.nosuchtoplevel"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        // every name right under these is a public suffix itself
        {BYTES_LITERAL("*.ck"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.kawasaki.jp"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.shop.kawasaki.jp"), DOMAIN_PARSE_PUBLIC_SUFFIX, NULL},
        {BYTES_LITERAL("*.mine.shop.kawasaki.jp"), DOMAIN_PARSE_OK, "*.mine.shop.kawasaki.jp"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct domain_pattern pattern = {0}, before = pattern;
        enum domain_parse_result result = domain_pattern_parse(cases[i].text, &pattern);
        if (result != cases[i].result)
            fail_msg("%.*s: %s", BYTES_FORMAT(cases[i].text), domain_parse_result_get_text(result));
        if (result != DOMAIN_PARSE_OK) {
            assert_memory_equal(&pattern, &before, sizeof(pattern));
            continue;
        }
        char stored[DOMAIN_PATTERN_TEXT_MAX + 1];
        domain_pattern_format(&pattern, stored);
        assert_string_equal(stored, cases[i].stored);
    }
}

static void what_a_page_presents_is_its_host_or_its_origin(void **state) {
    (void)state;
    static const struct {
        struct bytes text;
        enum domain_parse_result result;
        const char *host;
    } cases[] = {
        {BYTES_LITERAL("app.example.com"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("https://app.example.com"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("http://app.example.com"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("https://app.example.com:443"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("http://app.example.com:80"), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("https://App.Example.Com."), DOMAIN_PARSE_OK, "app.example.com"},
        {BYTES_LITERAL("https://b\xc3\xbc"
                       "cher.example"),
         DOMAIN_PARSE_OK, "xn--bcher-kva.example"},
        {BYTES_LITERAL("null"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL(""), DOMAIN_PARSE_EMPTY, NULL},
        {BYTES_LITERAL("https://"), DOMAIN_PARSE_EMPTY, NULL},
        {BYTES_LITERAL("https://:443"), DOMAIN_PARSE_EMPTY, NULL},
        {BYTES_LITERAL("://app.example.com"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL("HTTPS://app.example.com"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL("ftp://app.example.com"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL("file://"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL("chrome-extension://abcdef"), DOMAIN_PARSE_ORIGIN, NULL},
        {BYTES_LITERAL("https://app.example.com:80"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("http://app.example.com:443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com:8443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com:0443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com:"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com:443:443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("app.example.com:443"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com/"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("https://evil.net\\@app.example.com"), DOMAIN_PARSE_PATH, NULL},
        {BYTES_LITERAL("https://evil.net@app.example.com"), DOMAIN_PARSE_USER, NULL},
        {BYTES_LITERAL("https://u:443@app.example.com"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://app.example.com%00.evil.net"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("https://app.example.com\0.evil.net"), DOMAIN_PARSE_CHARACTER, NULL},
        {BYTES_LITERAL("https://app.example.com https://evil.net"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://https://app.example.com"), DOMAIN_PARSE_PORT, NULL},
        {BYTES_LITERAL("https://*.example.com"), DOMAIN_PARSE_WILDCARD_PLACE, NULL},
        {BYTES_LITERAL("https://192.0.2.1"), DOMAIN_PARSE_ADDRESS, NULL},
        {BYTES_LITERAL("https://[::1]"), DOMAIN_PARSE_PORT, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct domain_name name = {0};
        enum domain_parse_result result = domain_parse_origin(cases[i].text, &name);
        if (result != cases[i].result)
            fail_msg("%.*s: %s", BYTES_FORMAT(cases[i].text), domain_parse_result_get_text(result));
        assert_string_equal(name.text, cases[i].host ? cases[i].host : "");
    }
}

static void a_pattern_matches_at_borders_of_labels_only(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *origin;
        bool matches;
    } cases[] = {
        {"example.com", "https://example.com", true},
        {"example.com", "https://app.example.com", false},
        {"example.com", "https://evilexample.com", false},
        {"example.com", "https://example.com.evil.net", false},
        {"example.com", "https://example.co", false},
        {"*.example.com", "https://app.example.com", true},
        {"*.example.com", "https://a.b.c.example.com", true},
        {"*.example.com", "https://example.com", false},
        {"*.example.com", "https://evilexample.com", false},
        {"*.example.com", "https://app.example.com.evil.net", false},
        {"*.example.com", "https://xexample.com", false},
        {"*.b\xc3\xbc\x63her.example", "https://app.xn--bcher-kva.example", true},
        {"b\xc3\xbc\x63her.example", "https://bucher.example", false},
        {"strasse.example", "https://stra\xc3\x9f\x65.example", false},
        {"paypal.com", "https://p\xd0\xb0ypal.com", false}, // a Cyrillic letter
        {"null", "null", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct domain_pattern pattern;
        struct domain_name name;
        assert_int_equal(domain_pattern_parse(bytes_of_text(cases[i].pattern), &pattern), DOMAIN_PARSE_OK);
        bool is_read = domain_parse_origin(bytes_of_text(cases[i].origin), &name) == DOMAIN_PARSE_OK;
        bool matches = is_read && domain_pattern_matches(&pattern, domain_name_get_bytes(&name));
        if (matches != cases[i].matches)
            fail_msg("%s and %s", cases[i].pattern, cases[i].origin);
    }
}

static void no_pattern_matches_nothing(void **state) {
    (void)state;
    struct domain_pattern none = {0};
    assert_false(domain_pattern_matches(&none, BYTES_EMPTY));
    assert_false(domain_pattern_matches(&none, BYTES_LITERAL("example.com")));
    none.is_wildcard = true;
    assert_false(domain_pattern_matches(&none, BYTES_LITERAL("example.com")));
    assert_false(domain_pattern_matches(&none, BYTES_LITERAL(".")));
}

// `labels` of 63 letters, then one of `last`.
static struct bytes make_long(char *to, unsigned labels, unsigned last) {
    char *at = to;
    for (unsigned i = 0; i < labels; i++) {
        memset(at, 'a', 63);
        at[63] = '.';
        at += 64;
    }
    memset(at, 'b', last);
    return bytes_of(to, (size_t)(at - to) + last);
}

static void lengths_are_those_of_dns(void **state) {
    (void)state;
    char text[400];
    struct domain_name name;
    struct domain_pattern pattern;
    assert_int_equal(domain_parse_origin(make_long(text, 3, 61), &name), DOMAIN_PARSE_OK);
    assert_int_equal(name.len, DOMAIN_NAME_MAX);
    assert_int_equal(domain_parse_origin(make_long(text, 3, 62), &name), DOMAIN_PARSE_TOO_LONG);
    assert_int_equal(domain_parse_origin(make_long(text, 0, 63), &name), DOMAIN_PARSE_OK);
    assert_int_equal(domain_parse_origin(make_long(text, 0, 64), &name), DOMAIN_PARSE_TOO_LONG);

    char wildcard[400] = "*.", stored[DOMAIN_PATTERN_TEXT_MAX + 1];
    struct bytes longest = make_long(wildcard + 2, 3, 61);
    assert_int_equal(domain_pattern_parse(bytes_of(wildcard, longest.len + 2), &pattern), DOMAIN_PARSE_OK);
    domain_pattern_format(&pattern, stored);
    assert_int_equal(strlen(stored), DOMAIN_PATTERN_TEXT_MAX);

    // Beyond ASCII, where the typed form is far longer than what it stands for, or the other way round.
    char umlauts[2000];
    for (size_t i = 0; i + 1 < sizeof(umlauts); i += 2)
        memcpy(umlauts + i, "\xc3\xbc", 2);
    assert_int_equal(domain_parse_origin(bytes_of(umlauts, 64), &name), DOMAIN_PARSE_OK);
    assert_int_equal(domain_parse_origin(bytes_of(umlauts, 400), &name), DOMAIN_PARSE_TOO_LONG);
    assert_int_equal(domain_parse_origin(bytes_of(umlauts, 2000), &name), DOMAIN_PARSE_TOO_LONG);
}

static void every_result_says_what_to_type(void **state) {
    (void)state;
    for (enum domain_parse_result result = 0; result < DOMAIN_PARSE_COUNT; result++)
        assert_true(strlen(domain_parse_result_get_text(result)) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_read_as_typed_or_refused_with_its_reason),
        cmocka_unit_test(what_a_page_presents_is_its_host_or_its_origin),
        cmocka_unit_test(a_pattern_matches_at_borders_of_labels_only),
        cmocka_unit_test(no_pattern_matches_nothing),
        cmocka_unit_test(lengths_are_those_of_dns),
        cmocka_unit_test(every_result_says_what_to_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
