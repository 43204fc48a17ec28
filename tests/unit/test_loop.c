// The wheel of deadlines against a plain list with a clock of the test's own, and loops as real threads.
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/net/loop_internal.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define MS 1000000ull

struct probe {
    struct timer timer;
    uint64_t due_ns;
    uint64_t fired_ns; // 0 = has not
};

static uint64_t probe_now_ns;

static void on_probe(struct timer *timer) {
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    assert_int_equal(probe->fired_ns, 0);
    assert_false(timer_is_armed(timer));
    probe->fired_ns = probe_now_ns;
}

static void arm(struct timer_wheel *wheel, struct probe *probe, uint64_t due_ns) {
    *probe = (struct probe){.timer.on_due = on_probe, .due_ns = due_ns};
    timer_wheel_arm(wheel, &probe->timer, due_ns);
}

static void advance(struct timer_wheel *wheel, uint64_t now_ns) {
    probe_now_ns = now_ns;
    timer_wheel_advance(wheel, now_ns);
}

static void a_timer_falls_due_at_its_instant_and_not_before(void **state) {
    (void)state;
    static const uint64_t delays_ms[] = {1,    2,    63,     64,       65,       4095,
                                         4096, 4097, 262144, 16777215, 16777216, 99999999};
    for (size_t i = 0; i < ARRAY_LENGTH(delays_ms); i++) {
        struct timer_wheel wheel;
        struct probe probe;
        uint64_t start_ns = 12345 * MS + 678;
        timer_wheel_init(&wheel, start_ns);
        arm(&wheel, &probe, start_ns + delays_ms[i] * MS);
        advance(&wheel, start_ns + delays_ms[i] * MS - 1);
        assert_int_equal(probe.fired_ns, 0);
        advance(&wheel, start_ns + (delays_ms[i] + 1) * MS);
        assert_int_not_equal(probe.fired_ns, 0);
        assert_int_equal(wheel.count, 0);
        assert_int_equal(timer_wheel_get_next_ns(&wheel), UINT64_MAX);
    }
}

static void an_instant_in_the_past_falls_due_at_the_next_advance(void **state) {
    (void)state;
    struct timer_wheel wheel;
    struct probe probe;
    timer_wheel_init(&wheel, 500 * MS);
    arm(&wheel, &probe, 3 * MS);
    advance(&wheel, 501 * MS);
    assert_int_equal(probe.fired_ns, 501 * MS);
}

static void a_disarmed_timer_never_falls_due(void **state) {
    (void)state;
    struct timer_wheel wheel;
    struct probe probe;
    timer_wheel_init(&wheel, 0);
    arm(&wheel, &probe, 10 * MS);
    timer_wheel_disarm(&wheel, &probe.timer);
    timer_wheel_disarm(&wheel, &probe.timer);
    advance(&wheel, 100000 * MS);
    assert_int_equal(probe.fired_ns, 0);
}

struct pair {
    struct timer_wheel wheel;
    struct timer first, second;
    unsigned fired;
};

static struct pair pair;

static void disarm_second(struct timer *timer) {
    (void)timer;
    pair.fired++;
    timer_wheel_disarm(&pair.wheel, &pair.second);
    timer_wheel_disarm(&pair.wheel, &pair.first);
}

static void a_callback_may_disarm_another_that_is_due_with_it(void **state) {
    (void)state;
    pair = (struct pair){.first.on_due = disarm_second, .second.on_due = disarm_second};
    timer_wheel_init(&pair.wheel, 0);
    timer_wheel_arm(&pair.wheel, &pair.first, 5 * MS);
    timer_wheel_arm(&pair.wheel, &pair.second, 5 * MS);
    timer_wheel_advance(&pair.wheel, 10 * MS);
    assert_int_equal(pair.fired, 1);
    assert_int_equal(pair.wheel.count, 0);
}

static void arm_again(struct timer *timer) {
    pair.fired++;
    timer_wheel_arm(&pair.wheel, timer, 0);
}

static void a_callback_that_arms_itself_again_waits_for_the_next_tick(void **state) {
    (void)state;
    pair = (struct pair){.first.on_due = arm_again};
    timer_wheel_init(&pair.wheel, 0);
    timer_wheel_arm(&pair.wheel, &pair.first, 1 * MS);
    timer_wheel_advance(&pair.wheel, 1 * MS);
    assert_int_equal(pair.fired, 1);
    timer_wheel_advance(&pair.wheel, 4 * MS);
    assert_int_equal(pair.fired, 4);
}

// The bitmaps tell the truth and every list leads back.
static void check_wheel(const struct timer_wheel *wheel) {
    size_t count = 0;
    for (size_t level = 0; level < TIMER_WHEEL_LEVELS; level++) {
        for (size_t slot = 0; slot < TIMER_WHEEL_SLOTS; slot++) {
            struct timer *const *link = &wheel->slots[level][slot];
            assert_int_equal(*link != NULL, wheel->occupied[level] >> slot & 1);
            for (; *link; link = &(*link)->next, count++) {
                assert_ptr_equal((*link)->link, link);
                assert_int_equal((*link)->level, level);
                assert_int_equal((*link)->slot, slot);
                assert_true((*link)->due_tick > wheel->tick);
            }
        }
    }
    assert_int_equal(count, wheel->count);
}

static void random_arming_and_advancing_agrees_with_a_plain_list(void **state) {
    (void)state;
    enum { PROBES = 200, STEPS = 20000 };
    static struct probe probes[PROBES];
    memset(probes, 0, sizeof(probes));
    struct seed seed = seed_new();
    struct timer_wheel wheel;
    uint64_t now_ns = seed_next_below(&seed, 1000000) * MS;
    timer_wheel_init(&wheel, now_ns);
    for (unsigned step = 0; step < STEPS; step++) {
        struct probe *probe = &probes[seed_next_below(&seed, PROBES)];
        unsigned width = (unsigned)seed_next_below(&seed, 36);
        uint64_t span_ns = seed_next(&seed) & ((1ull << width) - 1);
        switch (seed_next_below(&seed, 4)) {
        case 0: timer_wheel_disarm(&wheel, &probe->timer); break;
        case 1:
            now_ns += span_ns;
            assert_true(timer_wheel_get_next_ns(&wheel) > now_ns - span_ns - MS);
            advance(&wheel, now_ns);
            for (size_t i = 0; i < PROBES; i++)
                assert_true(!timer_is_armed(&probes[i].timer) || probes[i].due_ns + MS > now_ns);
            break;
        default:
            timer_wheel_disarm(&wheel, &probe->timer);
            arm(&wheel, probe, now_ns + span_ns);
            break;
        }
        if (probe->fired_ns != 0)
            assert_true(probe->fired_ns >= probe->due_ns);
        if (step % 64 == 0)
            check_wheel(&wheel);
    }
}

// Loops as threads.

struct counted_task {
    struct loop_task task;
    struct loop *loop;
    atomic_uint *ran;
};

static void on_counted(struct loop_task *task) {
    struct counted_task *counted = CONTAINER_OF(task, struct counted_task, task);
    atomic_fetch_add(counted->ran, 1);
    loop_release(counted->loop);
}

static void every_posted_task_runs_before_a_held_loop_ends(void **state) {
    (void)state;
    enum { LOOPS = 3, TASKS = 1000 };
    static struct counted_task tasks[LOOPS][TASKS];
    atomic_uint ran = 0;
    struct loop_group *group;
    assert_int_equal(loop_group_new(LOOPS, clock_get_system(), &group), STATUS_OK);
    assert_int_equal(loop_group_get_count(group), LOOPS);
    for (size_t i = 0; i < LOOPS; i++)
        for (size_t k = 0; k < TASKS; k++)
            loop_hold(loop_group_get_loop(group, i));
    assert_int_equal(loop_group_start(group), STATUS_OK);
    for (size_t k = 0; k < TASKS; k++) {
        for (size_t i = 0; i < LOOPS; i++) {
            struct loop *loop = loop_group_get_loop(group, i);
            tasks[i][k] = (struct counted_task){{.run = on_counted}, loop, &ran};
            loop_post(loop, &tasks[i][k].task);
        }
    }
    loop_group_stop(group);
    assert_int_equal(ran, LOOPS * TASKS);
    loop_group_free(group);
}

struct order {
    struct loop_task posted, deferred, stop;
    struct loop *loop;
    char seen[8];
};

static void note(struct order *order, char what) {
    order->seen[strlen(order->seen)] = what;
}

static void on_order_deferred(struct loop_task *task) {
    note(CONTAINER_OF(task, struct order, deferred), 'd');
}

static void on_order_posted(struct loop_task *task) {
    struct order *order = CONTAINER_OF(task, struct order, posted);
    note(order, 'p');
    loop_defer(order->loop, &order->deferred);
    loop_release(order->loop);
}

static void on_order_stop(struct loop_task *task) {
    note(CONTAINER_OF(task, struct order, stop), 's');
}

static void deferred_tasks_run_at_the_end_of_the_turn_and_stop_tasks_once(void **state) {
    (void)state;
    struct loop_group *group;
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    struct order order = {.posted.run = on_order_posted,
                          .deferred.run = on_order_deferred,
                          .stop.run = on_order_stop,
                          .loop = loop_group_get_loop(group, 0)};
    loop_add_stop_task(order.loop, &order.stop);
    loop_hold(order.loop);
    assert_int_equal(loop_group_start(group), STATUS_OK);
    loop_post(order.loop, &order.posted);
    loop_group_stop(group);
    loop_group_free(group);
    assert_int_equal(strlen(order.seen), 3);
    assert_true(strchr(order.seen, 'p') < strchr(order.seen, 'd'));
}

struct turns {
    struct loop_task posted, next, arrived;
    struct loop *loop;
    uint64_t turn; // in which the first was run
    bool has_arrived, has_run;
};

static void on_arrived(struct loop_task *task) {
    struct turns *turns = CONTAINER_OF(task, struct turns, arrived);
    assert_false(turns->has_run);
    turns->has_arrived = true;
}

static void on_next_turn(struct loop_task *task) {
    struct turns *turns = CONTAINER_OF(task, struct turns, next);
    assert_true(turns->has_arrived);
    assert_int_equal(loop_get_turn(turns->loop), turns->turn + 1);
    turns->has_run = true;
}

static void on_turns_posted(struct loop_task *task) {
    struct turns *turns = CONTAINER_OF(task, struct turns, posted);
    turns->turn = loop_get_turn(turns->loop);
    loop_defer_to_next_turn(turns->loop, &turns->next);
    loop_post(turns->loop, &turns->arrived);
    loop_release(turns->loop); // what is deferred holds it, too
}

static void what_is_deferred_to_the_next_turn_runs_in_it_behind_what_has_arrived(void **state) {
    (void)state;
    struct loop_group *group;
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    struct turns turns = {.posted.run = on_turns_posted,
                          .next.run = on_next_turn,
                          .arrived.run = on_arrived,
                          .loop = loop_group_get_loop(group, 0)};
    loop_hold(turns.loop);
    assert_int_equal(loop_group_start(group), STATUS_OK);
    loop_post(turns.loop, &turns.posted);
    loop_group_stop(group);
    loop_group_free(group);
    assert_true(turns.has_run);
}

struct numbered_stop {
    struct loop_task task;
    size_t number;
    size_t *next;
};

static void on_numbered_stop(struct loop_task *task) {
    struct numbered_stop *stop = CONTAINER_OF(task, struct numbered_stop, task);
    assert_int_equal(stop->number, (*stop->next)++);
}

// A server closes its connections before the services that answer them leave the loop.
static void stop_tasks_run_in_the_order_in_which_they_were_added(void **state) {
    (void)state;
    enum { COUNT = 4 };
    struct loop_group *group;
    struct numbered_stop stops[COUNT];
    size_t next = 0;
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    for (size_t i = 0; i < COUNT; i++) {
        stops[i] = (struct numbered_stop){{.run = on_numbered_stop}, i, &next};
        loop_add_stop_task(loop_group_get_loop(group, 0), &stops[i].task);
    }
    loop_group_free(group); // never started: they run on this thread
    assert_int_equal(next, COUNT);
}

struct alarm {
    struct loop_task task;
    struct timer timer;
    struct loop *loop;
    uint64_t due_ns, fired_ns;
};

static void on_alarm(struct timer *timer) {
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    alarm->fired_ns = loop_get_monotonic_ns(alarm->loop);
    loop_release(alarm->loop);
}

static void on_arm_alarm(struct loop_task *task) {
    struct alarm *alarm = CONTAINER_OF(task, struct alarm, task);
    alarm->due_ns = loop_get_monotonic_ns(alarm->loop) + 20 * MS;
    loop_arm_timer(alarm->loop, &alarm->timer, alarm->due_ns);
}

static void a_loops_timer_falls_due_by_itself(void **state) {
    (void)state;
    struct loop_group *group;
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    struct alarm alarm = {
        .task.run = on_arm_alarm, .timer.on_due = on_alarm, .loop = loop_group_get_loop(group, 0)};
    loop_hold(alarm.loop);
    assert_int_equal(loop_group_start(group), STATUS_OK);
    loop_post(alarm.loop, &alarm.task);
    loop_group_stop(group);
    loop_group_free(group);
    assert_true(alarm.fired_ns >= alarm.due_ns);
}

static void the_time_stands_still_until_it_is_forgotten(void **state) {
    (void)state;
    struct clock_manual manual;
    clock_manual_init(&manual);
    clock_manual_advance_ms(&manual, 1000);
    struct loop_group *group;
    assert_int_equal(loop_group_new(1, &manual.clock, &group), STATUS_OK);
    struct loop *loop = loop_group_get_loop(group, 0);
    uint64_t monotonic_ns = loop_get_monotonic_ns(loop), boottime_ns = loop_get_boottime_ns(loop);
    clock_manual_advance_ms(&manual, 5);
    assert_int_equal(loop_get_monotonic_ns(loop), monotonic_ns);
    assert_int_equal(loop_get_boottime_ns(loop), boottime_ns);
    loop_forget_time(loop);
    assert_int_equal(loop_get_monotonic_ns(loop), monotonic_ns + 5 * MS);
    assert_int_equal(loop_get_boottime_ns(loop), boottime_ns + 5 * MS);
    loop_group_free(group);
}

// Bytes for another, and then a posted task, both there when the loop looks; it sleeps between the two.
static struct sleeper {
    struct clock_manual manual;
    struct loop *loop;
    int pipe[2];
    uv_poll_t poll;
    uv_timer_t timer; // by libuv's time, which goes on
    struct loop_task task;
    int due_count;
    uint64_t read_ns, posted_ns;
    sem_t is_done; // only then it is stopped, which wakes the loop as well
} sleeper;

// The second time: the loop looks for bytes only once it has waited for some.
static void on_sleeper_due(uv_timer_t *timer) {
    if (sleeper.due_count++ == 0)
        return;
    uv_close((uv_handle_t *)timer, NULL);
    assert_int_equal(write(sleeper.pipe[1], "x", 1), 1);
    loop_post(sleeper.loop, &sleeper.task);
}

static void on_sleeper_readable(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    sleeper.read_ns = loop_get_boottime_ns(sleeper.loop);
    clock_manual_advance_ms(&sleeper.manual, 5);
    uv_close((uv_handle_t *)poll, NULL);
}

static void on_sleeper_posted(struct loop_task *task) {
    (void)task;
    sleeper.posted_ns = loop_get_boottime_ns(sleeper.loop);
    loop_release(sleeper.loop);
    sem_post(&sleeper.is_done);
}

static void a_posted_task_has_a_time_of_its_own(void **state) {
    (void)state;
    struct loop_group *group;
    sem_init(&sleeper.is_done, 0, 0);
    clock_manual_init(&sleeper.manual);
    clock_manual_advance_ms(&sleeper.manual, 1000);
    assert_int_equal(loop_group_new(1, &sleeper.manual.clock, &group), STATUS_OK);
    sleeper.loop = loop_group_get_loop(group, 0);
    uv_timer_init(loop_get_uv(sleeper.loop), &sleeper.timer);
    uv_timer_start(&sleeper.timer, on_sleeper_due, 1, 1);
    sleeper.task.run = on_sleeper_posted;
    assert_int_equal(pipe(sleeper.pipe), 0);
    assert_int_equal(uv_poll_init(loop_get_uv(sleeper.loop), &sleeper.poll, sleeper.pipe[0]), 0);
    assert_int_equal(uv_poll_start(&sleeper.poll, UV_READABLE, on_sleeper_readable), 0);
    loop_hold(sleeper.loop);
    assert_int_equal(loop_group_start(group), STATUS_OK);
    sem_wait(&sleeper.is_done);
    loop_group_free(group);
    sem_destroy(&sleeper.is_done);
    close(sleeper.pipe[0]);
    close(sleeper.pipe[1]);
    assert_int_equal(sleeper.posted_ns, sleeper.read_ns + 5 * MS);
}

static rlim_t get_address_space_bytes(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

// Of its threads the first finds room for its stack, and the second does not.
static enum status start_without_room(struct loop_group *own) {
    enum { STACK_BYTES = 1 << 30 };
    pthread_attr_t before, large;
    struct rlimit unlimited, limit;
    pthread_getattr_default_np(&before);
    pthread_getattr_default_np(&large);
    pthread_attr_setstacksize(&large, STACK_BYTES);
    assert_int_equal(pthread_setattr_default_np(&large), 0);
    getrlimit(RLIMIT_AS, &unlimited);
    limit = (struct rlimit){get_address_space_bytes() + STACK_BYTES + STACK_BYTES / 2, unlimited.rlim_max};
    setrlimit(RLIMIT_AS, &limit);
    enum status status = loop_group_start(own);
    setrlimit(RLIMIT_AS, &unlimited);
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&before);
    pthread_attr_destroy(&large);
    return status;
}

static void when_a_thread_cannot_be_started_none_runs(void **state) {
    (void)state;
    if (UNIT_IS_SANITIZED)
        skip(); // the address space is taken already
    enum { LOOPS = 2 };
    static struct counted_task tasks[LOOPS];
    atomic_uint ran = 0;
    struct loop_group *group;
    assert_int_equal(loop_group_new(LOOPS, clock_get_system(), &group), STATUS_OK);
    for (size_t i = 0; i < LOOPS; i++) {
        struct loop *loop = loop_group_get_loop(group, i);
        tasks[i] = (struct counted_task){{.run = on_counted}, loop, &ran};
        loop_hold(loop);
        loop_post(loop, &tasks[i].task);
    }
    assert_int_equal(start_without_room(group), STATUS_EXHAUSTED);
    assert_int_equal(ran, 0);
    loop_group_stop(group);
    assert_int_equal(ran, LOOPS);
    loop_group_free(group);
}

static bool make_a_group(void *context) {
    (void)context;
    struct loop_group *group;
    if (loop_group_new(2, clock_get_system(), &group) != STATUS_OK)
        return false;
    loop_group_free(group);
    return true;
}

static void every_failed_allocation_of_a_group_is_survived(void **state) {
    (void)state;
    assert_true(allocation_failure_try_each(make_a_group, NULL) >= 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_falls_due_at_its_instant_and_not_before),
        cmocka_unit_test(an_instant_in_the_past_falls_due_at_the_next_advance),
        cmocka_unit_test(a_disarmed_timer_never_falls_due),
        cmocka_unit_test(a_callback_may_disarm_another_that_is_due_with_it),
        cmocka_unit_test(a_callback_that_arms_itself_again_waits_for_the_next_tick),
        cmocka_unit_test(random_arming_and_advancing_agrees_with_a_plain_list),
        cmocka_unit_test(every_posted_task_runs_before_a_held_loop_ends),
        cmocka_unit_test(deferred_tasks_run_at_the_end_of_the_turn_and_stop_tasks_once),
        cmocka_unit_test(what_is_deferred_to_the_next_turn_runs_in_it_behind_what_has_arrived),
        cmocka_unit_test(stop_tasks_run_in_the_order_in_which_they_were_added),
        cmocka_unit_test(a_loops_timer_falls_due_by_itself),
        cmocka_unit_test(the_time_stands_still_until_it_is_forgotten),
        cmocka_unit_test(a_posted_task_has_a_time_of_its_own),
        cmocka_unit_test(when_a_thread_cannot_be_started_none_runs),
        cmocka_unit_test(every_failed_allocation_of_a_group_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
