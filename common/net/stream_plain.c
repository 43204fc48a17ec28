// TCP and Unix sockets by libuv. Its life:
//
//     accepted --start--> OPEN --end of file, error, stall--> ENDED
//        |                 |                                    |
//        +---- close now --+------------------------------------+--> CLOSED -> freed by libuv's close
//        callback
//                          |                                             ^
//                          +-- close flush --> FLUSHING --sent--> LINGERING (peer's end, or a second)
//
// Nobody but move() sets `state`.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/loop_internal.h"
#include "common/net/stream_internal.h"

enum plain_state {
    PLAIN_OPEN,
    PLAIN_ENDED,     // the owner knows, and has yet to close
    PLAIN_FLUSHING,  // given up by its owner; kept bytes and the end of our side are on their way
    PLAIN_LINGERING, // the peer may still read; what it sends is dropped
    PLAIN_CLOSED,
    PLAIN_STATE_COUNT
};

#define TO(state) (1u << PLAIN_##state)
static const uint8_t allowed[PLAIN_STATE_COUNT] = {
    [PLAIN_OPEN] = TO(ENDED) | TO(FLUSHING) | TO(CLOSED),
    [PLAIN_ENDED] = TO(CLOSED),
    [PLAIN_FLUSHING] = TO(LINGERING) | TO(CLOSED),
    [PLAIN_LINGERING] = TO(CLOSED),
    [PLAIN_CLOSED] = 0,
};

#define MS_NS UINT64_C(1000000)

enum {
    LINGER_MS = 1000,
    LAST_BYTES_MS = 5000, // of the loop's stop: who takes them ever more slowly does not hold up the end
    LAST_BYTES_LOOK_MS = 500,
    DROPPED_BYTES_MAX = 1024 * 1024, // of a peer that is no longer listened to; after that it is not read
    SHARE_NS = 100 * 1000,           // of a turn, that what one peer has sent may take
    SHARE_BYTES_MIN = 2 * 1024,
    SHARE_BYTES_FIRST = 4 * 1024, // of who is not known yet
    STALL_TIMEOUT_MS = 20000,
    MAX_PENDING_BYTES = 4 * 1024 * 1024,
};

struct plain {
    struct stream base;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_shutdown_t shutdown;
    enum plain_state state;
    bool is_stalled;        // closing must not leave the kernel with what the peer does not take
    struct timer timer;     // stall while bytes wait, then the lingering
    size_t checked_pending; // bytes that waited when they were last looked at
    uint64_t stalled_ns;    // when they will have waited for too long, unless some leave
    size_t dropped;         // bytes read since it was given up
    uint32_t share_bytes;   // what is read of it in a turn
    bool has_filled_share;  // in this turn

    struct connection_balance *balance; // NULL = it is not counted
};

struct kept_write {
    uv_write_t request;
    struct plain *plain;
    char data[];
};

static void move(struct plain *plain, enum plain_state to) {
    assert(allowed[plain->state] & 1u << to);
    plain->state = to;
}

static uint64_t after_ms(const struct plain *plain, uint32_t delay_ms) {
    return loop_get_monotonic_ns(plain->base.loop) + delay_ms * MS_NS;
}

static void arm_timer(struct plain *plain, uint64_t due_ns) {
    loop_arm_timer(plain->base.loop, &plain->timer, due_ns);
}

// Of bytes that wait. Nobody tells a stream that its owner has given up that the loop stops.
static void arm_stall_timer(struct plain *plain) {
    uint64_t look_ns = plain->state == PLAIN_FLUSHING ? after_ms(plain, LAST_BYTES_LOOK_MS) : UINT64_MAX;
    arm_timer(plain, look_ns < plain->stalled_ns ? look_ns : plain->stalled_ns);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void close_now(struct plain *plain) {
    move(plain, PLAIN_CLOSED);
    loop_release(plain->base.loop);
    loop_disarm_timer(plain->base.loop, &plain->timer);
    if (plain->is_stalled && plain->uv.handle.type == UV_TCP &&
        uv_tcp_close_reset(&plain->uv.tcp, on_closed) == 0)
        return;
    uv_close(&plain->uv.handle, on_closed);
}

// Tells the owner, or without one closes.
static void end(struct plain *plain, enum stream_end why) {
    if (plain->state == PLAIN_ENDED || plain->state == PLAIN_CLOSED)
        return;
    if (plain->state != PLAIN_OPEN) {
        close_now(plain);
        return;
    }
    move(plain, PLAIN_ENDED);
    uv_read_stop(&plain->uv.stream);
    loop_disarm_timer(plain->base.loop, &plain->timer);
    const struct stream_callbacks *callbacks = plain->base.callbacks;
    if (callbacks)
        callbacks->on_end(plain->base.context, why);
}

static void note_pending(struct plain *plain) {
    plain->checked_pending = uv_stream_get_write_queue_size(&plain->uv.stream);
    plain->stalled_ns = after_ms(plain, plain->base.stall_timeout_ms);
}

static bool is_out_of_time(const struct plain *plain) {
    uint64_t now_ns = loop_get_monotonic_ns(plain->base.loop), stop_ns = loop_get_stop_ns(plain->base.loop);
    bool is_late =
        plain->state == PLAIN_FLUSHING && now_ns >= stop_ns && now_ns - stop_ns >= LAST_BYTES_MS * MS_NS;
    return is_late || now_ns >= plain->stalled_ns;
}

static void on_timer(struct timer *timer) {
    struct plain *plain = CONTAINER_OF(timer, struct plain, timer);
    if (plain->state == PLAIN_LINGERING) {
        close_now(plain);
        return;
    }
    if (uv_stream_get_write_queue_size(&plain->uv.stream) != plain->checked_pending)
        note_pending(plain);
    if (is_out_of_time(plain)) {
        plain->is_stalled = true;
        end(plain, STREAM_END_WRITE_STALLED);
        return;
    }
    arm_stall_timer(plain);
}

// why: libuv would read on, up to 32 times, as long as buffers come full: two megabytes of one peer's
// requests before anybody else is looked at. Without a buffer it leaves the rest for the next turn.
static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    (void)suggested;
    struct plain *plain = handle->data;
    bool may_read = !plain->has_filled_share;
    plain->has_filled_share = false;
    *ret_buffer = uv_buf_init(loop_get_read_buffer(plain->base.loop), may_read ? plain->share_bytes : 0);
}

// Bytes that take long are read in small portions, so that everybody else's turn comes soon, whatever it is
// that makes them so dear.
static void adapt_share(struct plain *plain, uint64_t taken_ns) {
    if (taken_ns > SHARE_NS && plain->share_bytes > SHARE_BYTES_MIN)
        plain->share_bytes /= 2;
    else if (taken_ns < SHARE_NS / 2 && plain->share_bytes < STREAM_READ_BYTES)
        plain->share_bytes *= 2;
}

// A read that leaves nothing behind says nothing about who waits for it, and costs no clock.
static void hand_on(struct plain *plain, struct bytes bytes) {
    struct loop *loop = plain->base.loop;
    uint64_t begun_ns = plain->has_filled_share ? loop_get_monotonic_ns(loop) : 0;
    plain->base.callbacks->on_read(plain->base.context, bytes);
    if (begun_ns == 0)
        return;
    loop_forget_time(loop);
    adapt_share(plain, loop_get_monotonic_ns(loop) - begun_ns);
}

// why: who floods us goes on for as long as it is read.
static void drop(struct plain *plain, size_t length) {
    plain->dropped += length;
    plain->share_bytes = STREAM_READ_BYTES;
    if (plain->dropped > DROPPED_BYTES_MAX)
        uv_read_stop(&plain->uv.stream);
}

// Only asked for where a read came full: else nothing was left.
static size_t count_left(const struct plain *plain) {
    int fd, left = 0;
    bool is_known = plain->has_filled_share && uv_fileno(&plain->uv.handle, &fd) == 0 &&
                    ioctl(fd, FIONREAD, &left) == 0 && left > 0;
    return is_known ? (size_t)left : 0;
}

static void on_read(uv_stream_t *uv, ssize_t length, const uv_buf_t *buffer) {
    struct plain *plain = uv->data;
    loop_forget_time(plain->base.loop);
    if (length == 0 || length == UV_ENOBUFS)
        return;
    plain->has_filled_share = length == plain->share_bytes;
    if (length < 0) {
        end(plain, length == UV_EOF ? STREAM_END_PEER_CLOSED : STREAM_END_RESET);
        return;
    }
    loop_note_read(plain->base.loop, (size_t)length, count_left(plain));
    if (plain->state == PLAIN_OPEN)
        hand_on(plain, bytes_of(buffer->base, (size_t)length));
    else
        drop(plain, (size_t)length);
}

static void plain_start(struct stream *stream) {
    struct plain *plain = (struct plain *)stream;
    uv_read_start(&plain->uv.stream, on_allocate, on_read);
}

static void plain_pause_reading(struct stream *stream) {
    uv_read_stop(&((struct plain *)stream)->uv.stream);
}

static void plain_resume_reading(struct stream *stream) {
    struct plain *plain = (struct plain *)stream;
    if (plain->state == PLAIN_OPEN)
        uv_read_start(&plain->uv.stream, on_allocate, on_read);
}

static size_t plain_get_pending_bytes(const struct stream *stream) {
    return uv_stream_get_write_queue_size(&((const struct plain *)stream)->uv.stream);
}

static void on_written(uv_write_t *request, int result) {
    struct kept_write *kept = CONTAINER_OF(request, struct kept_write, request);
    struct plain *plain = kept->plain;
    free(kept);
    if (plain->state == PLAIN_CLOSED || plain->state == PLAIN_ENDED)
        return;
    if (result < 0) {
        end(plain, STREAM_END_RESET);
        return;
    }
    if (uv_stream_get_write_queue_size(&plain->uv.stream) > 0)
        return;
    loop_disarm_timer(plain->base.loop, &plain->timer);
    if (plain->state == PLAIN_OPEN)
        plain->base.callbacks->on_drained(plain->base.context);
}

static enum status keep(struct plain *plain, struct bytes bytes) {
    size_t pending = uv_stream_get_write_queue_size(&plain->uv.stream);
    if (bytes.len > plain->base.max_pending_bytes || pending > plain->base.max_pending_bytes - bytes.len)
        return STATUS_EXHAUSTED;
    struct kept_write *kept = malloc(sizeof(*kept) + bytes.len);
    if (!kept)
        return STATUS_EXHAUSTED;
    kept->plain = plain;
    memcpy(kept->data, bytes.data, bytes.len);
    uv_buf_t buffer = uv_buf_init(kept->data, (unsigned)bytes.len);
    if (uv_write(&kept->request, &plain->uv.stream, &buffer, 1, on_written) != 0) {
        free(kept);
        return STATUS_CLOSED;
    }
    if (!timer_is_armed(&plain->timer)) {
        note_pending(plain);
        arm_stall_timer(plain);
    }
    return STATUS_OK;
}

static enum status plain_write(struct stream *stream, struct bytes bytes) {
    struct plain *plain = (struct plain *)stream;
    if (plain->state != PLAIN_OPEN)
        return STATUS_CLOSED;
    uv_buf_t buffer = uv_buf_init((char *)bytes.data, (unsigned)bytes.len);
    int taken = uv_try_write(&plain->uv.stream, &buffer, 1);
    if (taken == UV_EAGAIN)
        taken = 0;
    if (taken < 0)
        return STATUS_CLOSED;
    if ((size_t)taken == bytes.len)
        return STATUS_OK;
    return keep(plain, bytes_of(bytes.data + taken, bytes.len - (size_t)taken));
}

static void on_shut_down(uv_shutdown_t *request, int result) {
    struct plain *plain = request->data;
    if (plain->state != PLAIN_FLUSHING)
        return;
    if (result < 0) {
        close_now(plain);
        return;
    }
    move(plain, PLAIN_LINGERING);
    arm_timer(plain, after_ms(plain, LINGER_MS));
}

static void uncount(struct connection_balance *balance, const struct loop *loop) {
    if (balance)
        connection_balance_remove(balance, loop_get_index(loop));
}

static void plain_close(struct stream *stream, enum stream_close how) {
    struct plain *plain = (struct plain *)stream;
    uncount(plain->balance, stream->loop);
    plain->shutdown.data = plain;
    if (how == STREAM_CLOSE_NOW || plain->state != PLAIN_OPEN ||
        uv_shutdown(&plain->shutdown, &plain->uv.stream, on_shut_down) != 0) {
        close_now(plain);
        return;
    }
    move(plain, PLAIN_FLUSHING);
    if (timer_is_armed(&plain->timer))
        arm_stall_timer(plain);
    uv_read_start(&plain->uv.stream, on_allocate, on_read);
}

static const struct stream_operations operations = {
    .start = plain_start,
    .write = plain_write,
    .get_pending_bytes = plain_get_pending_bytes,
    .pause_reading = plain_pause_reading,
    .resume_reading = plain_resume_reading,
    .close = plain_close,
};

static bool address_is_loopback(const struct ip_address *address) {
    static const struct ip_address loopback_v6 = {.family = IP_FAMILY_V6, .bytes[15] = 1};
    if (address->family == IP_FAMILY_V4)
        return address->bytes[0] == 127;
    return ip_address_is_equal(address, &loopback_v6);
}

static void learn_peer(struct plain *plain) {
    if (plain->uv.handle.type == UV_NAMED_PIPE) {
        plain->base.is_peer_local = true;
        return;
    }
    struct sockaddr_storage peer = {0};
    int length = sizeof(peer);
    if (uv_tcp_getpeername(&plain->uv.tcp, (struct sockaddr *)&peer, &length) == 0)
        plain->base.peer = ip_address_from_sockaddr((struct sockaddr *)&peer);
    plain->base.is_peer_local = address_is_loopback(&plain->base.peer);
}

static struct plain *new_plain(struct loop *loop, uv_handle_type type) {
    struct plain *plain = calloc(1, sizeof(*plain));
    if (!plain)
        return NULL;
    plain->base = (struct stream){
        .operations = &operations,
        .loop = loop,
        .stall_timeout_ms = STALL_TIMEOUT_MS,
        .max_pending_bytes = MAX_PENDING_BYTES,
    };
    plain->share_bytes = SHARE_BYTES_FIRST;
    plain->timer.on_due = on_timer;
    // Neither can fail before a socket is asked for.
    if (type == UV_NAMED_PIPE)
        (void)uv_pipe_init(loop_get_uv(loop), &plain->uv.pipe, 0);
    else
        (void)uv_tcp_init(loop_get_uv(loop), &plain->uv.tcp);
    plain->uv.handle.data = plain;
    loop_hold(loop); // until it is closed: libuv does not wait for who neither reads nor writes
    return plain;
}

static int open_socket(struct plain *plain, int fd) {
    return plain->uv.handle.type == UV_TCP ? uv_tcp_open(&plain->uv.tcp, fd)
                                           : uv_pipe_open(&plain->uv.pipe, fd);
}

enum status stream_plain_open(struct loop *loop, uv_handle_type type, int fd,
                              struct connection_balance *balance, struct stream **ret_stream) {
    struct plain *plain = new_plain(loop, type);
    if (!plain) {
        close(fd);
        uncount(balance, loop);
        return STATUS_NO_MEMORY;
    }
    if (open_socket(plain, fd) != 0) {
        close(fd);
        uncount(balance, loop);
        close_now(plain);
        return STATUS_CLOSED;
    }
    plain->balance = balance;
    if (plain->uv.handle.type == UV_TCP)
        (void)uv_tcp_nodelay(&plain->uv.tcp, 1);
    learn_peer(plain);
    *ret_stream = &plain->base;
    return STATUS_OK;
}
