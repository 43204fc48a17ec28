// Who is closed, and what for: connections are pairs of sockets, the time is the test's.
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/http_watch.h"
#include "common/base/compiler.h"
#include "tests/unit/unit.h"

enum { IDLE_MS = 3000, REQUEST_MS = 5000, SETTLED_MS = 1000, CONNECTIONS_MAX = 3 };

// The watch reads it on its own thread.
struct atomic_clock {
    struct clock clock;
    _Atomic uint64_t ns;
};

static uint64_t read_ns(const struct clock *clock) {
    return atomic_load(&CONTAINER_OF(clock, struct atomic_clock, clock)->ns);
}

static struct atomic_clock now = {.clock.read_monotonic_ns = read_ns};
static struct http_watch *watch;

static void advance_ms(uint64_t ms) {
    atomic_fetch_add(&now.ns, ms * UINT64_C(1000000));
}

static int open_watch(void **state) {
    (void)state;
    const struct http_watch_options options = {.clock = &now.clock,
                                               .connections_max = CONNECTIONS_MAX,
                                               .idle_ms = IDLE_MS,
                                               .request_ms = REQUEST_MS};
    return http_watch_new(&options, &watch) == STATUS_OK ? 0 : -1;
}

static int close_watch(void **state) {
    (void)state;
    http_watch_free(watch);
    return 0;
}

struct pair {
    int ours, theirs;
    struct http_connection *connection;
};

static struct pair open_pair(enum http_phase phase) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct pair pair = {fds[0], fds[1], http_watch_add(watch, fds[0])};
    assert_non_null(pair.connection);
    if (phase != HTTP_IDLE)
        http_watch_enter(watch, pair.connection, phase, NULL);
    return pair;
}

static void close_pair(const struct pair *pair) {
    http_watch_remove(watch, pair->connection);
    close(pair->ours);
    close(pair->theirs);
}

// Waits for the other end.
static void wait_closed(const struct pair *pair) {
    char byte;
    assert_int_equal(read(pair->theirs, &byte, 1), 0);
}

static bool is_open(const struct pair *pair) {
    struct pollfd poll_fd = {.fd = pair->theirs, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 0;
}

// The one whose time is over is closed; the other was looked at in the same turn, at the latest.
static void check_limit(enum http_phase phase, uint64_t limit_ms, enum http_end why) {
    uint64_t before = http_watch_get_ended(watch, why);
    struct pair later = {0}, first = open_pair(phase);
    advance_ms(1);
    later = open_pair(phase);
    advance_ms(limit_ms - 1);
    wait_closed(&first);
    assert_true(is_open(&later));
    assert_int_equal(http_watch_get_ended(watch, why), before + 1);
    close_pair(&first);
    close_pair(&later);
}

static void every_phase_has_its_limit_and_its_name(void **state) {
    (void)state;
    check_limit(HTTP_IDLE, IDLE_MS, HTTP_END_IDLE);
    check_limit(HTTP_RECEIVING, REQUEST_MS, HTTP_END_SLOW_REQUEST);
    check_limit(HTTP_ANSWERING, REQUEST_MS, HTTP_END_SLOW_READER);
}

static void a_new_phase_begins_its_time_anew(void **state) {
    (void)state;
    struct pair used = open_pair(HTTP_IDLE), unused = open_pair(HTTP_IDLE);
    advance_ms(IDLE_MS - 1);
    http_watch_enter(watch, used.connection, HTTP_RECEIVING, NULL);
    http_watch_enter(watch, used.connection, HTTP_IDLE, NULL);
    advance_ms(1);
    wait_closed(&unused);
    assert_true(is_open(&used));
    close_pair(&used);
    close_pair(&unused);
}

static void of_a_full_house_the_longest_idle_makes_room(void **state) {
    (void)state;
    struct pair busy = open_pair(HTTP_RECEIVING), old = open_pair(HTTP_IDLE);
    advance_ms(1);
    assert_true(http_watch_admits(watch));
    struct pair young = open_pair(HTTP_IDLE);
    uint64_t refused = http_watch_get_ended(watch, HTTP_END_TOO_MANY_CONNECTIONS);
    uint64_t evicted = http_watch_get_ended(watch, HTTP_END_EVICTED);

    // Nobody has been there for long enough to be sent away.
    assert_false(http_watch_admits(watch));
    assert_int_equal(http_watch_get_ended(watch, HTTP_END_TOO_MANY_CONNECTIONS), refused + 1);

    advance_ms(SETTLED_MS - 1);
    assert_true(http_watch_admits(watch));
    wait_closed(&old);
    assert_true(is_open(&busy) && is_open(&young));
    assert_int_equal(http_watch_get_ended(watch, HTTP_END_EVICTED), evicted + 1);
    close_pair(&busy);
    close_pair(&old);
    close_pair(&young);
    assert_int_equal(http_watch_get_count(watch), 0);
    assert_true(http_watch_admits(watch));
}

struct answering {
    struct pair pair;
    atomic_bool is_over;
};

static void *finish_answer(void *context) {
    struct answering *answering = context;
    atomic_store(&answering->is_over, true);
    http_watch_enter(watch, answering->pair.connection, HTTP_IDLE, NULL);
    return NULL;
}

static void the_end_waits_for_answers_but_not_for_ever(void **state) {
    (void)state;
    enum { LONG_MS = 20000 };
    struct answering answering = {.pair = open_pair(HTTP_ANSWERING)};
    pthread_t thread;
    http_watch_wait_answered(watch, 1);
    assert_int_equal(pthread_create(&thread, NULL, finish_answer, &answering), 0);
    http_watch_wait_answered(watch, LONG_MS);
    assert_true(atomic_load(&answering.is_over));
    assert_int_equal(pthread_join(thread, NULL), 0);
    http_watch_wait_answered(watch, LONG_MS);
    close_pair(&answering.pair);
}

static void names_are_those_of_the_metric(void **state) {
    (void)state;
    assert_string_equal(http_end_get_label(HTTP_END_TOO_MANY_CONNECTIONS), "too_many_connections");
    assert_string_equal(http_end_get_label(HTTP_END_CLIENT_GONE), "client_gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_phase_has_its_limit_and_its_name, open_watch, close_watch),
        cmocka_unit_test_setup_teardown(a_new_phase_begins_its_time_anew, open_watch, close_watch),
        cmocka_unit_test_setup_teardown(of_a_full_house_the_longest_idle_makes_room, open_watch, close_watch),
        cmocka_unit_test_setup_teardown(the_end_waits_for_answers_but_not_for_ever, open_watch, close_watch),
        cmocka_unit_test(names_are_those_of_the_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
