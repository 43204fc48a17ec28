// Frames that are written past nghttp2 are what its own decoder reads.
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "common/grpc/content_type.h"
#include "common/grpc/http2_frame.h"
#include "tests/unit/unit.h"

enum { STREAM_ID = 0x01020304, ROOM = 256 };

static void check_head(const uint8_t *frame, uint8_t flags, size_t len) {
    const uint8_t head[] = {0, 0, (uint8_t)len, NGHTTP2_HEADERS, flags, 1, 2, 3, 4};
    assert_memory_equal(frame, head, sizeof(head));
}

// `fields`: "name: value\n", each.
static void check_block(struct bytes block, const char *fields) {
    nghttp2_hd_inflater *inflater;
    char text[ROOM] = "";
    int flags = 0;
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv field;
        ssize_t read = nghttp2_hd_inflate_hd2(inflater, &field, &flags, block.data, block.len, 1);
        assert_true(read >= 0);
        block = bytes_of(block.data + read, block.len - (size_t)read);
        size_t len = strlen(text);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            snprintf(text + len, sizeof(text) - len, "%s: %s\n", field.name, field.value);
    }
    assert_string_equal(text, fields);
    assert_int_equal(nghttp2_hd_inflate_get_dynamic_table_size(inflater), 0);
    nghttp2_hd_inflate_del(inflater);
}

static void an_answer_begins_with_its_status_and_content_type(void **state) {
    (void)state;
    static const char *const types[] = {
#define TEXT(name, text, protocol, codec) text,
        CONTENT_TYPE_TABLE(TEXT)
#undef TEXT
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        uint8_t frame[ROOM];
        char fields[ROOM];
        struct bytes type = bytes_of_text(types[i]);
        size_t size = http2_frame_measure_begin(type);
        assert_ptr_equal(http2_frame_write_begin(frame, STREAM_ID, type), frame + size);
        check_head(frame, NGHTTP2_FLAG_END_HEADERS, size - HTTP2_FRAME_HEAD_BYTES);
        snprintf(fields, sizeof(fields), ":status: 200\ncontent-type: %s\n", types[i]);
        check_block(bytes_of(frame + HTTP2_FRAME_HEAD_BYTES, size - HTTP2_FRAME_HEAD_BYTES), fields);
    }
}

static void an_answer_ends_with_its_grpc_status(void **state) {
    (void)state;
    uint8_t frame[ROOM];
    assert_ptr_equal(http2_frame_write_ok(frame, STREAM_ID), frame + HTTP2_FRAME_OK_BYTES);
    check_head(frame, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
               HTTP2_FRAME_OK_BYTES - HTTP2_FRAME_HEAD_BYTES);
    check_block(bytes_of(frame + HTTP2_FRAME_HEAD_BYTES, HTTP2_FRAME_OK_BYTES - HTTP2_FRAME_HEAD_BYTES),
                "grpc-status: 0\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_begins_with_its_status_and_content_type),
        cmocka_unit_test(an_answer_ends_with_its_grpc_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
