// An open-loop client: calls leave on a Poisson schedule that does not wait for answers, and each latency
// counts from the scheduled instant, so that a stalled server and a late client both show. It spins instead
// of sleeping, to be on time: give it a core of its own.
//
// usage: bench-open-loop [tls:]PORT PATH BODIES RATE SECONDS WARM_UP_SECONDS CONNECTIONS [DEADLINE_MS
// [AUTHORIZATION]]
//
// BODIES is a file of framed gRPC messages, sent in turn. RATE is a number of calls a second, or xN: a closed
// loop of N calls under way on each connection. Prints one JSON object, latencies in microseconds; exits 1
// unless every call was answered. With a deadline, calls may fail: each carries grpc-timeout and is reset
// when that has passed, as clients do, and `in_time_per_s` tells how many were good.
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "tests/bench/lean_client.h"

enum {
    BODY_SIZE_MAX = 4096,
    MAX_CONNECTIONS = 256,
    MAX_BODIES = 1 << 20,
    MAX_LATENCIES = 32 * 1024 * 1024,
    EVENTS = 256,
    PATIENCE_S = 5,
    FRAME_HEADER_SIZE = 5,
};

struct options {
    double rate;      // 0 = a closed loop
    size_t under_way; // of which on each connection
    double seconds, warm_up_seconds;
    size_t connection_count;
};

static struct {
    struct options options;
    struct lean_options lean;
    struct lean_body bodies[MAX_BODIES];
    struct lean_connection *connections[MAX_CONNECTIONS];
    int epoll;
    uint64_t keep_from_ns, keep_to_ns; // the calls that are due between are measured
    uint64_t sent, ended, ok, in_time, connects;
    uint32_t *latencies_ns;
    size_t latency_count;
} client;

static uint64_t get_now_ns(void) {
    return clock_get_monotonic_ns(clock_get_system());
}

static void on_end(uint64_t due_ns, bool is_ok) {
    client.ended++;
    client.ok += is_ok;
    if (due_ns < client.keep_from_ns || due_ns >= client.keep_to_ns || client.latency_count == MAX_LATENCIES)
        return;
    uint64_t latency_ns = get_now_ns() - due_ns;
    client.latencies_ns[client.latency_count++] = latency_ns < UINT32_MAX ? (uint32_t)latency_ns : UINT32_MAX;
    client.in_time += is_ok && (client.lean.deadline_ns == 0 || latency_ns <= client.lean.deadline_ns);
}

static void on_connect(struct lean_connection *connection) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    client.connects++;
    if (epoll_ctl(client.epoll, EPOLL_CTL_ADD, connection->wire.fd, &event) != 0)
        lean_fail("cannot watch a connection");
}

// ---- the schedule ----

static uint64_t draw_interval_ns(void) {
    return (uint64_t)(-log(1 - drand48()) * 1e9 / client.options.rate);
}

static void submit_what_is_due(uint64_t now_ns, uint64_t *next_ns) {
    const struct options *options = &client.options;
    for (; options->rate > 0 && *next_ns <= now_ns && *next_ns < client.keep_to_ns;
         *next_ns += draw_interval_ns())
        lean_submit(client.connections[client.sent++ % options->connection_count], *next_ns);
    for (size_t i = 0; options->rate == 0 && now_ns < client.keep_to_ns && i < options->connection_count; i++)
        for (; lean_count_unanswered(client.connections[i]) < options->under_way; client.sent++)
            lean_submit(client.connections[i], now_ns);
}

// why not spin with a deadline: the server that is overloaded may need this core.
static void receive_what_came(uint64_t next_ns) {
    struct epoll_event events[EVENTS];
    uint64_t now_ns = get_now_ns();
    bool may_wait = client.lean.deadline_ns > 0 && next_ns > now_ns;
    struct timespec wait = {
        .tv_nsec = may_wait ? (long)(next_ns - now_ns < 1000000 ? next_ns - now_ns : 1000000) : 0};
    int count = epoll_pwait2(client.epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < count; i++)
        lean_receive(events[i].data.ptr);
}

static void run(void) {
    const struct options *options = &client.options;
    uint64_t next_ns = get_now_ns() + 50000000;
    client.keep_from_ns = next_ns + (uint64_t)(options->warm_up_seconds * 1e9);
    client.keep_to_ns = client.keep_from_ns + (uint64_t)(options->seconds * 1e9);
    for (;;) {
        uint64_t now_ns = get_now_ns();
        submit_what_is_due(now_ns, &next_ns);
        for (size_t i = 0; i < options->connection_count; i++)
            lean_send(client.connections[i], now_ns);
        receive_what_came(options->rate > 0 ? next_ns : now_ns);
        bool is_over = now_ns >= client.keep_to_ns && client.ended == client.sent;
        if (is_over || now_ns > client.keep_to_ns + PATIENCE_S * UINT64_C(1000000000))
            return;
    }
}

// ---- before and after ----

static const uint8_t *map_file(const char *path, size_t *ret_len) {
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size == 0)
        lean_fail("cannot read the bodies");
    *ret_len = (size_t)stat.st_size;
    void *data = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        lean_fail("cannot read the bodies");
    return data;
}

static void read_bodies(const char *path) {
    size_t len;
    const uint8_t *data = map_file(path, &len);
    while (len >= FRAME_HEADER_SIZE && client.lean.body_count < MAX_BODIES) {
        size_t body_len = FRAME_HEADER_SIZE + ((size_t)data[1] << 24 | (size_t)data[2] << 16 |
                                               (size_t)data[3] << 8 | (size_t)data[4]);
        if (body_len > len || body_len > BODY_SIZE_MAX)
            break;
        client.bodies[client.lean.body_count++] = (struct lean_body){data, body_len};
        data += body_len;
        len -= body_len;
    }
    if (client.lean.body_count == 0)
        lean_fail("there is no small framed message in the file of bodies");
    client.lean.bodies = client.bodies;
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
    printf("\"measured\": %zu, \"sent\": %lu, \"ok\": %lu, \"unanswered\": %lu, \"connects\": %lu, "
           "\"in_time_per_s\": %.1f}\n",
           client.latency_count, client.sent, client.ok, client.sent - client.ended, client.connects,
           (double)client.in_time / client.options.seconds);
}

static void parse_options(int argc, char **argv) {
    bool is_closed = argv[4][0] == 'x';
    client.options = (struct options){
        .rate = is_closed ? 0 : strtod(argv[4], NULL),
        .under_way = is_closed ? strtoul(argv[4] + 1, NULL, 10) : 0,
        .seconds = strtod(argv[5], NULL),
        .warm_up_seconds = strtod(argv[6], NULL),
        .connection_count = strtoul(argv[7], NULL, 10),
    };
    bool is_tls = strncmp(argv[1], "tls:", 4) == 0;
    client.lean = (struct lean_options){
        .port = (uint16_t)strtoul(argv[1] + (is_tls ? 4 : 0), NULL, 10),
        .tls = is_tls ? lean_wire_new_tls() : NULL,
        .path = argv[2],
        .deadline_ns = argc > 8 ? strtoull(argv[8], NULL, 10) * 1000000 : 0,
        .authorization = argc > 9 ? argv[9] : "",
        .on_end = on_end,
        .on_connect = on_connect,
    };
    const struct options *options = &client.options;
    if (client.lean.port == 0 || is_tls != (client.lean.tls != NULL) ||
        (options->rate <= 0 && options->under_way == 0) || options->seconds <= 0 ||
        options->connection_count == 0 || options->connection_count > MAX_CONNECTIONS)
        lean_fail("an option is out of range");
}

static void open_connections(void) {
    for (size_t i = 0; i < client.options.connection_count; i++) {
        struct lean_connection *connection = calloc(1, sizeof(*connection));
        if (!connection)
            lean_fail("out of memory");
        client.connections[i] = connection;
        lean_open(connection, &client.lean);
        // Elsewhere than the others, or what one has just asked about is in the server's cache.
        connection->next_body = i * client.lean.body_count / client.options.connection_count;
    }
}

int main(int argc, char **argv) {
    if (argc < 8 || argc > 10)
        lean_fail(
            "usage: bench-open-loop [tls:]PORT PATH BODIES RATE SECONDS WARM_UP_SECONDS CONNECTIONS [DEADLINE_MS "
            "[AUTHORIZATION]]");
    parse_options(argc, argv);
    read_bodies(argv[3]);
    client.latencies_ns = calloc(MAX_LATENCIES, sizeof(*client.latencies_ns));
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!client.latencies_ns || client.epoll < 0)
        lean_fail("out of memory");
    open_connections();
    run();
    print_result();
    bool may_fail = client.lean.deadline_ns > 0;
    return may_fail || client.ok == client.sent ? EXIT_SUCCESS : EXIT_FAILURE;
}
