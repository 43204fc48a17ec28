// An open-loop client: calls leave on a Poisson schedule that does not wait for answers, and each latency
// counts from the scheduled instant, so that a stalled server and a late client both show. Good to about 150
// 000/s. It spins instead of sleeping, to be on time: give it a core of
// its own.
//
// usage: bench-open-loop PORT PATH BODIES RATE SECONDS WARM_UP_SECONDS CONNECTIONS [DEADLINE_MS
// [AUTHORIZATION]]
//
// BODIES is a file of framed gRPC messages, sent in turn. Prints one JSON object, latencies in microseconds;
// exits 1 unless every call was answered with grpc-status 0. With a deadline, calls may fail: each carries
// grpc-timeout and is reset when that has passed, as clients do, and `in_time_per_s` tells how many were
// good.
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

enum {
    BUFFER_SIZE = 1024 * 1024,
    FRAME_SIZE = 32 * 1024, // more than nghttp2 hands out at once
    MAX_CONNECTIONS = 256,
    MAX_BODIES = 65536,
    EVENTS = 64,
    PATIENCE_S = 5,
    FRAME_HEADER_SIZE = 5,
};

struct body {
    const uint8_t *data;
    size_t len;
};

struct call {
    uint64_t due_ns;
    const struct body *body;
    size_t sent;
    bool is_ok;

    // With a deadline, freed when it has passed.
    struct call *next;
    struct connection *connection;
    int32_t stream;
    bool has_ended;
};

struct connection {
    int fd;
    nghttp2_session *session;
};

struct options {
    uint16_t port;
    const char *path;
    double rate, seconds, warm_up_seconds;
    size_t connection_count;
    uint64_t deadline_ns; // 0 = none
    const char *authorization;
};

static struct {
    struct options options;
    struct body bodies[MAX_BODIES];
    size_t body_count;
    struct connection connections[MAX_CONNECTIONS];
    int epoll;
    char authority[32];
    uint64_t keep_from_ns; // calls due before are the warm-up
    uint64_t sent, ended, ok, in_time;
    struct call *first, **end; // whose deadlines have not passed, in their order
    char timeout[16];
    uint32_t *latencies_ns;
    size_t latency_count, latency_capacity;
    uint8_t in[BUFFER_SIZE], out[BUFFER_SIZE];
} client;

static void fail(const char *what) {
    fprintf(stderr, "bench-open-loop: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint64_t get_now_ns(void) {
    return clock_get_monotonic_ns(clock_get_system());
}

// ---- what nghttp2 asks and tells ----

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size,
                         uint32_t *ret_flags, nghttp2_data_source *source, void *data) {
    (void)session, (void)stream, (void)data;
    struct call *call = source->ptr;
    size_t left = call->body->len - call->sent, len = left < size ? left : size;
    memcpy(buffer, call->body->data + call->sent, len);
    call->sent += len;
    if (len == left)
        *ret_flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data) {
    (void)flags, (void)data;
    static const char status[] = "grpc-status";
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call && name_len == sizeof(status) - 1 && memcmp(name, status, name_len) == 0)
        call->is_ok = value_len == 1 && value[0] == '0';
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *data) {
    (void)data;
    struct call *call = nghttp2_session_get_stream_user_data(session, stream);
    if (!call)
        return 0;
    client.ended++;
    client.ok += call->is_ok && error == NGHTTP2_NO_ERROR;
    if (call->due_ns >= client.keep_from_ns && client.latency_count < client.latency_capacity) {
        uint64_t latency_ns = get_now_ns() - call->due_ns;
        client.latencies_ns[client.latency_count++] =
            latency_ns < UINT32_MAX ? (uint32_t)latency_ns : UINT32_MAX;
        client.in_time += call->is_ok && latency_ns <= client.options.deadline_ns;
    }
    call->has_ended = true;
    if (client.options.deadline_ns == 0)
        free(call);
    return 0;
}

// ---- connections ----

static nghttp2_session *make_session(struct connection *connection) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        fail("out of memory");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new(&session, callbacks, connection) != 0 ||
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) != 0 ||
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, 1 << 30) != 0)
        fail("out of memory");
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static void open_connection(struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client.options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("cannot connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection->session = make_session(connection);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(client.epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("cannot watch a connection");
}

static void write_all(int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t written = send(fd, data, len, MSG_NOSIGNAL);
        if (written < 0)
            fail("the server closed a connection");
        data += written;
        len -= (size_t)written;
    }
}

static void flush(struct connection *connection) {
    size_t len = 0;
    const uint8_t *frame;
    ssize_t frame_len = 0;
    while (len + FRAME_SIZE <= sizeof(client.out) &&
           (frame_len = nghttp2_session_mem_send(connection->session, &frame)) > 0) {
        memcpy(client.out + len, frame, (size_t)frame_len);
        len += (size_t)frame_len;
    }
    if (frame_len < 0)
        fail("out of memory");
    write_all(connection->fd, client.out, len);
}

static void receive(struct connection *connection) {
    ssize_t len = recv(connection->fd, client.in, sizeof(client.in), MSG_DONTWAIT);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0)
        fail("the server closed a connection");
    if (nghttp2_session_mem_recv(connection->session, client.in, (size_t)len) < 0)
        fail("the server broke HTTP/2");
}

// why not spin with a deadline: the server that is overloaded may need this core.
static void receive_what_came(uint64_t next_ns) {
    struct epoll_event events[EVENTS];
    uint64_t now_ns = get_now_ns();
    bool may_wait = client.options.deadline_ns > 0 && next_ns > now_ns;
    struct timespec wait = {
        .tv_nsec = may_wait ? (long)(next_ns - now_ns < 1000000 ? next_ns - now_ns : 1000000) : 0};
    int count = epoll_pwait2(client.epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < count; i++)
        receive(events[i].data.ptr);
}

// ---- the schedule ----

static nghttp2_nv field(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void keep_until_deadline(struct call *call) {
    *client.end = call;
    client.end = &call->next;
}

static void end_late_calls(uint64_t now_ns) {
    while (client.first && client.first->due_ns + client.options.deadline_ns <= now_ns) {
        struct call *call = client.first;
        client.first = call->next;
        if (!client.first)
            client.end = &client.first;
        if (!call->has_ended)
            nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream,
                                      NGHTTP2_CANCEL);
        nghttp2_session_set_stream_user_data(call->connection->session, call->stream, NULL);
        client.ended += !call->has_ended;
        free(call);
    }
}

static void submit(struct connection *connection, uint64_t due_ns) {
    const nghttp2_nv headers[] = {
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", client.options.path),
        field(":authority", client.authority),
        field("content-type", "application/grpc"),
        field("te", "trailers"),
        field("user-agent", "grpc-bench"),
        field("grpc-timeout", client.timeout),
        field("authorization", client.options.authorization),
    };
    size_t count =
        ARRAY_LENGTH(headers) - (client.options.deadline_ns == 0 ? 2 : !*client.options.authorization);
    struct call *call = calloc(1, sizeof(*call));
    if (!call)
        fail("out of memory");
    call->due_ns = due_ns;
    call->body = &client.bodies[client.sent % client.body_count];
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
    call->connection = connection;
    call->stream = nghttp2_submit_request(connection->session, NULL, headers, count, &provider, call);
    if (call->stream < 0)
        fail("a call was refused by nghttp2");
    if (client.options.deadline_ns > 0)
        keep_until_deadline(call);
    client.sent++;
}

static uint64_t draw_interval_ns(void) {
    return (uint64_t)(-log(1 - drand48()) * 1e9 / client.options.rate);
}

static void run(void) {
    const struct options *options = &client.options;
    uint64_t next_ns = get_now_ns() + 50000000;
    client.keep_from_ns = next_ns + (uint64_t)(options->warm_up_seconds * 1e9);
    uint64_t end_ns = client.keep_from_ns + (uint64_t)(options->seconds * 1e9);
    for (;;) {
        uint64_t now_ns = get_now_ns();
        for (; next_ns <= now_ns && next_ns < end_ns; next_ns += draw_interval_ns())
            submit(&client.connections[client.sent % options->connection_count], next_ns);
        if (options->deadline_ns > 0)
            end_late_calls(now_ns);
        for (size_t i = 0; i < options->connection_count; i++)
            if (nghttp2_session_want_write(client.connections[i].session))
                flush(&client.connections[i]);
        receive_what_came(next_ns);
        bool is_over = next_ns >= end_ns && client.ended == client.sent;
        if (is_over || now_ns > end_ns + PATIENCE_S * UINT64_C(1000000000))
            return;
    }
}

// ---- before and after ----

static void read_bodies(const char *path) {
    size_t len = 0;
    uint8_t *data = malloc(BUFFER_SIZE * 16);
    FILE *file = fopen(path, "rb");
    if (!data || !file)
        fail("cannot read the bodies");
    len = fread(data, 1, BUFFER_SIZE * 16, file);
    fclose(file);
    while (len >= FRAME_HEADER_SIZE && client.body_count < MAX_BODIES) {
        size_t body_len = FRAME_HEADER_SIZE + ((size_t)data[1] << 24 | (size_t)data[2] << 16 |
                                               (size_t)data[3] << 8 | (size_t)data[4]);
        if (body_len > len)
            break;
        client.bodies[client.body_count++] = (struct body){data, body_len};
        data += body_len;
        len -= body_len;
    }
    if (client.body_count == 0)
        fail("there is no framed message in the file of bodies");
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double get_quantile_us(double quantile) {
    size_t count = client.latency_count, at = (size_t)((double)count * quantile);
    return count == 0 ? 0 : client.latencies_ns[at < count ? at : count - 1] / 1e3;
}

static void print_result(void) {
    qsort(client.latencies_ns, client.latency_count, sizeof(*client.latencies_ns), compare);
    printf("{\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, ",
           get_quantile_us(.5), get_quantile_us(.9), get_quantile_us(.99), get_quantile_us(.999),
           get_quantile_us(1));
    printf("\"measured\": %zu, \"sent\": %lu, \"ok\": %lu, \"unanswered\": %lu, \"in_time_per_s\": %.1f}\n",
           client.latency_count, client.sent, client.ok, client.sent - client.ended,
           (double)client.in_time / client.options.seconds);
}

static struct options parse_options(int argc, char **argv) {
    struct options options = {
        .port = (uint16_t)strtoul(argv[1], NULL, 10),
        .path = argv[2],
        .rate = strtod(argv[4], NULL),
        .seconds = strtod(argv[5], NULL),
        .warm_up_seconds = strtod(argv[6], NULL),
        .connection_count = strtoul(argv[7], NULL, 10),
        .deadline_ns = argc > 8 ? strtoull(argv[8], NULL, 10) * 1000000 : 0,
        .authorization = argc > 9 ? argv[9] : "",
    };
    if (options.port == 0 || options.rate <= 0 || options.seconds <= 0 || options.connection_count == 0 ||
        options.connection_count > MAX_CONNECTIONS)
        fail("an option is out of range");
    return options;
}

int main(int argc, char **argv) {
    if (argc < 8 || argc > 10)
        fail("usage: bench-open-loop PORT PATH BODIES RATE SECONDS WARM_UP_SECONDS CONNECTIONS [DEADLINE_MS "
             "[AUTHORIZATION]]");
    client.options = parse_options(argc, argv);
    client.end = &client.first;
    snprintf(client.timeout, sizeof(client.timeout), "%lum", client.options.deadline_ns / 1000000);
    read_bodies(argv[3]);
    client.latency_capacity = (size_t)(client.options.rate * client.options.seconds * 1.2) + 1000;
    client.latencies_ns = calloc(client.latency_capacity, sizeof(*client.latencies_ns));
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!client.latencies_ns || client.epoll < 0)
        fail("out of memory");
    snprintf(client.authority, sizeof(client.authority), "127.0.0.1:%u", client.options.port);
    for (size_t i = 0; i < client.options.connection_count; i++)
        open_connection(&client.connections[i]);
    run();
    print_result();
    bool may_fail = client.options.deadline_ns > 0;
    return may_fail || client.ok == client.sent ? EXIT_SUCCESS : EXIT_FAILURE;
}
