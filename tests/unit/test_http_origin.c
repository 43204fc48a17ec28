// Which pages may ask.
#include "common/app/http_origin.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int open_arena(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int close_arena(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct http_request request_from(const char *origin) {
    struct http_request request = {.arena = &arena, .method = "OPTIONS"};
    metadata_init(&request.fields);
    if (origin)
        (void)!metadata_add(&request.fields, &arena, BYTES_LITERAL("origin"), bytes_of_text(origin));
    return request;
}

static void lists_of_origins_are_taken_and_others_are_told_what_to_type(void **state) {
    (void)state;
    static const char *const good[] = {"", "*", "https://a.example",
                                       "http://localhost:3000,https://[::1]:8443",
                                       " https://a.example , http://b.example "};
    static const char *const bad[] = {"a.example",           "https://",
                                      "https://a.example/",  "https://A.example",
                                      "https://*.a.example", "ftp://a.example",
                                      "*,https://a.example", "https://a.example,",
                                      "https://u@a.example", "null",
                                      "https://a b"};
    const char *reason = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        if (!http_origin_accept(good[i], &reason))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (http_origin_accept(bad[i], &reason))
            fail_msg("%s", bad[i]);
    assert_non_null(reason);
}

static void an_origin_is_compared_as_a_whole(void **state) {
    (void)state;
    const char *list = "https://a.example, http://localhost:3000";
    const struct {
        const char *origin;
        bool is_allowed;
    } cases[] = {
        {NULL, true},
        {"https://a.example", true},
        {"http://localhost:3000", true},
        {"http://a.example", false},
        {"https://a.example:8443", false},
        {"https://a.example.evil.test", false},
        {"https://A.EXAMPLE", false},
        {"http://localhost", false},
        {"null", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_request request = request_from(cases[i].origin);
        if (http_origin_is_allowed(list, &request) != cases[i].is_allowed)
            fail_msg("%s", cases[i].origin);
        assert_true(http_origin_is_allowed("*", &request));
        assert_int_equal(http_origin_is_allowed("", &request), cases[i].origin == NULL);
    }
}

static void two_origins_are_none_that_may_ask(void **state) {
    (void)state;
    struct http_request request = request_from("https://a.example");
    assert_int_equal(
        metadata_add(&request.fields, &arena, BYTES_LITERAL("origin"), BYTES_LITERAL("https://a.example")),
        STATUS_OK);
    assert_false(http_origin_is_allowed("https://a.example", &request));
}

static void a_page_s_picture_or_link_has_no_origin_and_may_not_ask_either(void **state) {
    (void)state;
    static const struct {
        const char *site;
        bool is_allowed;
    } cases[] = {
        {"none", true}, {"same-origin", true}, {"same-site", false}, {"cross-site", false}, {"", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_request request = request_from(NULL);
        metadata_init(&request.fields);
        assert_int_equal(metadata_add(&request.fields, &arena, BYTES_LITERAL("sec-fetch-site"),
                                      bytes_of_text(cases[i].site)),
                         STATUS_OK);
        assert_int_equal(http_origin_is_allowed("https://a.example", &request), cases[i].is_allowed);
        assert_true(http_origin_is_allowed("*", &request));
    }
}

static void answers_name_the_page_that_may_read_them(void **state) {
    (void)state;
    struct http_request request = request_from("https://a.example");
    struct http_answer answer = {0};
    metadata_init(&answer.fields);
    http_origin_add("https://b.example", &request, &answer);
    assert_null(metadata_find(answer.fields.first, BYTES_LITERAL("access-control-allow-origin")));
    assert_non_null(metadata_find(answer.fields.first, BYTES_LITERAL("vary")));
    http_origin_add("https://a.example", &request, &answer);
    const struct metadata_field *field =
        metadata_find(answer.fields.first, BYTES_LITERAL("access-control-allow-origin"));
    assert_true(field && bytes_is_text(field->value, "https://a.example"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_origins_are_taken_and_others_are_told_what_to_type),
        cmocka_unit_test(an_origin_is_compared_as_a_whole),
        cmocka_unit_test(two_origins_are_none_that_may_ask),
        cmocka_unit_test(a_page_s_picture_or_link_has_no_origin_and_may_not_ask_either),
        cmocka_unit_test(answers_name_the_page_that_may_read_them),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
