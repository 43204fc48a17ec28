// Where somebody's request presents a token, and what is left when it is taken out.
#include "services/validator/gateway/presented_token.h"
#include "tests/unit/unit.h"

// 55 bytes with the right checksum are not needed: other systems' secrets are accepted here.
static const struct bearer_shape shape = {.brand = "lk", .accepts_foreign = true};

struct request {
    struct arena arena;
    struct metadata fields;
};

static struct request make(const char *const *pairs) {
    struct request request;
    arena_init(&request.arena, 0);
    metadata_init(&request.fields);
    for (; *pairs; pairs += 2)
        assert_int_equal(
            metadata_add(&request.fields, &request.arena, bytes_of_text(pairs[0]), bytes_of_text(pairs[1])),
            STATUS_OK);
    return request;
}

#define MAKE(...) make((const char *const[]){__VA_ARGS__, NULL})

static void assert_token(struct request request, const char *cookie, const char *expected) {
    struct bytes token = presented_token_find(&request.fields, cookie);
    assert_int_equal(token.len, strlen(expected));
    assert_memory_equal(token.data ? token.data : (const uint8_t *)"", expected, token.len);
    arena_fini(&request.arena);
}

static void a_header_field_goes_before_the_cookie(void **state) {
    (void)state;
    assert_token(MAKE("cookie", "a=b; s=c; s=d"), "s", "c");
    assert_token(MAKE("cookie", "a=b; s=c"), "", "");
    assert_token(MAKE("cookie", "a=b; s=c"), NULL, "");
    assert_token(MAKE("cookie", "xs=c; ss=d; s"), "s", "");
    assert_token(MAKE("cookie", "s=c", "cookie", "s=c"), "s", "");
    assert_token(MAKE("cookie", "s=c", "authorization", "Bearer a"), "s", "a");
    assert_token(MAKE("cookie", "s=c", "authorization", "Basic a"), "s", "");
    assert_token(MAKE("cookie", "s=c", "x-access-token", "x", "authorization", "Bearer a"), "s", "x");
}

static void a_cookie_is_named_as_http_names_things(void **state) {
    (void)state;
    const char *reason;
    for (const char *const *name = (const char *const[]){"", "s", "__Host-session", "a.b!", NULL}; *name;
         name++)
        assert_true(presented_token_accept_cookie(*name, &reason));
    for (const char *const *name =
             (const char *const[]){" ", "a b", "a=", "a;b", "a\"", "\x7f", "\xc3\xbc", NULL};
         *name; name++)
        assert_false(presented_token_accept_cookie(*name, &reason));
}

static void assert_in_authorization(struct request request, bool expected) {
    assert_int_equal(presented_token_is_in_authorization(&request.fields, &shape), expected);
    arena_fini(&request.arena);
}

static void whatever_may_be_a_token_in_authorization_is_seen(void **state) {
    (void)state;
    assert_in_authorization(MAKE("authorization", "Bearer abc"), true);
    assert_in_authorization(MAKE("authorization", "bEARER  abc"), true);
    assert_in_authorization(MAKE("authorization", "Basic abc", "authorization", "Bearer abc"), true);
    assert_in_authorization(MAKE("authorization", "Basic abc, Bearer abc"), true);
    assert_in_authorization(MAKE("authorization", "Basic abc,Bearer lka_short, Bearer abc"), true);
    assert_in_authorization(MAKE("x-access-token", "x", "authorization", "Bearer abc"), true);
    assert_in_authorization(MAKE("authorization", "Basic abc"), false);
    assert_in_authorization(MAKE("authorization", "Bearer lka_short"), false); // one of ours, and not whole
    assert_in_authorization(MAKE("authorization", ""), false);
    assert_in_authorization(MAKE("x-access-token", "x"), false);
}

static void assert_rest(struct request request, bool is_there, const char *expected) {
    bool was_there;
    struct bytes rest;
    assert_int_equal(presented_token_cut_cookie(&request.fields, "s", &request.arena, &was_there, &rest),
                     STATUS_OK);
    assert_int_equal(was_there, is_there);
    assert_int_equal(rest.len, strlen(expected));
    assert_memory_equal(rest.data, expected, rest.len);
    arena_fini(&request.arena);
}

static void the_cookie_is_cut_out_and_the_others_stay(void **state) {
    (void)state;
    assert_rest(MAKE("cookie", "s=c"), true, "");
    assert_rest(MAKE("cookie", "a=b;s=c;d=e=f"), true, "a=b; d=e=f");
    assert_rest(MAKE("cookie", "a=b; s=c; s=d;; x;"), true, "a=b; x");
    assert_rest(MAKE("cookie", "a=b", "cookie", " s=1", "cookie", "c=d"), true, "a=b; c=d");
    assert_rest(MAKE("cookie", "s"), true, "");
    assert_rest(MAKE("cookie", "a;b;c;d"), false, "a; b; c; d");
    assert_rest(MAKE("cookie", ";;"), false, "");
    assert_rest(MAKE("x", "s=c"), false, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_field_goes_before_the_cookie),
        cmocka_unit_test(a_cookie_is_named_as_http_names_things),
        cmocka_unit_test(whatever_may_be_a_token_in_authorization_is_seen),
        cmocka_unit_test(the_cookie_is_cut_out_and_the_others_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
