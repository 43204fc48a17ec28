// TLS over a plain stream. Its life:
//
//     HANDSHAKE --complete--> OPEN --close_notify, no TLS, end of what is below--> ENDED
//         |                    |                                                    |
//         +-- failed --> ENDED +------------- close ----------------- close --------+--> CLOSED -> freed
//                                                                                        after the turn
//
// A session begins when the peer's first message is whole: until then it costs what it has sent, and nothing
// that it has announced.
//
// All records of a write, and all that a read gives rise to, are made in a buffer of the loop's and leave in
// one write below. What is read is deciphered into another one, and handed on whole, so that the owner has
// one read, and one write, for each read of the socket.
//
// Nobody but move() sets `state`.
#include "common/net/stream_tls.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/crypto/tls_hello.h"
#include "common/crypto/tls_session.h"
#include "common/net/loop_internal.h"

enum tls_state { TLS_HANDSHAKE, TLS_OPEN, TLS_ENDED, TLS_CLOSED, TLS_STATE_COUNT };

#define TO(state) (1u << TLS_##state)
static const uint8_t allowed[TLS_STATE_COUNT] = {
    [TLS_HANDSHAKE] = TO(OPEN) | TO(ENDED) | TO(CLOSED),
    [TLS_OPEN] = TO(ENDED) | TO(CLOSED),
    [TLS_ENDED] = TO(CLOSED),
    [TLS_CLOSED] = 0,
};

struct tls {
    struct stream base;
    struct tls_server *server;
    struct buffer opening;       // what has come before there was a session
    struct tls_session *session; // NULL = not yet
    const char *failure;         // of one that was not to be; NULL = none
    struct stream_tls_handshake handshake;
    bool is_answered;
    enum tls_state state;
    struct loop_task free_task;
};

static void move(struct tls *tls, enum tls_state to) {
    assert(allowed[tls->state] & 1u << to);
    tls->state = to;
}

// The loop's, emptied.
static struct buffer *take_ciphertext(const struct tls *tls) {
    struct buffer *ciphertext = loop_get_ciphertext(tls->base.loop);
    buffer_reset(ciphertext);
    return ciphertext;
}

static enum status send_below(const struct tls *tls, const struct buffer *ciphertext) {
    return ciphertext->len > 0 ? stream_write(tls->base.below, buffer_get_bytes(ciphertext)) : STATUS_OK;
}

static void end(struct tls *tls, enum stream_end why) {
    if (tls->state != TLS_OPEN)
        return;
    move(tls, TLS_ENDED);
    stream_pause_reading(tls->base.below);
    const struct stream_callbacks *callbacks = tls->base.callbacks;
    if (callbacks)
        callbacks->on_end(tls->base.context, why);
}

// ---- what comes from below ----

static void end_handshake(struct tls *tls, enum status status) {
    move(tls, status == STATUS_OK ? TLS_OPEN : TLS_ENDED);
    if (status == STATUS_OK)
        tls->base.identity = tls_session_get_identity(tls->session);
    else
        stream_pause_reading(tls->base.below);
    tls->handshake.on_end(tls->handshake.context, &tls->base, status);
}

static void go_on(struct tls *tls, enum status status, bool has_answered) {
    if (status != STATUS_OK || tls_session_is_open(tls->session)) {
        end_handshake(tls, status);
        return;
    }
    if (has_answered && !tls->is_answered)
        tls->handshake.on_answered(tls->handshake.context);
    tls->is_answered |= has_answered;
}

static void deliver(struct tls *tls, const struct buffer *plaintext) {
    if (tls->state == TLS_OPEN && tls->base.callbacks && plaintext->len > 0)
        tls->base.callbacks->on_read(tls->base.context, buffer_get_bytes(plaintext));
}

// An end that the peer has not said may be somebody else's doing.
static void on_end(void *context, enum stream_end why) {
    struct tls *tls = context;
    if (tls->state == TLS_HANDSHAKE)
        end_handshake(tls, STATUS_CLOSED);
    else
        end(tls, why == STREAM_END_PEER_CLOSED ? STREAM_END_RESET : why);
}

static void receive(struct tls *tls, struct bytes bytes) {
    struct buffer *plaintext = loop_get_plaintext(tls->base.loop), *ciphertext = take_ciphertext(tls);
    buffer_reset(plaintext);
    enum status status = tls_session_receive(tls->session, bytes, plaintext, ciphertext);
    if (send_below(tls, ciphertext) != STATUS_OK) {
        on_end(tls, STREAM_END_RESET);
        return;
    }
    if (tls->state == TLS_HANDSHAKE)
        go_on(tls, status, ciphertext->len > 0);
    if (status == STATUS_OK || status == STATUS_CLOSED)
        deliver(tls, plaintext);
    if (status != STATUS_OK)
        end(tls, status == STATUS_CLOSED ? STREAM_END_PEER_CLOSED : STREAM_END_TLS_FAILED);
}

static void begin_session(struct tls *tls) {
    struct buffer opening = tls->opening;
    tls->opening = (struct buffer){0};
    if (tls_session_new_of_server(tls->server, &tls->session) == STATUS_OK)
        receive(tls, buffer_get_bytes(&opening));
    else
        end_handshake(tls, STATUS_NO_MEMORY);
    buffer_fini(&opening);
}

static void hear_opening(struct tls *tls, struct bytes bytes) {
    buffer_append(&tls->opening, bytes);
    if (tls->opening.failed) {
        end_handshake(tls, STATUS_NO_MEMORY);
        return;
    }
    switch (tls_hello_look(buffer_get_bytes(&tls->opening))) {
    case TLS_HELLO_UNFINISHED: return;
    case TLS_HELLO_WHOLE: begin_session(tls); return;
    case TLS_HELLO_TOO_LONG:
        tls->failure = "the first message is too long";
        end_handshake(tls, STATUS_MALFORMED);
        return;
    }
}

static void on_read(void *context, struct bytes bytes) {
    struct tls *tls = context;
    if (tls->session)
        receive(tls, bytes);
    else if (tls->state == TLS_HANDSHAKE)
        hear_opening(tls, bytes);
}

static void on_drained(void *context) {
    struct tls *tls = context;
    if (tls->state == TLS_OPEN)
        tls->base.callbacks->on_drained(tls->base.context);
}

static const struct stream_callbacks callbacks_below = {on_read, on_drained, on_end};

// ---- what the owner asks for ----

// It is read from below since the handshake.
static void tls_start(struct stream *stream) {
    assert(((struct tls *)stream)->state == TLS_OPEN);
    (void)stream;
}

static enum status tls_write(struct stream *stream, struct bytes bytes) {
    struct tls *tls = (struct tls *)stream;
    if (tls->state != TLS_OPEN)
        return STATUS_CLOSED;
    struct buffer *ciphertext = take_ciphertext(tls);
    enum status status = tls_session_send(tls->session, bytes, ciphertext);
    if (status != STATUS_OK)
        return status == STATUS_CLOSED ? status : STATUS_EXHAUSTED;
    return send_below(tls, ciphertext);
}

static size_t tls_get_pending_bytes(const struct stream *stream) {
    return stream_get_pending_bytes(stream->below);
}

static void tls_pause_reading(struct stream *stream) {
    stream_pause_reading(stream->below);
}

static void tls_resume_reading(struct stream *stream) {
    if (((struct tls *)stream)->state == TLS_OPEN)
        stream_resume_reading(stream->below);
}

static void free_tls(struct loop_task *task) {
    struct tls *tls = CONTAINER_OF(task, struct tls, free_task);
    tls_session_free(tls->session);
    buffer_fini(&tls->opening);
    free(tls);
}

static void tls_close(struct stream *stream, enum stream_close how) {
    struct tls *tls = (struct tls *)stream;
    struct buffer *ciphertext = take_ciphertext(tls);
    move(tls, TLS_CLOSED);
    if (tls->session)
        tls_session_end(tls->session, ciphertext);
    (void)!send_below(tls, ciphertext);
    stream_close(tls->base.below, how);
    loop_defer(tls->base.loop, &tls->free_task);
}

static const struct stream_operations operations = {
    .start = tls_start,
    .write = tls_write,
    .get_pending_bytes = tls_get_pending_bytes,
    .pause_reading = tls_pause_reading,
    .resume_reading = tls_resume_reading,
    .close = tls_close,
};

enum status stream_tls_open(struct stream *below, struct tls_server *server,
                            const struct stream_tls_handshake *handshake, struct stream **ret_stream) {
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return STATUS_NO_MEMORY;
    tls->base = *below;
    tls->base.operations = &operations;
    tls->base.below = below;
    tls->server = server;
    tls->handshake = *handshake;
    tls->free_task.run = free_tls;
    *ret_stream = &tls->base;
    stream_start(below, &callbacks_below, tls);
    return STATUS_OK;
}

const char *stream_tls_get_failure(const struct stream *stream) {
    const struct tls *tls = (const struct tls *)stream;
    if (tls->session)
        return tls_session_get_failure(tls->session);
    return tls->failure ? tls->failure : "";
}
