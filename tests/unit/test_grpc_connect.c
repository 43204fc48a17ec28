// Connect's own formats: the query of a GET, and a failure in JSON.
#include <string.h>

#include "common/grpc/connect_error.h"
#include "common/grpc/connect_get.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void a_message_is_found_in_its_query(void **state) {
    (void)state;
    static const struct {
        const char *query;
        enum content_type content_type;
        enum message_encoding encoding;
        const char *message;
    } vectors[] = {
        {"encoding=json&message=%7B%7D", CONTENT_TYPE_CONNECT_JSON, MESSAGE_ENCODING_IDENTITY, "{}"},
        {"message={}&connect=v1&encoding=json", CONTENT_TYPE_CONNECT_JSON, MESSAGE_ENCODING_IDENTITY, "{}"},
        {"encoding=proto&message=a+b%2B", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY, "a b+"},
        {"encoding=proto&message=", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY, ""},
        {"encoding=proto&message", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY, ""},
        {"encoding=proto&base64=1&message=-_8", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY,
         "\xfb\xff"},
        {"encoding=proto&base64=1&message=YQ%3D%3D", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY,
         "a"},
        {"encoding=proto&base64=0&message=YQ", CONTENT_TYPE_CONNECT_PROTO, MESSAGE_ENCODING_IDENTITY, "YQ"},
        {"encoding=json&message=1&compression=gzip", CONTENT_TYPE_CONNECT_JSON, MESSAGE_ENCODING_GZIP, "1"},
        {"encoding=json&message=1&compression=br", CONTENT_TYPE_CONNECT_JSON, MESSAGE_ENCODING_UNKNOWN, "1"},
        {"&&x=y&encoding=json&message=1&=", CONTENT_TYPE_CONNECT_JSON, MESSAGE_ENCODING_IDENTITY, "1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct connect_get get;
        assert_true(connect_get_parse(bytes_of_text(vectors[i].query), &arena, &get));
        assert_int_equal(get.content_type, vectors[i].content_type);
        assert_int_equal(get.encoding, vectors[i].encoding);
        assert_true(bytes_is_text(get.message, vectors[i].message));
        assert_non_null(get.message.data);
    }
}

static void any_other_query_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "encoding=json",
        "message=1",
        "encoding=xml&message=1",
        "encoding=JSON&message=1",
        "connect=v2&encoding=json&message=1",
        "encoding=json&base64=1&message=*",
        "encoding=json&base64=1&message=a",
        "encoding=json&message=1&message=2",
        "encoding=json&encoding=json&message=1",
        "encoding=json&message=1&base64=0&base64=",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct connect_get get;
        assert_false(connect_get_parse(bytes_of_text(bad[i]), &arena, &get));
    }
}

static void assert_told(const struct fault *fault, const char *expected) {
    struct status_details details;
    struct buffer text = {0};
    const struct protojson_options json = {0};
    status_details_encode(fault, &arena, &details);
    connect_error_append(&text, &details, &json);
    buffer_append_byte(&text, 0);
    assert_false(text.failed);
    assert_string_equal(text.data, expected);
    buffer_fini(&text);
}

static void a_failure_is_code_message_and_details(void **state) {
    (void)state;
    struct fault fault;
    fault_init(&fault, &arena);
    fault_set(&fault, STATUS_CANCELLED, "R", "line\n\"quoted\" ☺");
    assert_told(&fault, "{\"code\":\"canceled\",\"message\":\"line\\u000a\\\"quoted\\\" ☺\",\"details\":["
                        "{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"CgFSEgxsYXRjaGtleS5kZXY\"}]}");
}

static void text_that_is_not_utf8_is_left_out(void **state) {
    (void)state;
    struct fault fault;
    fault_init(&fault, &arena);
    fault_set(&fault, STATUS_NOT_FOUND, "R", "\xff");
    struct status_details details;
    struct buffer text = {0};
    const struct protojson_options json = {0};
    status_details_encode(&fault, &arena, &details);
    status_details_strip(&details);
    connect_error_append(&text, &details, &json);
    assert_true(bytes_is_text(buffer_get_bytes(&text), "{\"code\":\"not_found\"}"));
    buffer_fini(&text);
}

static void every_code_has_an_http_status(void **state) {
    (void)state;
    for (unsigned code = 0; code < GRPC_CODE_COUNT; code++) {
        struct bytes status = connect_error_get_http_status((enum grpc_code)code);
        assert_int_equal(status.len, 3);
        assert_true(code == 0 ? status.data[0] == '2' : status.data[0] == '4' || status.data[0] == '5');
    }
    assert_true(bytes_is_text(connect_error_get_http_status(GRPC_CODE_UNAUTHENTICATED), "401"));
    assert_true(bytes_is_text(connect_error_get_http_status(GRPC_CODE_RESOURCE_EXHAUSTED), "429"));
    assert_true(bytes_is_text(connect_error_get_http_status(GRPC_CODE_UNAVAILABLE), "503"));
}

static bool take_a_get(void *context) {
    (void)context;
    struct arena own;
    struct connect_get get;
    arena_init(&own, 0);
    bool is_good = connect_get_parse(BYTES_LITERAL("encoding=json&base64=1&message=%41%41"), &own, &get);
    arena_fini(&own);
    return is_good;
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(take_a_get, NULL) >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_found_in_its_query, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_other_query_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_code_message_and_details, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_that_is_not_utf8_is_left_out, set_up, tear_down),
        cmocka_unit_test(every_code_has_an_http_status),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
