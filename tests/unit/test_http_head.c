// The head of a request: where it goes, what its fields may hold, and where its body ends.
#include <string.h>

#include "common/app/http_head.h"
#include "common/grpc/request_head.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static void begin(struct http_request *request, struct arena *arena) {
    arena_init(arena, 0);
    *request = (struct http_request){.arena = arena};
    metadata_init(&request->fields);
}

static void path_and_query_are_kept_as_they_were_sent(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"/check", "/check", ""},
        {"/check?a=b", "/check", "a=b"},
        {"/check?a?b", "/check", "a?b"},
        {"/%63heck?", "/%63heck", ""},
        {"//check", "//check", ""},
        {"*", "*", ""},
        {"", "", ""},
        {"http://host:80/check?a=b", "/check", "a=b"},
        {"http://host", "/", ""},
        {"http://", "/", ""},
        {"http:///x", "/x", ""},
        {"https://host/check", "https://host/check", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_request request = {0};
        http_head_set_uri(&request, bytes_of_text(cases[i][0]));
        if (!bytes_is_text(request.path, cases[i][1]) || !bytes_is_text(request.query, cases[i][2]))
            fail_msg("%s", cases[i][0]);
    }
}

static void names_are_lower_case_and_values_bare(void **state) {
    (void)state;
    struct arena arena;
    struct http_request request;
    begin(&request, &arena);
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("X-Access-Token"), BYTES_LITERAL(" \ta B\t ")),
                     HTTP_HEAD_GOOD);
    assert_true(bytes_is_text(http_request_find_only(&request, "x-access-token"), "a B"));
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("x-access-token"), BYTES_LITERAL("")),
                     HTTP_HEAD_GOOD);
    assert_null(http_request_find_only(&request, "x-access-token").data);
    arena_fini(&arena);
}

static void control_characters_are_bad_in_a_value(void **state) {
    (void)state;
    struct arena arena;
    struct http_request request;
    begin(&request, &arena);
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b'};
        bool is_bad = (byte < ' ' && byte != '\t') || byte == 0x7f;
        arena_reset(&arena);
        metadata_init(&request.fields);
        assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), bytes_of(text, sizeof(text))),
                         is_bad ? HTTP_HEAD_BAD : HTTP_HEAD_GOOD);
    }
    arena_fini(&arena);
}

// RFC 9110, 5.6.2.
static void a_name_is_a_token(void **state) {
    (void)state;
    static const char allowed[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct arena arena;
    struct http_request request;
    begin(&request, &arena);
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = {'a', (char)byte};
        bool is_good = byte > 0 && strchr(allowed, (int)byte);
        arena_reset(&arena);
        metadata_init(&request.fields);
        assert_int_equal(http_head_add(&request, bytes_of(text, sizeof(text)), BYTES_LITERAL("x")),
                         is_good ? HTTP_HEAD_GOOD : HTTP_HEAD_BAD);
    }
    assert_int_equal(http_head_add(&request, BYTES_EMPTY, BYTES_LITERAL("x")), HTTP_HEAD_BAD);
    arena_fini(&arena);
}

static void a_head_is_bounded_like_one_of_http_2(void **state) {
    (void)state;
    struct arena arena;
    struct http_request request;
    static char long_value[REQUEST_HEAD_BYTES_MAX];
    memset(long_value, 'a', sizeof(long_value));
    size_t fits = sizeof(long_value) - METADATA_FIELD_OVERHEAD - 1;

    begin(&request, &arena);
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), bytes_of(long_value, fits + 1)),
                     HTTP_HEAD_TOO_LARGE);
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), bytes_of(long_value, fits)), HTTP_HEAD_GOOD);
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), BYTES_EMPTY), HTTP_HEAD_TOO_LARGE);
    arena_fini(&arena);

    begin(&request, &arena);
    for (size_t i = 0; i < REQUEST_HEAD_FIELDS_MAX; i++)
        assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), BYTES_LITERAL("y")), HTTP_HEAD_GOOD);
    assert_int_equal(http_head_add(&request, BYTES_LITERAL("x"), BYTES_LITERAL("y")), HTTP_HEAD_TOO_LARGE);
    arena_fini(&arena);
}

static void there_is_one_end_of_a_body_or_no_request(void **state) {
    (void)state;
    const struct {
        const char *fields[4]; // name, value, name, value
        bool is_clear;
        uint64_t length;
    } cases[] = {
        {{0}, true, 0},
        {{"content-length", "0"}, true, 0},
        {{"Content-Length", "12"}, true, 12},
        {{"content-length", "9223372036854775807"}, true, INT64_MAX},
        {{"transfer-encoding", "chunked"}, true, 0},
        {{"transfer-encoding", "Chunked"}, true, 0},
        {{"content-length", "9223372036854775808"}, false, 0},
        {{"content-length", ""}, false, 0},
        {{"content-length", "+1"}, false, 0},
        {{"content-length", "-1"}, false, 0},
        {{"content-length", "01"}, false, 0},
        {{"content-length", "0x1"}, false, 0},
        {{"content-length", "1, 1"}, false, 0},
        {{"content-length", "1", "content-length", "1"}, false, 0},
        {{"content-length", "1", "transfer-encoding", "chunked"}, false, 1},
        {{"transfer-encoding", "chunked", "content-length", "1"}, false, 1},
        {{"transfer-encoding", "identity"}, false, 0},
        {{"transfer-encoding", "gzip, chunked"}, false, 0},
        {{"transfer-encoding", "xchunked"}, false, 0},
        {{"transfer-encoding", ""}, false, 0},
        {{"transfer-encoding", "chunked", "transfer-encoding", "chunked"}, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct arena arena;
        struct http_request request;
        begin(&request, &arena);
        for (size_t j = 0; j < 4 && cases[i].fields[j]; j += 2)
            assert_int_equal(http_head_add(&request, bytes_of_text(cases[i].fields[j]),
                                           bytes_of_text(cases[i].fields[j + 1])),
                             HTTP_HEAD_GOOD);
        if (http_head_is_framing_clear(&request) != cases[i].is_clear ||
            http_head_get_length(&request) != cases[i].length)
            fail_msg("case %zu", i);
        arena_fini(&arena);
    }
}

static bool add(void *context) {
    (void)context;
    struct arena arena;
    struct http_request request;
    begin(&request, &arena);
    bool is_added = http_head_add(&request, BYTES_LITERAL("X"), BYTES_LITERAL("y")) == HTTP_HEAD_GOOD;
    arena_fini(&arena);
    return is_added;
}

static void without_memory_a_head_is_too_large(void **state) {
    (void)state;
    allocation_failure_try_each(add, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_and_query_are_kept_as_they_were_sent),
        cmocka_unit_test(names_are_lower_case_and_values_bare),
        cmocka_unit_test(control_characters_are_bad_in_a_value),
        cmocka_unit_test(a_name_is_a_token),
        cmocka_unit_test(a_head_is_bounded_like_one_of_http_2),
        cmocka_unit_test(there_is_one_end_of_a_body_or_no_request),
        cmocka_unit_test(without_memory_a_head_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
