// A turn, in libuv's phases:
//
//     timers, pending -> prepare -> poll: reads, accepts, posted tasks -> check -> closing
//                        |  deferred tasks                               |  wheel, deferred tasks
//                        |  set libuv's one timer, forget the time     '-- and those of the turn before
//
// Deferred tasks run in both places because callbacks of the first phases defer as well. The wheel has one
// uv_timer_t, which is only moved when something is due earlier than it: deadlines that are disarmed in the
// turn that armed them never reach libuv.
//
// The end: loop_group_stop() raises `is_stopping`; the loop's thread runs the stop tasks, and from then on
// only open handles and holders keep uv_run() going.
#include "common/net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/loop_internal.h"
#include "common/net/stream.h"
#include "common/net/turn_lag.h"

struct task_queue {
    struct loop_task *first, **end;
};

struct loop {
    // The loop's thread only.
    uv_loop_t uv;
    uv_async_t wakeup;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t no_wait; // runs while something is deferred to the next turn: libuv then polls without waiting
    uv_timer_t alarm;
    uint64_t alarm_ns; // when `alarm` fires; UINT64_MAX = not set
    struct timer_wheel wheel;
    struct task_queue deferred;
    struct task_queue next_turn, this_turn; // deferred in this turn, and in the one before
    struct loop_task *stop_tasks;
    struct loop_scrub *scrubs;
    struct timer scrubbing;
    bool is_scrubbing; // the timer runs
    size_t holders;
    uint64_t stop_ns; // when its stop began; UINT64_MAX = it has not
    const struct clock *clock;
    uint64_t monotonic_ns, boottime_ns; // 0 = forgotten
    struct turn_lag lag;
    char *read_buffer;
    uint8_t *scratch;
    struct buffer plaintext, ciphertext;

    // Constant once made.
    size_t index;
    struct loop_group *group;
    pthread_t thread;

    // Any thread. `posted` is a stack: a release push pairs with the acquire exchange in run_posted().
    _Atomic(struct loop_task *) posted;
    atomic_bool is_stopping; // release in loop_group_stop(), acquire in on_wakeup()
};

struct loop_group {
    size_t count;
    bool is_running;
    pthread_mutex_t start; // held until it is known whether all threads have started
    bool is_abandoned;     // under it: they have not
    struct loop *loops[];
};

static void run_posted(struct loop *loop) {
    struct loop_task *stack = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    struct loop_task *queue = NULL;
    while (stack) {
        struct loop_task *next = stack->next;
        stack->next = queue;
        queue = stack;
        stack = next;
    }
    while (queue) {
        struct loop_task *task = queue;
        queue = task->next;
        task->run(task);
    }
}

static void clear(struct task_queue *queue) {
    *queue = (struct task_queue){NULL, &queue->first};
}

static void push(struct task_queue *queue, struct loop_task *task) {
    task->next = NULL;
    *queue->end = task;
    queue->end = &task->next;
}

static void move_all(struct task_queue *from, struct task_queue *to) {
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    clear(from);
}

static void run_deferred(struct loop *loop) {
    while (loop->deferred.first) {
        struct loop_task *task = loop->deferred.first;
        loop->deferred.first = task->next;
        if (!task->next)
            clear(&loop->deferred);
        task->run(task);
    }
}

static void take_this_turn(struct loop *loop) {
    if (!loop->this_turn.first)
        return;
    move_all(&loop->this_turn, &loop->deferred);
    if (!loop->next_turn.first)
        uv_idle_stop(&loop->no_wait);
}

static void on_no_wait(uv_idle_t *handle) {
    (void)handle;
}

static bool has_begun_stop(const struct loop *loop) {
    return loop->stop_ns != UINT64_MAX;
}

static void let_end_if_unheld(struct loop *loop) {
    if (has_begun_stop(loop) && loop->holders == 0)
        uv_unref((uv_handle_t *)&loop->wakeup);
}

static void begin_stop(struct loop *loop) {
    loop->stop_ns = loop_get_monotonic_ns(loop);
    while (loop->stop_tasks) {
        struct loop_task *task = loop->stop_tasks;
        loop->stop_tasks = task->next;
        task->run(task);
    }
    let_end_if_unheld(loop);
}

static void on_wakeup(uv_async_t *handle) {
    struct loop *loop = handle->data;
    loop_forget_time(loop);
    run_posted(loop);
    if (!has_begun_stop(loop) && atomic_load_explicit(&loop->is_stopping, memory_order_acquire))
        begin_stop(loop);
}

static void on_alarm(uv_timer_t *handle) {
    struct loop *loop = handle->data;
    loop->alarm_ns = UINT64_MAX;
    loop_forget_time(loop);
    timer_wheel_advance(&loop->wheel, loop_get_monotonic_ns(loop));
}

static void set_alarm(struct loop *loop) {
    uint64_t next_ns = timer_wheel_get_next_ns(&loop->wheel);
    if (next_ns >= loop->alarm_ns)
        return;
    uint64_t now_ns = loop_get_monotonic_ns(loop);
    uint64_t delay_ms = next_ns > now_ns ? (next_ns - now_ns + 999999) / 1000000 : 0;
    uv_update_time(&loop->uv);
    if (uv_timer_start(&loop->alarm, on_alarm, delay_ms, 0) == 0)
        loop->alarm_ns = next_ns;
}

static void end_turn(struct loop *loop) {
    bool has_read = turn_lag_has_read(&loop->lag);
    if (has_read)
        loop_forget_time(loop);
    turn_lag_end_turn(&loop->lag, has_read ? loop_get_monotonic_ns(loop) : 0);
}

static void on_before_poll(uv_prepare_t *handle) {
    struct loop *loop = handle->data;
    run_deferred(loop);
    end_turn(loop);
    move_all(&loop->next_turn, &loop->this_turn);
    if (loop->wheel.count > 0)
        set_alarm(loop);
    loop_forget_time(loop);
}

static void on_after_poll(uv_check_t *handle) {
    struct loop *loop = handle->data;
    if (loop->wheel.count > 0)
        timer_wheel_advance(&loop->wheel, loop_get_monotonic_ns(loop));
    take_this_turn(loop);
    run_deferred(loop);
}

static void run_to_end(struct loop *loop) {
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    run_deferred(loop);
}

static bool is_to_run(struct loop_group *group) {
    pthread_mutex_lock(&group->start);
    bool is_to_run = !group->is_abandoned;
    pthread_mutex_unlock(&group->start);
    return is_to_run;
}

static void *run_thread(void *data) {
    struct loop *loop = data;
    if (is_to_run(loop->group))
        run_to_end(loop);
    return NULL;
}

static void close_handles(struct loop *loop) {
    uv_close((uv_handle_t *)&loop->wakeup, NULL);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->after_poll, NULL);
    uv_close((uv_handle_t *)&loop->no_wait, NULL);
    uv_close((uv_handle_t *)&loop->alarm, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

// libuv's own functions below fail only without file descriptors or memory.
static bool open_handles(struct loop *loop) {
    if (uv_loop_init(&loop->uv) != 0)
        return false;
    if (uv_async_init(&loop->uv, &loop->wakeup, on_wakeup) != 0) {
        uv_loop_close(&loop->uv);
        return false;
    }
    uv_prepare_init(&loop->uv, &loop->before_poll);
    uv_check_init(&loop->uv, &loop->after_poll);
    uv_idle_init(&loop->uv, &loop->no_wait);
    uv_timer_init(&loop->uv, &loop->alarm);
    loop->wakeup.data = loop->before_poll.data = loop->after_poll.data = loop->alarm.data = loop;
    uv_prepare_start(&loop->before_poll, on_before_poll);
    uv_check_start(&loop->after_poll, on_after_poll);
    uv_unref((uv_handle_t *)&loop->before_poll);
    uv_unref((uv_handle_t *)&loop->after_poll);
    uv_unref((uv_handle_t *)&loop->alarm);
    return true;
}

static void wipe_own(struct loop *loop) {
    explicit_bzero(loop->read_buffer, STREAM_READ_BYTES);
    explicit_bzero(loop->scratch, LOOP_SCRATCH_BYTES);
    buffer_reset(&loop->plaintext);
    buffer_reset(&loop->ciphertext);
}

static void on_scrub(struct timer *timer) {
    struct loop *loop = CONTAINER_OF(timer, struct loop, scrubbing);
    loop->is_scrubbing = false;
    wipe_own(loop);
    for (struct loop_scrub *scrub = loop->scrubs; scrub; scrub = scrub->next)
        scrub->run(scrub);
}

static void free_own(struct loop *loop) {
    if (loop->read_buffer && loop->scratch)
        wipe_own(loop);
    free(loop->read_buffer);
    free(loop->scratch);
    buffer_fini(&loop->plaintext);
    buffer_fini(&loop->ciphertext);
    free(loop);
}

static void free_loop(struct loop *loop) {
    if (!loop)
        return;
    close_handles(loop);
    int result = uv_loop_close(&loop->uv);
    assert(result == 0); // somebody left a handle open
    free_own(loop);
}

static struct loop *new_loop(size_t index, const struct clock *clock) {
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    loop->index = index;
    loop->clock = clock;
    loop->alarm_ns = loop->stop_ns = UINT64_MAX;
    clear(&loop->deferred);
    clear(&loop->next_turn);
    clear(&loop->this_turn);
    loop->read_buffer = malloc(STREAM_READ_BYTES);
    loop->scratch = malloc(LOOP_SCRATCH_BYTES);
    if (!loop->read_buffer || !loop->scratch || !open_handles(loop)) {
        free_own(loop);
        return NULL;
    }
    loop->scrubbing.on_due = on_scrub;
    loop_forget_time(loop);
    timer_wheel_init(&loop->wheel, clock_get_monotonic_ns(clock));
    return loop;
}

enum status loop_group_new(size_t count, const struct clock *clock, struct loop_group **ret_group) {
    assert(count > 0);
    struct loop_group *group = calloc(1, sizeof(*group) + count * sizeof(group->loops[0]));
    if (!group)
        return STATUS_NO_MEMORY;
    group->count = count;
    pthread_mutex_init(&group->start, NULL);
    for (size_t i = 0; i < count; i++) {
        group->loops[i] = new_loop(i, clock);
        if (!group->loops[i]) {
            loop_group_free(group);
            return STATUS_NO_MEMORY;
        }
        group->loops[i]->group = group;
    }
    *ret_group = group;
    return STATUS_OK;
}

static void join(struct loop_group *group, size_t count) {
    for (size_t i = 0; i < count; i++)
        pthread_join(group->loops[i]->thread, NULL);
}

// Those that have started.
static size_t start_threads(struct loop_group *group) {
    for (size_t i = 0; i < group->count; i++)
        if (pthread_create(&group->loops[i]->thread, NULL, run_thread, group->loops[i]) != 0)
            return i;
    return group->count;
}

// why none runs before all have started: loops may wait for each other before they end.
enum status loop_group_start(struct loop_group *group) {
    assert(!group->is_running);
    // Signals belong to the program's main thread; and a write to a closed socket must not end the process.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&group->start);
    size_t started = start_threads(group);
    group->is_running = started == group->count;
    group->is_abandoned = !group->is_running;
    pthread_mutex_unlock(&group->start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (group->is_running)
        return STATUS_OK;
    join(group, started);
    return STATUS_EXHAUSTED;
}

static void stop_running(struct loop_group *group) {
    for (size_t i = 0; i < group->count; i++) {
        atomic_store_explicit(&group->loops[i]->is_stopping, true, memory_order_release);
        uv_async_send(&group->loops[i]->wakeup);
    }
    join(group, group->count);
}

// What was opened before a start that never came is closed all the same: on all loops, before the first is
// waited for.
static void stop_unstarted(struct loop_group *group) {
    for (size_t i = 0; i < group->count; i++) {
        struct loop *loop = group->loops[i];
        if (!loop || has_begun_stop(loop))
            continue;
        run_posted(loop);
        begin_stop(loop);
    }
    for (size_t i = 0; i < group->count; i++)
        if (group->loops[i])
            run_to_end(group->loops[i]);
}

void loop_group_stop(struct loop_group *group) {
    if (group->is_running)
        stop_running(group);
    else
        stop_unstarted(group);
    group->is_running = false;
}

void loop_group_free(struct loop_group *group) {
    if (!group)
        return;
    loop_group_stop(group);
    for (size_t i = 0; i < group->count; i++)
        free_loop(group->loops[i]);
    pthread_mutex_destroy(&group->start);
    free(group);
}

size_t loop_group_get_count(const struct loop_group *group) {
    return group->count;
}

struct loop *loop_group_get_loop(const struct loop_group *group, size_t index) {
    assert(index < group->count);
    return group->loops[index];
}

size_t loop_get_index(const struct loop *loop) {
    return loop->index;
}

void loop_post(struct loop *loop, struct loop_task *task) {
    struct loop_task *head = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do {
        task->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->posted, &head, task, memory_order_release,
                                                    memory_order_relaxed));
    // Only the first on the stack wakes the loop: it takes all that stands on it.
    if (!head)
        uv_async_send(&loop->wakeup);
}

void loop_hold(struct loop *loop) {
    loop->holders++;
    uv_ref((uv_handle_t *)&loop->wakeup);
}

void loop_release(struct loop *loop) {
    assert(loop->holders > 0);
    loop->holders--;
    let_end_if_unheld(loop);
}

void loop_defer(struct loop *loop, struct loop_task *task) {
    push(&loop->deferred, task);
}

void loop_defer_to_next_turn(struct loop *loop, struct loop_task *task) {
    uv_idle_start(&loop->no_wait, on_no_wait);
    push(&loop->next_turn, task);
}

void loop_add_stop_task(struct loop *loop, struct loop_task *task) {
    struct loop_task **end = &loop->stop_tasks;
    while (*end)
        end = &(*end)->next;
    task->next = NULL;
    *end = task;
}

void loop_add_scrub(struct loop *loop, struct loop_scrub *scrub) {
    scrub->next = loop->scrubs;
    loop->scrubs = scrub;
}

uint64_t loop_get_monotonic_ns(struct loop *loop) {
    if (loop->monotonic_ns == 0)
        loop->monotonic_ns = clock_get_monotonic_ns(loop->clock);
    return loop->monotonic_ns;
}

uint64_t loop_get_boottime_ns(struct loop *loop) {
    if (loop->boottime_ns == 0)
        loop->boottime_ns = clock_get_boottime_ns(loop->clock);
    return loop->boottime_ns;
}

void loop_forget_time(struct loop *loop) {
    loop->monotonic_ns = 0;
    loop->boottime_ns = 0;
}

void loop_note_read(struct loop *loop, size_t read_bytes, size_t left_bytes) {
    turn_lag_note_read(&loop->lag, loop_get_monotonic_ns(loop), read_bytes, left_bytes);
}

uint64_t loop_get_turn(const struct loop *loop) {
    return loop->lag.turn;
}

uint64_t loop_get_lag_ns(const struct loop *loop) {
    return loop->lag.lag_ns;
}

uint64_t loop_get_busy_ns(const struct loop *loop) {
    return loop->lag.busy_ns;
}

void loop_arm_timer(struct loop *loop, struct timer *timer, uint64_t due_ns) {
    timer_wheel_arm(&loop->wheel, timer, due_ns);
}

void loop_disarm_timer(struct loop *loop, struct timer *timer) {
    timer_wheel_disarm(&loop->wheel, timer);
}

uint8_t *loop_get_scratch(struct loop *loop) {
    return loop->scratch;
}

uv_loop_t *loop_get_uv(struct loop *loop) {
    return &loop->uv;
}

uint64_t loop_get_stop_ns(const struct loop *loop) {
    return loop->stop_ns;
}

char *loop_get_read_buffer(struct loop *loop) {
    if (!loop->is_scrubbing) {
        loop->is_scrubbing = true;
        loop_arm_timer(loop, &loop->scrubbing,
                       loop_get_monotonic_ns(loop) + LOOP_SCRUB_MS * UINT64_C(1000000));
    }
    return loop->read_buffer;
}

struct buffer *loop_get_plaintext(struct loop *loop) {
    return &loop->plaintext;
}

struct buffer *loop_get_ciphertext(struct loop *loop) {
    return &loop->ciphertext;
}
