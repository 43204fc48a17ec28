// Any header blocks to two sessions, the nghttp2 that is linked, with our patches (cmake/nghttp2), and the
// distribution's own library, which judges and decodes each field each time: what they report and what they
// say must be the same after every piece. Blocks go to one connection, so that entries of its table are
// referred to, evicted and replaced.
//
// Input: blocks, each a byte of options (1: in a frame of 16 bytes and CONTINUATION; 2: arrives in two
// pieces; 4: as trailers of the request before it; 8: its stream ends), a byte of length, and so many bytes.
#include <assert.h>
#include <dlfcn.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_CONTINUED = 1, OPTION_SPLIT = 2, OPTION_TRAILERS = 4, OPTION_LAST = 8 };
enum { FIRST_FRAME_MAX = 16 };

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

// What is asked of a library, of both by the same names.
#define FUNCTIONS(X)                                                \
    X(nghttp2_session_callbacks_new)                                \
    X(nghttp2_session_callbacks_del)                                \
    X(nghttp2_session_callbacks_set_on_begin_headers_callback)      \
    X(nghttp2_session_callbacks_set_on_header_callback)             \
    X(nghttp2_session_callbacks_set_on_invalid_header_callback)     \
    X(nghttp2_session_callbacks_set_on_frame_recv_callback)         \
    X(nghttp2_session_callbacks_set_on_invalid_frame_recv_callback) \
    X(nghttp2_session_callbacks_set_on_stream_close_callback)       \
    X(nghttp2_session_server_new)                                   \
    X(nghttp2_session_del)                                          \
    X(nghttp2_session_mem_recv)                                     \
    X(nghttp2_session_mem_send)                                     \
    X(nghttp2_submit_settings)

struct library {
#define MEMBER(name) __typeof__(&name) name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

static const struct library linked = {
#define MEMBER(name) .name = name,
    FUNCTIONS(MEMBER)
#undef MEMBER
};

static const struct library *load_oracle(void) {
    static struct library oracle;
    if (oracle.nghttp2_session_del)
        return &oracle;
    void *handle = dlopen("libnghttp2.so.14", RTLD_NOW | RTLD_LOCAL);
    assert(handle);
#define MEMBER(name)                                                  \
    oracle.name = (__typeof__(&name))(uintptr_t)dlsym(handle, #name); \
    assert(oracle.name);
    FUNCTIONS(MEMBER)
#undef MEMBER
    return &oracle;
}

// ---- one of the two ----

struct side {
    const struct library *library;
    nghttp2_session *session;
    struct buffer report; // what it has said since the last comparison, in words and in frames
};

static void report(struct side *side, const char *what, int32_t stream_id, uint32_t number) {
    char text[64];
    snprintf(text, sizeof(text), "\n%s %d %u ", what, (int)stream_id, (unsigned)number);
    buffer_append_text(&side->report, text);
}

static void report_field(struct side *side, const char *what, const nghttp2_frame *frame, struct bytes name,
                         struct bytes value, uint8_t flags) {
    report(side, what, frame->hd.stream_id, flags);
    buffer_append(&side->report, name);
    buffer_append_text(&side->report, "=");
    buffer_append(&side->report, value);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *side) {
    (void)session;
    report(side, "begin", frame->hd.stream_id, frame->headers.cat);
    return 0;
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *side) {
    (void)session;
    report_field(side, "field", frame, bytes_of(name, name_len), bytes_of(value, value_len), flags);
    return 0;
}

static int on_bad_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *side) {
    (void)session;
    report_field(side, "bad", frame, bytes_of(name, name_len), bytes_of(value, value_len), flags);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *side) {
    (void)session;
    report(side, "frame", frame->hd.stream_id, frame->hd.type);
    return 0;
}

static int on_bad_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *side) {
    (void)session;
    report(side, "bad frame", frame->hd.stream_id, (uint32_t)error);
    return 0;
}

static int on_closed(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *side) {
    (void)session;
    report(side, "closed", stream_id, error_code);
    return 0;
}

static void open_side(struct side *side, const struct library *library) {
    nghttp2_session_callbacks *callbacks;
    *side = (struct side){.library = library};
    int failure = library->nghttp2_session_callbacks_new(&callbacks);
    assert(failure == 0);
    library->nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    library->nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
    library->nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_bad_field);
    library->nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    library->nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_bad_frame);
    library->nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
    failure = library->nghttp2_session_server_new(&side->session, callbacks, side);
    assert(failure == 0);
    library->nghttp2_session_callbacks_del(callbacks);
    failure = library->nghttp2_submit_settings(side->session, NGHTTP2_FLAG_NONE, NULL, 0);
    assert(failure == 0);
}

static void close_side(struct side *side) {
    side->library->nghttp2_session_del(side->session);
    buffer_fini(&side->report);
}

static void feed_side(struct side *side, struct bytes bytes) {
    ssize_t taken = side->library->nghttp2_session_mem_recv(side->session, bytes.data, bytes.len);
    report(side, "taken", 0, (uint32_t)taken);
    const uint8_t *data;
    for (ssize_t len; (len = side->library->nghttp2_session_mem_send(side->session, &data)) > 0;)
        buffer_append(&side->report, bytes_of(data, (size_t)len));
}

// ---- both ----

struct pair {
    struct side ours, theirs;
    int32_t stream_id; // of the next request
};

static void feed(struct pair *pair, struct bytes bytes) {
    feed_side(&pair->ours, bytes);
    feed_side(&pair->theirs, bytes);
    assert(bytes_is_equal(buffer_get_bytes(&pair->ours.report), buffer_get_bytes(&pair->theirs.report)));
    buffer_reset(&pair->ours.report);
    buffer_reset(&pair->theirs.report);
}

static void append_frame(struct buffer *to, uint8_t type, uint8_t flags, int32_t id, struct bytes payload) {
    const uint8_t head[] = {0,          (uint8_t)(payload.len >> 8), (uint8_t)payload.len, type,
                            flags,      (uint8_t)(id >> 24),         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),
                            (uint8_t)id};
    buffer_append(to, bytes_of(head, sizeof(head)));
    buffer_append(to, payload);
}

static void append_block(struct buffer *to, uint8_t options, int32_t id, struct bytes block) {
    uint8_t last = options & (OPTION_LAST | OPTION_TRAILERS) ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
    size_t first = options & OPTION_CONTINUED && block.len > FIRST_FRAME_MAX ? FIRST_FRAME_MAX : block.len;
    uint8_t end = first == block.len ? NGHTTP2_FLAG_END_HEADERS : NGHTTP2_FLAG_NONE;
    append_frame(to, NGHTTP2_HEADERS, last | end, id, bytes_of(block.data, first));
    if (!end)
        append_frame(to, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, id,
                     bytes_of(block.data + first, block.len - first));
}

static void feed_block(struct pair *pair, uint8_t options, struct bytes block) {
    struct buffer frames = {0};
    bool is_trailers = options & OPTION_TRAILERS && pair->stream_id > 1;
    append_block(&frames, options, is_trailers ? pair->stream_id - 2 : pair->stream_id, block);
    pair->stream_id += is_trailers ? 0 : 2;
    struct bytes bytes = buffer_get_bytes(&frames);
    size_t first = options & OPTION_SPLIT ? bytes.len / 2 : bytes.len;
    feed(pair, bytes_of(bytes.data, first));
    if (first < bytes.len)
        feed(pair, bytes_of(bytes.data + first, bytes.len - first));
    buffer_fini(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pair pair = {.stream_id = 1};
    struct bytes input = bytes_of(data, size);
    open_side(&pair.ours, &linked);
    open_side(&pair.theirs, load_oracle());
    feed(&pair, BYTES_LITERAL(PREFACE));
    while (input.len >= 2) {
        uint8_t options = input.data[0];
        size_t len = input.data[1];
        input = bytes_of(input.data + 2, input.len - 2);
        len = len < input.len ? len : input.len;
        feed_block(&pair, options, bytes_of(input.data, len));
        input = bytes_of(input.data + len, input.len - len);
    }
    close_side(&pair.ours);
    close_side(&pair.theirs);
    return 0;
}
