// A client of one HTTP/2 call at the other end of a memory stream, with nghttp2's own session and, where it
// is given one, a TLS session in between. What it allocates itself never fails (allocation_failure.h): that
// is the test's.
#ifndef LATCHKEY_TESTS_UNIT_MEMORY_CLIENT_H
#define LATCHKEY_TESTS_UNIT_MEMORY_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/crypto/tls_session.h"
#include "tests/unit/memory_stream.h"

// What has come. Header fields are lines, each "name: value\n"; trailers follow the headers.
struct memory_answer {
    struct buffer fields, body;
    bool is_complete; // its stream has ended in order
    bool is_reset;
};

struct memory_client {
    struct memory_stream stream; // the server's; the caller hands it over
    struct tls_session *tls;     // owned; NULL = none
    bool is_tls_over;            // it has failed, or was ended
    nghttp2_session *session;
    struct buffer output;
    struct bytes body; // of the request; what is left of it
    struct memory_answer answer;
};

// The peer is a far one. Takes `tls`.
void memory_client_init(struct memory_client *client, struct loop *loop, struct tls_session *tls);
void memory_client_fini(struct memory_client *client);

// A POST. Borrows `path`, `fields` and `body` until it has talked.
void memory_client_submit(struct memory_client *client, const char *path, const nghttp2_nv *fields,
                          size_t field_count, struct bytes body);

// A client's session that has its SETTINGS to send, for tests that listen themselves; what is NULL is not
// listened to. Its owner ends it by nghttp2_session_del().
nghttp2_session *memory_client_new_session(nghttp2_on_header_callback header,
                                           nghttp2_on_frame_recv_callback frame,
                                           nghttp2_on_data_chunk_recv_callback data, void *context);

// A body, for requests that a test submits itself: `source->ptr` is the struct bytes of what is left of it.
ssize_t memory_client_read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                                uint32_t *flags, nghttp2_data_source *source, void *user_data);

// Lets both sides speak, and the loop turn, until neither has anything to say. What the client sends arrives
// in pieces.
void memory_client_talk(struct memory_client *client);

#endif
