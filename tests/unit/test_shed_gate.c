// What belongs to refused calls is kept from nghttp2: whatever is refused, and in whatever pieces bytes come,
// the others arrive as they were sent, and HPACK's state, the connection's window and the session stay right.
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/grpc/shed_gate.h"
#include "tests/unit/unit.h"

enum { CALLS = 400, BODY_BYTES = 5000, STREAMS_MAX = 2 * CALLS + 2, WINDOW = 256 * 1024 };

// ---- the client ----

struct client {
    nghttp2_hd_deflater *deflater;
    struct buffer bytes;
};

static void put_frame(struct buffer *to, uint8_t type, uint8_t flags, int32_t stream, struct bytes payload) {
    uint8_t head[SHED_GATE_HEAD_BYTES] = {(uint8_t)(payload.len >> 16), (uint8_t)(payload.len >> 8),
                                          (uint8_t)payload.len, type, flags};
    shed_gate_set_stream(head, stream);
    buffer_append(to, bytes_of(head, sizeof(head)));
    buffer_append(to, payload);
}

// `x-word` is put into HPACK's table, and looked up there when it comes again.
static void put_headers(struct client *client, int32_t stream, const char *word) {
    nghttp2_nv rows[] = {
        {(uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0},
        {(uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0},
        {(uint8_t *)":path", (uint8_t *)"/a/b", 5, 4, 0},
        {(uint8_t *)":authority", (uint8_t *)"test", 10, 4, 0},
        {(uint8_t *)"x-word", (uint8_t *)word, 6, strlen(word), 0},
    };
    uint8_t block[512];
    ssize_t len = nghttp2_hd_deflate_hd(client->deflater, block, sizeof(block), rows, ARRAY_LENGTH(rows));
    assert_true(len > 0);
    put_frame(&client->bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream,
              bytes_of(block, (size_t)len));
}

static void put_data(struct client *client, int32_t stream, uint8_t flags) {
    static const uint8_t body[BODY_BYTES];
    put_frame(&client->bytes, NGHTTP2_DATA, flags, stream, bytes_of(body, sizeof(body)));
}

static void format_word(int call, bool is_varied, char *ret_word) {
    snprintf(ret_word, 16, "word %d", is_varied ? call : call % 2);
}

// ---- the server ----

struct server {
    nghttp2_session *session;
    struct shed_gate gate;
    char words[STREAMS_MAX][16];
    size_t body_bytes[STREAMS_MAX];
    size_t resets;
    int32_t refused[STREAMS_MAX];
    size_t refused_count;
    uint64_t window; // given back
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data) {
    (void)session, (void)flags;
    struct server *server = data;
    if (name_len == 6 && memcmp(name, "x-word", 6) == 0)
        snprintf(server->words[frame->hd.stream_id], 16, "%.*s", (int)value_len, value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len,
                   void *data) {
    (void)flags, (void)bytes;
    struct server *server = data;
    server->body_bytes[stream] += len;
    return nghttp2_session_consume(session, stream, len);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data) {
    (void)session;
    ((struct server *)data)->resets += frame->hd.type == NGHTTP2_RST_STREAM;
    return 0;
}

static void init_server(struct server *server) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    memset(server, 0, sizeof(*server));
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&options), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option_set_no_auto_window_update(options, 1);
    assert_int_equal(nghttp2_session_server_new2(&server->session, callbacks, server, options), 0);
    assert_int_equal(nghttp2_submit_settings(server->session, 0, NULL, 0), 0);
    assert_int_equal(nghttp2_session_set_local_window_size(server->session, 0, 0, WINDOW), 0);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    shed_gate_init(&server->gate);
}

static void note_sent(struct server *server) {
    const uint8_t *frame;
    while (nghttp2_session_mem_send(server->session, &frame) > 0) {
        assert_int_not_equal(frame[3], NGHTTP2_GOAWAY);
        bool is_window = frame[3] == NGHTTP2_WINDOW_UPDATE && frame[8] == 0 && frame[7] == 0;
        server->window +=
            is_window ? (uint64_t)frame[9] << 24 | frame[10] << 16 | frame[11] << 8 | frame[12] : 0;
    }
}

static void take(struct server *server, struct bytes bytes, unsigned quota, int32_t *over_quota) {
    struct shed_gate_read read = {.session = server->session,
                                  .quota = quota,
                                  .may_refuse = true,
                                  .over_quota = over_quota,
                                  .refused = server->refused + server->refused_count};
    assert_int_equal(shed_gate_take(&server->gate, &read, bytes), 0);
    server->refused_count += read.refused_count;
    note_sent(server);
}

// ---- cases ----

struct plan {
    bool is_varied;   // each call says something new
    bool bodies_last; // of ten calls at a time, as some clients send them
    bool resets;      // each call
    size_t piece;
    unsigned quota; // of each piece
};

static void put_ten(struct client *client, int first, const struct plan *plan) {
    char word[16];
    for (int i = first; i < first + 10; i++) {
        format_word(i, plan->is_varied, word);
        put_headers(client, 2 * i + 1, word);
        if (!plan->bodies_last)
            put_data(client, 2 * i + 1, NGHTTP2_FLAG_END_STREAM);
    }
    for (int i = first; plan->bodies_last && i < first + 10; i++)
        put_data(client, 2 * i + 1, NGHTTP2_FLAG_END_STREAM);
    static const uint8_t cancel[4] = {0, 0, 0, NGHTTP2_CANCEL};
    for (int i = first; plan->resets && i < first + 10; i++)
        put_frame(&client->bytes, NGHTTP2_RST_STREAM, 0, 2 * i + 1, bytes_of(cancel, sizeof(cancel)));
}

static bool was_refused(const struct server *server, int32_t stream) {
    for (size_t i = 0; i < server->refused_count; i++)
        if (server->refused[i] == stream)
            return true;
    return false;
}

static void check_calls(const struct server *server, const struct plan *plan) {
    char word[16];
    for (int i = 0; i < CALLS; i++) {
        int32_t stream = 2 * i + 1;
        bool is_refused = was_refused(server, stream);
        format_word(i, plan->is_varied, word);
        assert_string_equal(server->words[stream], is_refused ? "" : word);
        assert_int_equal(server->body_bytes[stream], is_refused ? 0 : BODY_BYTES);
    }
}

static size_t run_plan(const struct plan *plan) {
    struct client client = {0};
    static struct server server;
    int32_t over_quota = INT32_MAX;
    init_server(&server);
    assert_int_equal(nghttp2_hd_deflate_new(&client.deflater, 4096), 0);
    buffer_append_text(&client.bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    put_frame(&client.bytes, NGHTTP2_SETTINGS, 0, 0, BYTES_EMPTY);
    for (int i = 0; i < CALLS; i += 10)
        put_ten(&client, i, plan);
    struct bytes all = buffer_get_bytes(&client.bytes);
    for (size_t at = 0; at < all.len; at += plan->piece) {
        size_t len = plan->piece < all.len - at ? plan->piece : all.len - at;
        take(&server, bytes_of(all.data + at, len), plan->quota, &over_quota);
    }
    check_calls(&server, plan);
    // Nothing of the window is lost but for what is given back later.
    assert_in_range(server.window, (uint64_t)CALLS * BODY_BYTES - WINDOW,
                    (uint64_t)CALLS * BODY_BYTES + WINDOW);
    assert_true(nghttp2_session_want_read(server.session));
    size_t refused = server.refused_count;
    nghttp2_session_del(server.session);
    nghttp2_hd_deflate_del(client.deflater);
    buffer_fini(&client.bytes);
    return refused;
}

static void calls_within_the_quota_arrive_in_any_pieces(void **state) {
    (void)state;
    static const size_t pieces[] = {1, 7, 8, 9, 10, 100, 4099, 65536};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
        for (int shape = 0; shape < 4; shape++)
            assert_int_equal(
                run_plan(&(struct plan){
                    .is_varied = shape & 1, .bodies_last = shape & 2, .piece = pieces[i], .quota = CALLS}),
                0);
}

static void refused_calls_leave_the_others_and_the_session_as_they_are(void **state) {
    (void)state;
    static const size_t pieces[] = {20011, 51000, 65536};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
        for (int shape = 0; shape < 8; shape++)
            assert_in_range(run_plan(&(struct plan){.is_varied = shape & 1,
                                                    .bodies_last = shape & 2,
                                                    .resets = shape & 4,
                                                    .piece = pieces[i],
                                                    .quota = 1}),
                            shape & 1 ? 0 : CALLS / 4, CALLS);
}

static void resets_of_refused_calls_are_still_seen(void **state) {
    (void)state;
    static struct server server;
    struct client client = {0};
    static const uint8_t cancel[4] = {0, 0, 0, NGHTTP2_CANCEL};
    int32_t over_quota = INT32_MAX;
    init_server(&server);
    assert_int_equal(nghttp2_hd_deflate_new(&client.deflater, 4096), 0);
    buffer_append_text(&client.bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    put_frame(&client.bytes, NGHTTP2_SETTINGS, 0, 0, BYTES_EMPTY);
    put_headers(&client, 1, "a");
    put_headers(&client, 3, "a");
    take(&server, buffer_get_bytes(&client.bytes), 1, &over_quota);
    assert_int_equal(server.refused_count, 1);
    buffer_reset(&client.bytes);
    put_headers(&client, 5, "a");
    take(&server, buffer_get_bytes(&client.bytes), 1, &over_quota);
    buffer_reset(&client.bytes);
    put_frame(&client.bytes, NGHTTP2_RST_STREAM, 0, 3, bytes_of(cancel, sizeof(cancel)));
    take(&server, buffer_get_bytes(&client.bytes), 1, &over_quota);
    assert_int_equal(server.resets, 1);
    assert_string_equal(server.words[5], "a");
    nghttp2_session_del(server.session);
    nghttp2_hd_deflate_del(client.deflater);
    buffer_fini(&client.bytes);
}

static void only_blocks_that_leave_the_table_alone_are_stateless(void **state) {
    (void)state;
    static const struct {
        struct bytes block;
        bool is_stateless;
    } rows[] = {
        {BYTES_LITERAL(""), true},
        {BYTES_LITERAL("\x83\x86\xbe"), true},
        {BYTES_LITERAL("\xff\x80\x01"), true}, // an index over 127
        {BYTES_LITERAL("\x04\x04/a/b"), true}, // without indexing, a known name
        {BYTES_LITERAL("\x10\x01"
                       "a"
                       "\x01"
                       "b"),
         true}, // never indexed, a new name
        {BYTES_LITERAL("\x40\x01"
                       "a"
                       "\x01"
                       "b"),
         false}, // with indexing
        {BYTES_LITERAL("\x83\x44\x01/"), false},
        {BYTES_LITERAL("\x20"), false}, // an update of the table's size
        {BYTES_LITERAL("\x04"), false}, // cut
        {BYTES_LITERAL("\x04\x05/a/b"), false},
        {BYTES_LITERAL("\x00\x01"
                       "a"),
         false},
        {BYTES_LITERAL("\xff"), false},
        {BYTES_LITERAL("\xff\xff\xff\xff\xff\xff\xff"), false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(shed_gate_is_stateless(rows[i].block), rows[i].is_stateless);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_within_the_quota_arrive_in_any_pieces),
        cmocka_unit_test(refused_calls_leave_the_others_and_the_session_as_they_are),
        cmocka_unit_test(resets_of_refused_calls_are_still_seen),
        cmocka_unit_test(only_blocks_that_leave_the_table_alone_are_stateless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
