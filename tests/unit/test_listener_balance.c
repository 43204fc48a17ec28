// Connections over several loops: each ends up on the one that has the fewest, also when a loop stops,
// closes, or has no descriptors, and none is lost. Whoever is let in reads the number of the loop as a digit.
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/net/listener.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

enum { LOOPS_MAX = 4, CLIENTS = 24, THREADS = 4, DESCRIPTORS_MAX = 1024 };

static const char tcp[] = "127.0.0.1:0";

// One that has been let in.
struct guest {
    struct guest *next, **link;
    struct stream *stream;
    struct room *room;
};

// What a loop has of them: its thread only.
struct room {
    struct loop_task stop_task;
    struct loop *loop;
    struct guest *guests;
};

// Holds up a loop.
struct block {
    struct loop_task task;
    sem_t has_begun, may_end;
};

static struct {
    size_t loops;
    char unix_address[80];
    struct room rooms[LOOPS_MAX];
    struct loop_group *group;
    struct listener *listener;
    struct connection_balance *balance;
    atomic_size_t let_in, let_in_at_close;
    sem_t has_left, is_closed; // one for each that has gone; the listener
    size_t descriptors;
    struct block block;
} scene;

// ---- the server ----

static void leave(struct guest *guest) {
    *guest->link = guest->next;
    if (guest->next)
        guest->next->link = guest->link;
    stream_close(guest->stream, STREAM_CLOSE_NOW);
    free(guest);
    sem_post(&scene.has_left);
}

static void on_read(void *context, struct bytes bytes) {
    (void)context, (void)bytes;
}

static void on_drained(void *context) {
    (void)context;
}

static void on_end(void *context, enum stream_end why) {
    (void)why;
    leave(context);
}

static const struct stream_callbacks callbacks = {on_read, on_drained, on_end};

static void on_accept(void *context, struct loop *loop, struct stream *stream) {
    (void)context;
    size_t index = loop_get_index(loop);
    struct room *room = &scene.rooms[index];
    struct guest *guest = malloc(sizeof(*guest));
    *guest = (struct guest){room->guests, &room->guests, stream, room};
    if (guest->next)
        guest->next->link = &guest->next;
    room->guests = guest;
    atomic_fetch_add(&scene.let_in, 1);
    stream_start(stream, &callbacks, guest);
    uint8_t digit = (uint8_t)('0' + index);
    (void)!stream_write(stream, bytes_of(&digit, 1)); // who has gone is told by on_end
}

static void on_closed(void *context) {
    (void)context;
    scene.let_in_at_close = scene.let_in;
    sem_post(&scene.is_closed);
}

static void on_stop(struct loop_task *task) {
    struct room *room = CONTAINER_OF(task, struct room, stop_task);
    while (room->guests)
        leave(room->guests);
}

static size_t count_descriptors(void) {
    size_t count = 0;
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void open_scene(const char *address, size_t loops) {
    char error[256];
    scene.descriptors = count_descriptors();
    scene.loops = loops;
    scene.let_in = scene.let_in_at_close = 0;
    sem_init(&scene.has_left, 0, 0);
    sem_init(&scene.is_closed, 0, 0);
    assert_int_equal(connection_balance_new(loops, &scene.balance), STATUS_OK);
    assert_int_equal(loop_group_new(loops, clock_get_system(), &scene.group), STATUS_OK);
    for (size_t i = 0; i < loops; i++) {
        struct loop *loop = loop_group_get_loop(scene.group, i);
        scene.rooms[i] = (struct room){.stop_task.run = on_stop, .loop = loop};
        loop_add_stop_task(loop, &scene.rooms[i].stop_task);
    }
    const struct listener_options options = {
        .address = address, .balance = scene.balance, .on_accept = on_accept, .on_closed = on_closed};
    assert_int_equal(listener_new(scene.group, &options, error, sizeof(error), &scene.listener), STATUS_OK);
}

static void start(const char *address, size_t loops) {
    open_scene(address, loops);
    assert_int_equal(loop_group_start(scene.group), STATUS_OK);
}

// Everybody is gone, whatever happened, and nothing is left open.
static void stop(void) {
    loop_group_stop(scene.group);
    for (size_t i = 0; i < scene.loops; i++) {
        assert_null(scene.rooms[i].guests);
        assert_int_equal(connection_balance_get_count(scene.balance, i), 0);
    }
    listener_free(scene.listener);
    loop_group_free(scene.group);
    connection_balance_free(scene.balance);
    sem_destroy(&scene.has_left);
    sem_destroy(&scene.is_closed);
    assert_int_equal(count_descriptors(), scene.descriptors);
}

static void on_block(struct loop_task *task) {
    struct block *block = CONTAINER_OF(task, struct block, task);
    sem_post(&block->has_begun);
    sem_wait(&block->may_end);
}

static void hold_up(size_t loop) {
    scene.block.task.run = on_block;
    sem_init(&scene.block.has_begun, 0, 0);
    sem_init(&scene.block.may_end, 0, 0);
    loop_post(scene.rooms[loop].loop, &scene.block.task);
    sem_wait(&scene.block.has_begun);
}

static void let_go(void) {
    sem_post(&scene.block.may_end);
}

struct marker {
    struct loop_task task;
    sem_t has_run;
};

static void on_marker(struct loop_task *task) {
    sem_post(&CONTAINER_OF(task, struct marker, task)->has_run);
}

// Until the loop has run what was posted to it before.
static void wait_for_posted(size_t loop) {
    struct marker marker = {.task.run = on_marker};
    sem_init(&marker.has_run, 0, 0);
    loop_post(scene.rooms[loop].loop, &marker.task);
    sem_wait(&marker.has_run);
    sem_destroy(&marker.has_run);
}

// ---- the clients ----

static int open_client(void) {
    return socket(listener_get_port(scene.listener) > 0 ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
}

static int connect_client(int fd) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(listener_get_port(scene.listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    if (to.sin_port != 0)
        return connect(fd, (struct sockaddr *)&to, sizeof(to));
    const char *text = listener_get_address(scene.listener) + strlen("unix:");
    memcpy(path.sun_path, text, strlen(text));
    return connect(fd, (struct sockaddr *)&path, sizeof(path));
}

static int connect_one(void) {
    int fd = open_client();
    assert_int_equal(connect_client(fd), 0);
    return fd;
}

enum { TURNED_AWAY = -1 };

// The loop.
static int read_loop(int fd) {
    char digit;
    return read(fd, &digit, 1) == 1 ? digit - '0' : TURNED_AWAY;
}

static void close_all(const int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

static void wait_until_left(size_t count) {
    for (size_t i = 0; i < count; i++)
        sem_wait(&scene.has_left);
}

static size_t get_spread(void) {
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < scene.loops; i++) {
        size_t count = connection_balance_get_count(scene.balance, i);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    return most - least;
}

// ---- even ----

static void come_one_after_another(int *fds, size_t count) {
    size_t by_loop[LOOPS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        fds[i] = connect_one();
        int loop = read_loop(fds[i]);
        assert_in_range(loop, 0, scene.loops - 1);
        by_loop[loop]++;
        for (size_t k = 0; k < scene.loops; k++)
            assert_in_range(by_loop[k], i / scene.loops, i / scene.loops + 1);
    }
}

static void check_one_after_another(const char *address) {
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        int fds[CLIENTS];
        start(address, loops);
        come_one_after_another(fds, CLIENTS);
        close_all(fds, CLIENTS);
        wait_until_left(CLIENTS);
        stop();
    }
}

static void they_are_spread_evenly_from_the_first_on(void **state) {
    (void)state;
    check_one_after_another(tcp);
}

static void a_unix_socket_spreads_them_as_well(void **state) {
    (void)state;
    check_one_after_another(scene.unix_address);
}

static void those_who_come_fill_up_the_loop_that_others_have_left(void **state) {
    (void)state;
    int fds[CLIENTS];
    size_t left = 0;
    start(tcp, 3);
    for (size_t i = 0; i < CLIENTS; i++) {
        fds[i] = connect_one();
        if (read_loop(fds[i]) == 0) {
            close(fds[i]);
            fds[i] = -1;
            wait_until_left(1);
            left++;
        }
    }
    // Loop 0 was emptied time and again, so it got nearly all.
    assert_true(left > CLIENTS / 2);
    for (size_t i = 0; i < CLIENTS; i++)
        if (fds[i] < 0) {
            fds[i] = connect_one();
            assert_in_range(read_loop(fds[i]), 0, 2);
        }
    assert_in_range(get_spread(), 0, 1);
    close_all(fds, CLIENTS);
    stop();
}

static void *come_at_once(void *data) {
    int *fds = data;
    for (size_t i = 0; i < CLIENTS / THREADS; i++)
        if (connect_client(fds[i]) != 0 || read_loop(fds[i]) == TURNED_AWAY)
            abort();
    return NULL;
}

static void those_who_come_at_once_are_spread_evenly(void **state) {
    (void)state;
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        int fds[CLIENTS];
        pthread_t threads[THREADS];
        start(tcp, loops);
        for (size_t i = 0; i < CLIENTS; i++)
            fds[i] = open_client();
        for (size_t i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, come_at_once, &fds[i * (CLIENTS / THREADS)]);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_in_range(get_spread(), 0, 1);
        close_all(fds, CLIENTS);
        stop();
    }
}

static void without_descriptors_they_wait_and_are_spread_later(void **state) {
    (void)state;
    int fds[CLIENTS];
    start(tcp, 2);
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = open_client();
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    const struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(connect_client(fds[i]), 0);
    wait_for_posted(0);
    wait_for_posted(1);
    assert_int_equal(scene.let_in, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_in_range(read_loop(fds[i]), 0, 1);
    assert_in_range(get_spread(), 0, 1);
    close_all(fds, CLIENTS);
    stop();
}

// ---- on their way from loop to loop ----

// With loop 0 held up, all of a Unix socket is accepted by loop 1. The second is on its way to loop 0 once
// the third has been let in.
static void send_one_to_held_up_loop(int fds[3]) {
    hold_up(0);
    fds[0] = connect_one();
    assert_int_equal(read_loop(fds[0]), 1);
    fds[1] = connect_one();
    fds[2] = connect_one();
    assert_int_equal(read_loop(fds[2]), 1);
    assert_int_equal(connection_balance_get_count(scene.balance, 0), 1);
}

static void who_is_handed_over_to_a_busy_loop_is_let_in_when_it_has_time(void **state) {
    (void)state;
    int fds[3];
    start(scene.unix_address, 2);
    send_one_to_held_up_loop(fds);
    let_go();
    assert_int_equal(read_loop(fds[1]), 0);
    close_all(fds, 3);
    stop();
}

static void who_goes_while_handed_over_is_not_counted_any_more(void **state) {
    (void)state;
    int fds[3];
    start(scene.unix_address, 2);
    send_one_to_held_up_loop(fds);
    close_all(fds, 3);
    wait_until_left(2);
    let_go();
    wait_until_left(1);
    assert_int_equal(connection_balance_get_count(scene.balance, 0), 0);
    stop();
}

static void *stop_group(void *data) {
    (void)data;
    loop_group_stop(scene.group);
    return NULL;
}

static void who_is_handed_over_to_a_loop_that_stops_is_closed(void **state) {
    (void)state;
    int fds[3];
    pthread_t stopping;
    start(scene.unix_address, 2);
    send_one_to_held_up_loop(fds);
    pthread_create(&stopping, NULL, stop_group, NULL);
    // Loops are told to stop in their order, and loop 1 has closed its own.
    assert_int_equal(read_loop(fds[0]), TURNED_AWAY);
    assert_int_equal(read_loop(fds[2]), TURNED_AWAY);
    let_go();
    assert_int_equal(read_loop(fds[1]), TURNED_AWAY);
    pthread_join(stopping, NULL);
    assert_int_equal(scene.let_in, 2);
    close_all(fds, 3);
    stop();
}

// Loop 0 has stopped when loop 1 may find those who wait at its own socket.
static void who_waits_while_the_loops_stop_is_closed(void **state) {
    (void)state;
    int fds[CLIENTS];
    pthread_t stopping;
    start(tcp, 2);
    hold_up(1);
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = connect_one();
    pthread_create(&stopping, NULL, stop_group, NULL);
    wait_for_posted(0);
    let_go();
    pthread_join(stopping, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        while (read_loop(fds[i]) != TURNED_AWAY)
            ;
    close_all(fds, CLIENTS);
    stop();
}

// Loop 0 has closed its socket when loop 1 hands over to it.
static void closing_lets_in_everybody_who_has_connected_before_it_is_done(void **state) {
    (void)state;
    int fds[CLIENTS];
    size_t by_loop[2] = {0};
    start(tcp, 2);
    hold_up(1);
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = connect_one();
    listener_close(scene.listener);
    wait_for_posted(0);
    let_go();
    sem_wait(&scene.is_closed);
    assert_int_equal(scene.let_in_at_close, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        int loop = read_loop(fds[i]);
        assert_in_range(loop, 0, 1);
        by_loop[loop]++;
    }
    assert_int_equal(by_loop[0], by_loop[1]);
    close_all(fds, CLIENTS);
    stop();
}

static void on_begin_failing(struct loop_task *task) {
    allocation_failure_begin_from(1);
    on_marker(task);
}

static void on_end_failing(struct loop_task *task) {
    (void)allocation_failure_end();
    on_marker(task);
}

static void run_on_loop(size_t loop, void (*run)(struct loop_task *task)) {
    struct marker marker = {.task.run = run};
    sem_init(&marker.has_run, 0, 0);
    loop_post(scene.rooms[loop].loop, &marker.task);
    sem_wait(&marker.has_run);
    sem_destroy(&marker.has_run);
}

static void who_cannot_be_handed_over_for_want_of_memory_is_closed(void **state) {
    (void)state;
    int fds[3];
    start(scene.unix_address, 2);
    hold_up(0);
    fds[0] = connect_one();
    assert_int_equal(read_loop(fds[0]), 1);
    run_on_loop(1, on_begin_failing);
    fds[1] = connect_one();
    assert_int_equal(read_loop(fds[1]), TURNED_AWAY);
    run_on_loop(1, on_end_failing);
    assert_int_equal(connection_balance_get_count(scene.balance, 0), 0);
    let_go();
    fds[2] = connect_one();
    assert_int_equal(read_loop(fds[2]), 0);
    close_all(fds, 3);
    stop();
}

// ---- no threads ----

static void a_listener_on_loops_that_never_start_is_closed_all_the_same(void **state) {
    (void)state;
    for (size_t loops = 1; loops <= LOOPS_MAX; loops++) {
        open_scene(tcp, loops);
        stop();
    }
}

// libuv's first loop opens a pipe for all of the process.
static int set_up(void **state) {
    (void)state;
    struct loop_group *first;
    assert_int_equal(loop_group_new(1, clock_get_system(), &first), STATUS_OK);
    loop_group_free(first);
    snprintf(scene.unix_address, sizeof(scene.unix_address), "unix:/tmp/test_listener_balance.%d",
             (int)getpid());
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_spread_evenly_from_the_first_on),
        cmocka_unit_test(a_unix_socket_spreads_them_as_well),
        cmocka_unit_test(those_who_come_fill_up_the_loop_that_others_have_left),
        cmocka_unit_test(those_who_come_at_once_are_spread_evenly),
        cmocka_unit_test(without_descriptors_they_wait_and_are_spread_later),
        cmocka_unit_test(who_is_handed_over_to_a_busy_loop_is_let_in_when_it_has_time),
        cmocka_unit_test(who_goes_while_handed_over_is_not_counted_any_more),
        cmocka_unit_test(who_is_handed_over_to_a_loop_that_stops_is_closed),
        cmocka_unit_test(who_waits_while_the_loops_stop_is_closed),
        cmocka_unit_test(closing_lets_in_everybody_who_has_connected_before_it_is_done),
        cmocka_unit_test(who_cannot_be_handed_over_for_want_of_memory_is_closed),
        cmocka_unit_test(a_listener_on_loops_that_never_start_is_closed_all_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
