// Header fields: what is kept, in which order, what is counted, and what the protocol keeps for itself.
#include <string.h>

#include "common/grpc/metadata.h"
#include "common/grpc/request_head.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct request_head head;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    request_head_init(&head);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void add(const char *name, const char *value) {
    request_head_add(&head, &arena, bytes_of_text(name), bytes_of_text(value));
}

static void fields_keep_their_order_and_repeats(void **state) {
    (void)state;
    add("a", "1");
    add("b", "2");
    add("a", "3");
    add("empty", "");
    const struct metadata_field *first = metadata_find(head.metadata.first, BYTES_LITERAL("a"));
    assert_string_equal(first->value.data, "1");
    const struct metadata_field *second = metadata_find(first->next, BYTES_LITERAL("a"));
    assert_string_equal(second->value.data, "3");
    assert_null(metadata_find(second->next, BYTES_LITERAL("a")));
    assert_int_equal(metadata_find(head.metadata.first, BYTES_LITERAL("empty"))->value.len, 0);
    assert_null(metadata_find(head.metadata.first, BYTES_LITERAL("c")));
    assert_int_equal(head.metadata.count, 4);
}

static void what_the_protocol_reads_is_no_metadata(void **state) {
    (void)state;
    add(":method", "POST");
    add(":scheme", "http");
    add(":path", "/a.B/C");
    add(":authority", "host");
    add("te", "trailers");
    add("content-type", "application/grpc+proto");
    add("content-length", "5");
    add("grpc-timeout", "1S");
    add("grpc-encoding", "identity");
    add("grpc-accept-encoding", "gzip");
    add("grpc-anything-else", "x");
    add("content-encoding", "gzip");
    add("accept-encoding", "br");
    add("connect-protocol-version", "1");
    add("connect-timeout-ms", "250");
    add("connect-content-encoding", "br");
    add("connect-accept-encoding", "gzip");
    assert_int_equal(head.metadata.count, 0);
    assert_int_equal(head.verb, VERB_POST);
    assert_true(bytes_is_text(head.path, "/a.B/C"));
    assert_int_equal(head.content_type, CONTENT_TYPE_GRPC_PROTO);
    assert_int_equal(head.timeouts[FAMILY_GRPC].field, TIMEOUT_FIELD_VALID);
    assert_int_equal(head.timeouts[FAMILY_GRPC].ns, 1000000000);
    assert_int_equal(head.timeouts[FAMILY_CONNECT].ns, 250000000);
    assert_int_equal(head.encodings[FAMILY_GRPC].encoding, MESSAGE_ENCODING_IDENTITY);
    assert_int_equal(head.encodings[FAMILY_HTTP].encoding, MESSAGE_ENCODING_GZIP);
    assert_int_equal(head.encodings[FAMILY_CONNECT].encoding, MESSAGE_ENCODING_UNKNOWN);
    assert_true(head.encodings[FAMILY_GRPC].accepts_gzip);
    assert_false(head.encodings[FAMILY_HTTP].accepts_gzip);
    assert_true(head.encodings[FAMILY_CONNECT].accepts_gzip);
    assert_false(head.is_version_unknown);
}

static void verbs_and_versions_are_known_or_not(void **state) {
    (void)state;
    add(":method", "GET");
    assert_int_equal(head.verb, VERB_GET);
    request_head_init(&head);
    add(":method", "post");
    add("connect-protocol-version", "2");
    assert_int_equal(head.verb, VERB_OTHER);
    assert_true(head.is_version_unknown);
}

static void gzip_is_found_in_a_list_unless_its_weight_is_zero(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool accepts;
    } vectors[] = {
        {"gzip", true},   {"identity,gzip", true}, {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {" gzip ", true}, {"gzip;q=0.001", true},  {"gzip; q=1", true},
        {"", false},      {"identity", false},     {"xgzip", false},
        {"gzipx", false}, {"gzip;q=0", false},     {"gzip; q=0.000", false},
        {",,;,", false},  {"deflate,br", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        request_head_init(&head);
        add("accept-encoding", vectors[i].list);
        assert_int_equal(head.encodings[FAMILY_HTTP].accepts_gzip, vectors[i].accepts);
    }
}

static void names_of_the_same_length_are_not_confused(void **state) {
    (void)state;
    add("xx", "1");
    add("x-foo", "2");
    add("x-metho", "3");
    add("content-text", "4");
    add("x-grpc-encode", "5");
    add("content-lengte", "6");
    add("accept-encodinx", "7");
    add("content-encodinx", "8");
    add("connect-timeout-mx", "9");
    add("xrpc-accept-encoding", "10");
    add("connect-accept-encodinx", "11");
    add("connect-content-encodinx", "12");
    assert_int_equal(head.metadata.count, 12);
    assert_null(head.path.data);
}

static void content_types_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum content_type type;
    } vectors[] = {
        {"application/grpc", CONTENT_TYPE_GRPC},
        {"APPLICATION/gRPC", CONTENT_TYPE_GRPC},
        {"application/grpc;charset=utf-8", CONTENT_TYPE_GRPC},
        {"application/grpc ; x", CONTENT_TYPE_GRPC},
        {"application/grpc+proto", CONTENT_TYPE_GRPC_PROTO},
        {"application/grpc+proto;x=y", CONTENT_TYPE_GRPC_PROTO},
        {"application/grpc+json", CONTENT_TYPE_GRPC_JSON},
        {"application/grpc+foo", CONTENT_TYPE_GRPC_UNKNOWN},
        {"application/grpc+", CONTENT_TYPE_GRPC_UNKNOWN},
        {"application/grpcfoo", CONTENT_TYPE_FOREIGN},
        {"application/grpc-web", CONTENT_TYPE_GRPC_WEB},
        {"application/grpc-web+proto", CONTENT_TYPE_GRPC_WEB_PROTO},
        {"application/grpc-web+json;x", CONTENT_TYPE_GRPC_WEB_JSON},
        {"application/grpc-web+thrift", CONTENT_TYPE_GRPC_WEB_UNKNOWN},
        {"application/grpc-web-text", CONTENT_TYPE_FOREIGN},
        {"application/grp", CONTENT_TYPE_FOREIGN},
        {"application/json", CONTENT_TYPE_CONNECT_JSON},
        {"Application/JSON; charset=utf-8", CONTENT_TYPE_CONNECT_JSON},
        {"application/proto", CONTENT_TYPE_CONNECT_PROTO},
        {"application/jsonx", CONTENT_TYPE_FOREIGN},
        {"application/connect+json", CONTENT_TYPE_CONNECT_STREAM_JSON},
        {"application/connect+proto", CONTENT_TYPE_CONNECT_STREAM_PROTO},
        {"application/connect+foo", CONTENT_TYPE_FOREIGN},
        {"application/", CONTENT_TYPE_FOREIGN},
        {"", CONTENT_TYPE_FOREIGN},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        request_head_init(&head);
        add("content-type", vectors[i].text);
        assert_int_equal(head.content_type, vectors[i].type);
    }
}

static void a_second_timeout_is_as_bad_as_a_malformed_one(void **state) {
    (void)state;
    add("grpc-timeout", "1S");
    add("grpc-timeout", "2S");
    assert_int_equal(head.timeouts[FAMILY_GRPC].field, TIMEOUT_FIELD_INVALID);
    request_head_init(&head);
    add("grpc-timeout", "1 S");
    assert_int_equal(head.timeouts[FAMILY_GRPC].field, TIMEOUT_FIELD_INVALID);
}

static void an_encoding_that_is_not_known_is_told(void **state) {
    (void)state;
    add("grpc-encoding", "snappy");
    assert_int_equal(head.encodings[FAMILY_GRPC].encoding, MESSAGE_ENCODING_UNKNOWN);
}

static void the_size_is_counted_as_http2_counts_it(void **state) {
    (void)state;
    char value[REQUEST_HEAD_BYTES_MAX];
    size_t len = REQUEST_HEAD_BYTES_MAX - METADATA_FIELD_OVERHEAD - 1;
    memset(value, 'x', sizeof(value));
    request_head_add(&head, &arena, BYTES_LITERAL("a"), bytes_of(value, len));
    assert_int_equal(head.size_bytes, REQUEST_HEAD_BYTES_MAX);
    assert_false(head.is_too_large);
    request_head_init(&head);
    request_head_add(&head, &arena, BYTES_LITERAL("a"), bytes_of(value, len + 1));
    assert_true(head.is_too_large);
    assert_int_equal(head.metadata.count, 0);
}

static void more_fields_than_the_limit_are_not_kept(void **state) {
    (void)state;
    for (unsigned i = 0; i < REQUEST_HEAD_FIELDS_MAX; i++)
        add("a", "1");
    assert_false(head.is_too_large);
    add("a", "1");
    assert_true(head.is_too_large);
    assert_int_equal(head.metadata.count, REQUEST_HEAD_FIELDS_MAX);
    // What decides how to answer is read all the same.
    add("content-type", "application/grpc");
    assert_int_equal(head.content_type, CONTENT_TYPE_GRPC);
}

static void an_arena_without_room_counts_as_too_large(void **state) {
    (void)state;
    struct arena small;
    arena_init(&small, 32);
    request_head_add(&head, &small, BYTES_LITERAL("name"), BYTES_LITERAL("value"));
    assert_true(head.is_too_large);
    arena_fini(&small);
}

static void only_plain_lower_case_names_may_be_sent(void **state) {
    (void)state;
    static const char *const good[] = {"a", "x-request-id", "a.b_c-1", "data-bin"};
    static const char *const bad[] = {
        "",     "A",        "x y",  ":path",      "grpc-status",       "te",
        "host", "upgrade",  "a\n",  "connection", "transfer-encoding", "content-type",
        "é",    "grpc-foo", "a\xff"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(metadata_name_is_sendable(bytes_of_text(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(metadata_name_is_sendable(bytes_of_text(bad[i])));
}

static void only_printable_ascii_values_may_be_sent(void **state) {
    (void)state;
    assert_true(metadata_value_is_sendable(BYTES_LITERAL("")));
    assert_true(metadata_value_is_sendable(BYTES_LITERAL("a b ~!")));
    static const char *const bad[] = {" a", "a ", "a\r\nb: c", "a\tb", "é", "\x7f"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(metadata_value_is_sendable(bytes_of_text(bad[i])));
    assert_false(metadata_value_is_sendable(BYTES_LITERAL("a\0b")));
}

static void binary_names_end_in_bin(void **state) {
    (void)state;
    assert_true(metadata_name_is_binary(BYTES_LITERAL("x-bin")));
    assert_false(metadata_name_is_binary(BYTES_LITERAL("-bin")));
    assert_false(metadata_name_is_binary(BYTES_LITERAL("x-bins")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fields_keep_their_order_and_repeats),
        TEST(what_the_protocol_reads_is_no_metadata),
        TEST(names_of_the_same_length_are_not_confused),
        TEST(content_types_are_told_apart),
        TEST(a_second_timeout_is_as_bad_as_a_malformed_one),
        TEST(an_encoding_that_is_not_known_is_told),
        TEST(the_size_is_counted_as_http2_counts_it),
        TEST(more_fields_than_the_limit_are_not_kept),
        TEST(verbs_and_versions_are_known_or_not),
        TEST(gzip_is_found_in_a_list_unless_its_weight_is_zero),
        TEST(an_arena_without_room_counts_as_too_large),
        TEST(only_plain_lower_case_names_may_be_sent),
        TEST(only_printable_ascii_values_may_be_sent),
        TEST(binary_names_end_in_bin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
