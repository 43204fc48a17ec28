// The limit: the least that a unary gRPC answer costs on nghttp2. One thread and epoll; every request gets
// the same 20-byte message and grpc-status 0, no header is looked at and no message is decoded. A yardstick
// for the transport, not a server. usage: bench-limit; prints "listening ADDRESS" and serves until it is
// ended.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

enum {
    MAX_STREAMS = 1000,
    EVENTS = 64,
    BUFFER_SIZE = 256 * 1024,
    FRAME_SIZE = 32 * 1024, // more than nghttp2 hands out at once
};

// nghttp2's frames wait in `out` until the turn's single write; what a write leaves, until the socket can
// take more, and nothing is read meanwhile.
struct connection {
    int fd;
    bool is_blocked;
    nghttp2_session *session;
    size_t out_len;
    uint8_t out[BUFFER_SIZE];
};

struct limit {
    int epoll;
    int listener;
    nghttp2_session_callbacks *callbacks;
    uint8_t in[BUFFER_SIZE];
};

#define FIELD(name, value)                                                          \
    {                                                                               \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE            \
    }

// Uncompressed, 20 bytes long.
static const uint8_t answer[25] = {0, 0, 0, 0, 20};
static const nghttp2_nv headers[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
static const nghttp2_nv trailers[] = {FIELD("grpc-status", "0")};

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size,
                           uint32_t *ret_flags, nghttp2_data_source *source, void *data) {
    (void)size, (void)source, (void)data;
    memcpy(buffer, answer, sizeof(answer));
    *ret_flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, stream, trailers, ARRAY_LENGTH(trailers));
    return sizeof(answer);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data) {
    (void)data;
    bool is_of_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!is_of_request || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    nghttp2_data_provider provider = {.read_callback = read_answer};
    return nghttp2_submit_response(session, frame->hd.stream_id, headers, ARRAY_LENGTH(headers), &provider);
}

static bool collect_frames(struct connection *connection) {
    while (connection->out_len + FRAME_SIZE <= sizeof(connection->out)) {
        const uint8_t *frame;
        ssize_t len = nghttp2_session_mem_send(connection->session, &frame);
        if (len <= 0)
            return len == 0;
        memcpy(connection->out + connection->out_len, frame, (size_t)len);
        connection->out_len += (size_t)len;
    }
    return true;
}

static bool write_frames(struct connection *connection) {
    ssize_t written = write(connection->fd, connection->out, connection->out_len);
    connection->is_blocked = written < 0 && errno == EAGAIN;
    if (written < 0)
        return connection->is_blocked;
    connection->out_len -= (size_t)written;
    memmove(connection->out, connection->out + written, connection->out_len);
    return true;
}

static bool flush(struct connection *connection) {
    do {
        if (!collect_frames(connection))
            return false;
        if (connection->out_len == 0)
            return true;
        if (!write_frames(connection))
            return false;
    } while (!connection->is_blocked);
    return true;
}

static bool receive(struct limit *limit, struct connection *connection) {
    ssize_t len = read(connection->fd, limit->in, sizeof(limit->in));
    if (len < 0 && errno == EAGAIN)
        return true;
    return len > 0 && nghttp2_session_mem_recv(connection->session, limit->in, (size_t)len) >= 0 &&
           flush(connection);
}

static bool watch(struct limit *limit, struct connection *connection, int operation) {
    struct epoll_event event = {.events = connection->is_blocked ? EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    return epoll_ctl(limit->epoll, operation, connection->fd, &event) == 0;
}

static void connection_free(struct connection *connection) {
    close(connection->fd);
    nghttp2_session_del(connection->session);
    free(connection);
}

static void on_connection(struct limit *limit, struct connection *connection) {
    bool was_blocked = connection->is_blocked;
    bool is_alive = was_blocked ? flush(connection) : receive(limit, connection);
    if (is_alive && connection->is_blocked != was_blocked)
        is_alive = watch(limit, connection, EPOLL_CTL_MOD);
    if (!is_alive)
        connection_free(connection);
}

static void accept_connection(struct limit *limit) {
    int one = 1, fd = accept4(limit->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        abort();
    connection->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS}};
    if (nghttp2_session_server_new(&connection->session, limit->callbacks, connection) != 0 ||
        nghttp2_submit_settings(connection->session, 0, settings, ARRAY_LENGTH(settings)) != 0 ||
        !flush(connection) || !watch(limit, connection, EPOLL_CTL_ADD))
        connection_free(connection);
}

static void serve(struct limit *limit) {
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(limit->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                on_connection(limit, events[i].data.ptr);
            else
                accept_connection(limit);
    }
}

static bool listen_somewhere(struct limit *limit) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}; // no connection: the listener
    limit->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(limit->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(limit->listener, SOMAXCONN) != 0 ||
        getsockname(limit->listener, (struct sockaddr *)&address, &len) != 0 ||
        epoll_ctl(limit->epoll, EPOLL_CTL_ADD, limit->listener, &event) != 0)
        return false;
    printf("listening 127.0.0.1:%u\n", ntohs(address.sin_port));
    return fflush(stdout) == 0;
}

int main(void) {
    static struct limit limit;
    signal(SIGPIPE, SIG_IGN);
    limit.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (limit.epoll < 0 || nghttp2_session_callbacks_new(&limit.callbacks) != 0 ||
        !listen_somewhere(&limit)) {
        perror("bench-limit");
        return EXIT_FAILURE;
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(limit.callbacks, on_frame);
    serve(&limit);
}
