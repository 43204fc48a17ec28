#include "tests/unit/answer_transcript.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/compiler.h"

enum { HEAD_BYTES = 9, STREAMS_MAX = 1024 };

struct frame {
    uint8_t type, flags;
    uint32_t stream_id;
    struct bytes payload;
};

struct stream_text {
    uint32_t id;
    struct buffer text;
};

struct reading {
    nghttp2_hd_inflater *inflater;
    struct stream_text streams[STREAMS_MAX];
    size_t count;
};

static struct buffer *find_text(struct reading *reading, uint32_t id) {
    size_t i = 0;
    while (i < reading->count && reading->streams[i].id != id)
        i++;
    assert(i < STREAMS_MAX);
    if (i == reading->count)
        reading->streams[reading->count++] = (struct stream_text){.id = id};
    return &reading->streams[i].text;
}

static int compare_ids(const void *a, const void *b) {
    const struct stream_text *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static uint32_t read_number(const uint8_t *at, size_t len) {
    uint32_t number = 0;
    for (size_t i = 0; i < len; i++)
        number = number << 8 | at[i];
    return number;
}

static struct frame take_frame(struct bytes *said) {
    assert(said->len >= HEAD_BYTES);
    size_t len = read_number(said->data, 3);
    assert(said->len - HEAD_BYTES >= len);
    struct frame frame = {said->data[3], said->data[4], read_number(said->data + 5, 4) & INT32_MAX,
                          bytes_of(said->data + HEAD_BYTES, len)};
    *said = bytes_of(frame.payload.data + len, said->len - HEAD_BYTES - len);
    return frame;
}

static void append_number(struct buffer *to, const char *what, uint32_t number) {
    char text[64];
    snprintf(text, sizeof(text), "\n%s %u\n", what, (unsigned)number);
    buffer_append_text(to, text);
}

static void read_block(struct reading *reading, const struct frame *frame, struct buffer *stream) {
    struct bytes left = frame->payload;
    int flags = 0;
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv field;
        ssize_t read = nghttp2_hd_inflate_hd2(reading->inflater, &field, &flags, left.data, left.len, 1);
        assert(read >= 0);
        left = bytes_of(left.data + read, left.len - (size_t)read);
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
            continue;
        buffer_append(stream, bytes_of(field.name, field.namelen));
        buffer_append_text(stream, ": ");
        buffer_append(stream, bytes_of(field.value, field.valuelen));
        buffer_append_text(stream, "\n");
    }
    nghttp2_hd_inflate_end_headers(reading->inflater);
}

static void read_frame(struct reading *reading, const struct frame *frame) {
    struct buffer *stream = find_text(reading, frame->stream_id);
    bool is_of_answer = frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_DATA;
    assert(frame->type != NGHTTP2_CONTINUATION);
    if (frame->type == NGHTTP2_HEADERS)
        read_block(reading, frame, stream);
    else if (frame->type == NGHTTP2_DATA)
        buffer_append(stream, frame->payload);
    else if (frame->type == NGHTTP2_RST_STREAM)
        append_number(stream, "reset", read_number(frame->payload.data, 4));
    else if (frame->type == NGHTTP2_GOAWAY)
        append_number(stream, "goaway", read_number(frame->payload.data + 4, 4));
    if (is_of_answer && frame->flags & NGHTTP2_FLAG_END_STREAM)
        append_number(stream, "end", 0);
}

static void write_texts(struct reading *reading, struct buffer *to) {
    qsort(reading->streams, reading->count, sizeof(*reading->streams), compare_ids);
    for (size_t i = 0; i < reading->count; i++) {
        struct stream_text *stream = &reading->streams[i];
        if (stream->text.len > 0) {
            append_number(to, "stream", stream->id);
            buffer_append(to, buffer_get_bytes(&stream->text));
        }
        buffer_fini(&stream->text);
    }
}

void answer_transcript_write(struct bytes said, struct buffer *to) {
    struct reading *reading = calloc(1, sizeof(*reading));
    int failure = nghttp2_hd_inflate_new(&reading->inflater);
    assert(failure == 0);
    while (said.len > 0) {
        struct frame frame = take_frame(&said);
        read_frame(reading, &frame);
    }
    write_texts(reading, to);
    nghttp2_hd_inflate_del(reading->inflater);
    free(reading);
}
