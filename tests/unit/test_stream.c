// Streams and listeners over real sockets: a loop thread serves, the test is the client.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/net/listener.h"
#include "tests/unit/unit.h"

enum mode {
    MODE_ECHO,     // sends back what comes
    MODE_FLOOD,    // on the first byte writes more than any socket takes
    MODE_STALL,    // the same, and is soon out of patience
    MODE_OVERFILL, // goes on writing until stream_write() refuses
    MODE_CLOSE,    // on the first byte writes a lot and closes with STREAM_CLOSE_FLUSH
    MODE_SWALLOW,  // takes what comes, at once
    MODE_LABOUR,   // takes what comes, slowly
    MODE_PAUSE,    // on the first byte reads no more, and is closed some time after the loop's stop has begun
};

enum {
    FLOOD_BYTES = 8 * 1024 * 1024,
    STALL_MS = 100,
    PATIENT_MS = 60000,
    USER_TIMEOUT_MS = 1234,
    LABOUR_NS = 1000000,
    SMALL_READ_BYTES = 4 * 1024,
    LATE_CLOSE_NS = 20 * 1000000,
    DRIP_BYTES = 16 * 1024,
    DRIP_MS = 100,
    END_MS = 10000,
};

// One connection; the test waits for `is_ended`.
struct peer {
    enum mode mode;
    struct stream *stream;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_ended;
    bool is_drained;
    bool is_paused;
    enum stream_end why;
    enum status refused;
    bool is_local;
    struct ip_address address;
    size_t first_read, largest_read, smallest_read; // where it takes what comes
};

static struct peer peer;
static struct loop_group *group;
static struct listener *listener;
static uint8_t flood[FLOOD_BYTES];

static void tell(bool *condition) {
    pthread_mutex_lock(&peer.mutex);
    *condition = true;
    pthread_cond_broadcast(&peer.changed);
    pthread_mutex_unlock(&peer.mutex);
}

static void tell_ended(enum stream_end why) {
    peer.why = why;
    tell(&peer.is_ended);
}

static void close_peer(enum stream_close how) {
    if (peer.stream)
        stream_close(peer.stream, how);
    peer.stream = NULL;
}

static void overfill(void) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK)
        status = stream_write(peer.stream, bytes_of(flood, 64 * 1024));
    peer.refused = status;
    close_peer(STREAM_CLOSE_NOW);
    tell_ended(STREAM_END_RESET);
}

static void labour(void) {
    const struct clock *clock = clock_get_system();
    uint64_t until_ns = clock_get_monotonic_ns(clock) + LABOUR_NS;
    while (clock_get_monotonic_ns(clock) < until_ns)
        ;
}

static void take(size_t len) {
    if (peer.first_read == 0)
        peer.first_read = peer.smallest_read = len;
    peer.largest_read = len > peer.largest_read ? len : peer.largest_read;
    peer.smallest_read = len < peer.smallest_read ? len : peer.smallest_read;
    if (peer.mode == MODE_LABOUR)
        labour();
}

static void on_read(void *context, struct bytes bytes) {
    (void)context;
    if (peer.mode == MODE_SWALLOW || peer.mode == MODE_LABOUR) {
        take(bytes.len);
        return;
    }
    if (peer.mode == MODE_PAUSE) {
        stream_pause_reading(peer.stream);
        tell(&peer.is_paused);
        return;
    }
    struct bytes answer = peer.mode == MODE_ECHO ? bytes : bytes_of(flood, sizeof(flood));
    if (peer.mode == MODE_OVERFILL) {
        overfill();
        return;
    }
    stream_set_write_limits(peer.stream, peer.mode == MODE_STALL ? STALL_MS : PATIENT_MS, SIZE_MAX);
    if (stream_write(peer.stream, answer) != STATUS_OK)
        abort();
    if (peer.mode == MODE_CLOSE) {
        close_peer(STREAM_CLOSE_FLUSH);
        tell_ended(STREAM_END_PEER_CLOSED);
    }
}

static void on_drained(void *context) {
    (void)context;
    tell(&peer.is_drained);
}

static void on_end(void *context, enum stream_end why) {
    (void)context;
    close_peer(STREAM_CLOSE_NOW);
    tell_ended(why);
}

static const struct stream_callbacks callbacks = {on_read, on_drained, on_end};

static void on_accept(void *context, struct loop *loop, struct stream *stream) {
    (void)context, (void)loop;
    if (peer.stream)
        abort();
    peer.stream = stream;
    peer.is_local = stream_is_peer_local(stream);
    peer.address = *stream_get_peer(stream);
    stream_start(stream, &callbacks, NULL);
}

static void on_late_close(struct timer *timer) {
    (void)timer;
    close_peer(STREAM_CLOSE_NOW);
}

static struct timer late_close = {.on_due = on_late_close};

static void on_stop(struct loop_task *task) {
    (void)task;
    if (peer.mode != MODE_PAUSE) {
        close_peer(STREAM_CLOSE_NOW);
        return;
    }
    struct loop *loop = loop_group_get_loop(group, 0);
    loop_arm_timer(loop, &late_close, loop_get_monotonic_ns(loop) + LATE_CLOSE_NS);
}

static struct loop_task stop_task = {.run = on_stop};

static void serve(enum mode mode, const char *address) {
    char error[256];
    peer.mode = mode;
    peer.stream = NULL;
    peer.is_ended = peer.is_drained = peer.is_paused = false;
    peer.first_read = peer.largest_read = peer.smallest_read = 0;
    const struct listener_options options = {
        .address = address, .user_timeout_ms = USER_TIMEOUT_MS, .on_accept = on_accept};
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    loop_add_stop_task(loop_group_get_loop(group, 0), &stop_task);
    assert_int_equal(listener_new(group, &options, error, sizeof(error), &listener), STATUS_OK);
    assert_int_equal(loop_group_start(group), STATUS_OK);
}

static void stop(void) {
    loop_group_stop(group);
    listener_free(listener);
    loop_group_free(group);
}

static int connect_tcp(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(listener_get_port(listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void wait_for(const bool *condition) {
    pthread_mutex_lock(&peer.mutex);
    while (!*condition && !peer.is_ended)
        pthread_cond_wait(&peer.changed, &peer.mutex);
    pthread_mutex_unlock(&peer.mutex);
    assert_true(*condition);
}

// A client that has sent a byte.
static int connect_and_begin(void) {
    int fd = connect_tcp();
    assert_int_equal(write(fd, "x", 1), 1);
    return fd;
}

static size_t read_all(int fd) {
    static uint8_t data[65536];
    size_t total = 0;
    for (;;) {
        ssize_t len = read(fd, data, sizeof(data));
        if (len <= 0)
            return total;
        total += (size_t)len;
    }
}

static void what_is_written_comes_back(void **state) {
    (void)state;
    serve(MODE_ECHO, "127.0.0.1:0");
    int fd = connect_tcp();
    char data[5];
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(recv(fd, data, sizeof(data), MSG_WAITALL), 5);
    assert_memory_equal(data, "hello", 5);
    shutdown(fd, SHUT_WR);
    wait_for(&peer.is_ended);
    assert_int_equal(peer.why, STREAM_END_PEER_CLOSED);
    assert_true(peer.is_local);
    assert_int_equal(peer.address.family, IP_FAMILY_V4);
    close(fd);
    stop();
}

static void a_unix_socket_has_no_address_and_leaves_no_path(void **state) {
    (void)state;
    char path[64], address[80];
    snprintf(path, sizeof(path), "/tmp/test_stream.%d", (int)getpid());
    snprintf(address, sizeof(address), "unix:%s", path);
    serve(MODE_ECHO, address);
    assert_string_equal(listener_get_address(listener), address);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    wait_for(&peer.is_ended);
    assert_true(peer.is_local);
    assert_int_equal(peer.address.family, IP_FAMILY_NONE);
    stop();
    assert_int_equal(access(path, F_OK), -1);
}

static void a_reset_is_told(void **state) {
    (void)state;
    serve(MODE_ECHO, "127.0.0.1:0");
    int fd = connect_and_begin();
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
    struct linger abort_at_close = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof(abort_at_close));
    close(fd);
    wait_for(&peer.is_ended);
    assert_int_equal(peer.why, STREAM_END_RESET);
    stop();
}

static void what_the_socket_does_not_take_is_kept_and_leaves_later(void **state) {
    (void)state;
    serve(MODE_FLOOD, "127.0.0.1:0");
    int fd = connect_and_begin();
    uint8_t *data = malloc(FLOOD_BYTES);
    assert_int_equal(recv(fd, data, FLOOD_BYTES, MSG_WAITALL), FLOOD_BYTES);
    assert_memory_equal(data, flood, FLOOD_BYTES);
    wait_for(&peer.is_drained);
    free(data);
    close(fd);
    wait_for(&peer.is_ended);
    stop();
}

static void a_peer_that_takes_nothing_is_told_as_stalled(void **state) {
    (void)state;
    serve(MODE_STALL, "127.0.0.1:0");
    int fd = connect_and_begin();
    wait_for(&peer.is_ended);
    assert_int_equal(peer.why, STREAM_END_WRITE_STALLED);
    close(fd);
    stop();
}

static void more_than_the_cap_is_refused(void **state) {
    (void)state;
    serve(MODE_OVERFILL, "127.0.0.1:0");
    int fd = connect_and_begin();
    wait_for(&peer.is_ended);
    assert_int_equal(peer.refused, STATUS_EXHAUSTED);
    close(fd);
    stop();
}

static void closing_with_flush_delivers_everything_first(void **state) {
    (void)state;
    serve(MODE_CLOSE, "127.0.0.1:0");
    int fd = connect_and_begin();
    wait_for(&peer.is_ended);
    // What the client still sends does not turn the answer into a reset.
    assert_int_equal(write(fd, "more", 4), 4);
    assert_int_equal(read_all(fd), FLOOD_BYTES);
    close(fd);
    stop();
}

static void send_and_end(size_t len) {
    int fd = connect_tcp();
    assert_int_equal(send(fd, flood, len, MSG_NOSIGNAL), len);
    close(fd);
    wait_for(&peer.is_ended);
    stop();
}

static void cheap_bytes_are_read_in_ever_larger_portions(void **state) {
    (void)state;
    serve(MODE_SWALLOW, "127.0.0.1:0");
    send_and_end(FLOOD_BYTES);
    assert_in_range(peer.first_read, 1, SMALL_READ_BYTES);
    assert_int_equal(peer.largest_read, STREAM_READ_BYTES);
}

static void bytes_that_take_long_are_read_in_small_portions(void **state) {
    (void)state;
    serve(MODE_LABOUR, "127.0.0.1:0");
    send_and_end(64 * SMALL_READ_BYTES);
    assert_in_range(peer.largest_read, 1, SMALL_READ_BYTES);
    assert_in_range(peer.smallest_read, 1, SMALL_READ_BYTES / 2);
}

// Listening.

static enum status try_listen(const char *address, char *ret_error, size_t error_size) {
    struct loop_group *own;
    struct listener *made = NULL;
    assert_int_equal(loop_group_new(2, clock_get_system(), &own), STATUS_OK);
    const struct listener_options options = {.address = address, .on_accept = on_accept};
    enum status status = listener_new(own, &options, ret_error, error_size, &made);
    loop_group_stop(own);
    listener_free(made);
    loop_group_free(own);
    return status;
}

static void every_loop_listens_on_the_port_that_the_first_has_picked(void **state) {
    (void)state;
    char error[256];
    struct loop_group *own;
    struct listener *made;
    assert_int_equal(loop_group_new(4, clock_get_system(), &own), STATUS_OK);
    const struct listener_options options = {.address = "[::1]:0", .on_accept = on_accept};
    assert_int_equal(listener_new(own, &options, error, sizeof(error), &made), STATUS_OK);
    char expected[64];
    snprintf(expected, sizeof(expected), "[::1]:%u", listener_get_port(made));
    assert_int_not_equal(listener_get_port(made), 0);
    assert_string_equal(listener_get_address(made), expected);
    loop_group_stop(own);
    listener_free(made);
    loop_group_free(own);
}

static void an_address_in_use_is_told_even_to_the_same_user(void **state) {
    (void)state;
    char error[256] = "";
    serve(MODE_ECHO, "127.0.0.1:0");
    assert_int_equal(try_listen(listener_get_address(listener), error, sizeof(error)), STATUS_ALREADY_EXISTS);
    assert_non_null(strstr(error, listener_get_address(listener)));
    assert_non_null(strstr(error, "in use"));
    stop();
}

static void what_is_no_address_is_refused_with_a_sentence(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",          "7070",          "127.0.0.1",    "127.0.0.1:", "127.0.0.1:70700",
        "::1:7070",  "[::1]",         "localhost:80", "unix:",      "010.0.0.1:80",
        "1.2.3.4:x", "[::1%lo]:7070", "127.0.0.1:-1", ":7070",      "127.0.0.1: 7070"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        char error[256] = "";
        assert_int_equal(try_listen(bad[i], error, sizeof(error)), STATUS_INVALID);
        assert_non_null(strstr(error, "type "));
        assert_false(listener_address_is_local(bad[i]));
    }
}

static void an_address_of_another_machine_is_refused(void **state) {
    (void)state;
    char error[256] = "";
    assert_int_equal(try_listen("192.0.2.1:0", error, sizeof(error)), STATUS_INVALID);
    assert_non_null(strstr(error, "does not have the address"));
}

static void only_loopback_and_unix_are_local(void **state) {
    (void)state;
    assert_true(listener_address_is_local("127.0.0.1:7070"));
    assert_true(listener_address_is_local("127.8.9.10:7070"));
    assert_true(listener_address_is_local("[::1]:7070"));
    assert_true(listener_address_is_local("unix:/run/latchkey"));
    assert_false(listener_address_is_local("*:7070"));
    assert_false(listener_address_is_local("0.0.0.0:7070"));
    assert_false(listener_address_is_local("[::]:7070"));
    assert_false(listener_address_is_local("192.168.1.1:7070"));
}

static void a_path_left_by_a_dead_process_is_taken_over_but_not_a_live_one(void **state) {
    (void)state;
    char path[64], address[80], error[256];
    snprintf(path, sizeof(path), "/tmp/test_stream_stale.%d", (int)getpid());
    snprintf(address, sizeof(address), "unix:%s", path);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(try_listen(address, error, sizeof(error)), STATUS_ALREADY_EXISTS);
    close(fd);
    assert_int_equal(try_listen(address, error, sizeof(error)), STATUS_OK);
    unlink(path);
}

static bool is_answered_within(int fd, int timeout_ms) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, timeout_ms) == 1;
}

static void without_descriptors_a_connection_waits_and_is_served_later(void **state) {
    (void)state;
    serve(MODE_ECHO, "127.0.0.1:0");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    none = (struct rlimit){(rlim_t)lowest, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(listener_get_port(listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char byte = 0;
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_false(is_answered_within(fd, 300));
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(fd);
    wait_for(&peer.is_ended);
    stop();
}

// Sends until nothing is taken any more for a while, or the connection is gone.
static size_t send_all_that_is_taken(int fd) {
    size_t sent = 0;
    for (;;) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        ssize_t length =
            poll(&writable, 1, 300) == 1 ? send(fd, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
        if (length < 0)
            return sent;
        sent += (size_t)length;
    }
}

static void who_has_been_closed_is_not_read_for_ever(void **state) {
    (void)state;
    serve(MODE_CLOSE, "127.0.0.1:0");
    int fd = connect_tcp();
    assert_true(send_all_that_is_taken(fd) < 64 * 1024 * 1024); // a megabyte, and what sockets hold
    stop();                                                     // waits until it is closed
    close(fd);
}

// The server's end of the connection in this process.
static int find_other_end(int fd) {
    struct sockaddr_in here, there;
    socklen_t length = sizeof(here);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &length), 0);
    for (int other = 3; other < 1024; other++) {
        length = sizeof(there);
        if (getpeername(other, (struct sockaddr *)&there, &length) == 0 && there.sin_port == here.sin_port)
            return other;
    }
    return -1;
}

static void a_stop_waits_for_who_neither_reads_nor_writes(void **state) {
    (void)state;
    serve(MODE_PAUSE, "127.0.0.1:0");
    int fd = connect_and_begin();
    wait_for(&peer.is_paused);
    stop();
    assert_null(peer.stream);
    close(fd);
}

static void *take_little_by_little(void *data) {
    static uint8_t bytes[DRIP_BYTES];
    int fd = *(int *)data;
    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        poll(NULL, 0, DRIP_MS);
    return NULL;
}

static void a_stop_does_not_wait_for_who_takes_the_last_bytes_little_by_little(void **state) {
    (void)state;
    const struct clock *clock = clock_get_system();
    pthread_t thread;
    int size = DRIP_BYTES;
    serve(MODE_CLOSE, "127.0.0.1:0");
    int fd = connect_tcp();
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    assert_int_equal(write(fd, "x", 1), 1);
    wait_for(&peer.is_ended);
    assert_int_equal(pthread_create(&thread, NULL, take_little_by_little, &fd), 0);
    uint64_t begun_ns = clock_get_monotonic_ns(clock);
    stop();
    uint64_t took_ms = (clock_get_monotonic_ns(clock) - begun_ns) / 1000000;
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    assert_in_range(took_ms, 0, END_MS);
}

// WIRE.md, point 58.
static void a_connection_gives_up_when_the_network_takes_nothing(void **state) {
    (void)state;
    serve(MODE_ECHO, "127.0.0.1:0");
    int fd = connect_and_begin(), timeout_ms = 0;
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
    socklen_t length = sizeof(timeout_ms);
    assert_int_equal(getsockopt(find_other_end(fd), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &length), 0);
    assert_int_equal(timeout_ms, USER_TIMEOUT_MS);
    close(fd);
    wait_for(&peer.is_ended);
    stop();
}

static int set_up(void **state) {
    (void)state;
    pthread_mutex_init(&peer.mutex, NULL);
    pthread_cond_init(&peer.changed, NULL);
    for (size_t i = 0; i < sizeof(flood); i++)
        flood[i] = (uint8_t)(i * 31 >> 4);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(a_unix_socket_has_no_address_and_leaves_no_path),
        cmocka_unit_test(a_reset_is_told),
        cmocka_unit_test(what_the_socket_does_not_take_is_kept_and_leaves_later),
        cmocka_unit_test(a_peer_that_takes_nothing_is_told_as_stalled),
        cmocka_unit_test(more_than_the_cap_is_refused),
        cmocka_unit_test(cheap_bytes_are_read_in_ever_larger_portions),
        cmocka_unit_test(bytes_that_take_long_are_read_in_small_portions),
        cmocka_unit_test(closing_with_flush_delivers_everything_first),
        cmocka_unit_test(who_has_been_closed_is_not_read_for_ever),
        cmocka_unit_test(a_stop_waits_for_who_neither_reads_nor_writes),
        cmocka_unit_test(a_stop_does_not_wait_for_who_takes_the_last_bytes_little_by_little),
        cmocka_unit_test(every_loop_listens_on_the_port_that_the_first_has_picked),
        cmocka_unit_test(an_address_in_use_is_told_even_to_the_same_user),
        cmocka_unit_test(what_is_no_address_is_refused_with_a_sentence),
        cmocka_unit_test(an_address_of_another_machine_is_refused),
        cmocka_unit_test(only_loopback_and_unix_are_local),
        cmocka_unit_test(a_path_left_by_a_dead_process_is_taken_over_but_not_a_live_one),
        cmocka_unit_test(a_connection_gives_up_when_the_network_takes_nothing),
        cmocka_unit_test(without_descriptors_a_connection_waits_and_is_served_later),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
