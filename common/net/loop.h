// Event loops: N threads with one libuv loop each, sharing nothing. What belongs to a loop (streams, timers,
// calls) is touched on its thread only; other threads reach it by loop_post().
//
// A turn of the loop reads what has arrived, runs what was posted and what fell due, and at its end runs what
// was deferred: that is where a connection writes, all at once, what others answered in this turn. What was
// answered while it was read has been written right after (docs/decisions/0005).
#ifndef LATCHKEY_COMMON_NET_LOOP_H
#define LATCHKEY_COMMON_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/net/timer_wheel.h"

struct loop;
struct loop_group;

// Memory that is used again and again may hold what peers have sent: within this time after the last read it
// is wiped.
#define LOOP_SCRUB_MS 1000

// Intrusive: embedded by its owner, one use at a time. It may be freed or posted again once `run` has begun.
struct loop_task {
    struct loop_task *next;
    void (*run)(struct loop_task *task);
};

// Intrusive: embedded by its owner, for as long as the loop.
struct loop_scrub {
    struct loop_scrub *next;
    void (*run)(struct loop_scrub *scrub);
};

// Makes `count` loops (at least 1), not yet running: what is set up before loop_group_start() may touch them
// from the calling thread. `clock` is borrowed. *ret_group is owned.
MUST_CHECK enum status loop_group_new(size_t count, const struct clock *clock, struct loop_group **ret_group);

// Starts the threads. On failure none has run anything.
MUST_CHECK enum status loop_group_start(struct loop_group *group);

// Runs every loop's stop tasks on its thread, then waits until nothing is open on any loop and nobody holds
// one, and ends the threads. Not on a loop's thread. Does nothing when they do not run.
void loop_group_stop(struct loop_group *group);

// Stops it first. Takes NULL.
void loop_group_free(struct loop_group *group);

size_t loop_group_get_count(const struct loop_group *group);
struct loop *loop_group_get_loop(const struct loop_group *group, size_t index);

// 0 .. count-1.
size_t loop_get_index(const struct loop *loop);

// From any thread: `task->run` is called on the loop's thread, tasks of one thread in their order. Whoever
// may still post holds the loop.
void loop_post(struct loop *loop, struct loop_task *task);

// While a loop is held its thread does not end: by whoever is going to post to it. Loop thread, or before the
// start.
void loop_hold(struct loop *loop);
void loop_release(struct loop *loop);

// Loop thread: runs `task` at the end of this turn, before anything waits for input. A task deferred while
// deferred tasks run still runs in this turn.
void loop_defer(struct loop *loop, struct loop_task *task);

// The same of the next turn, which does not wait for input but reads what there is. Holds the loop until
// then.
void loop_defer_to_next_turn(struct loop *loop, struct loop_task *task);

// Called on the loop's thread when loop_group_stop() begins, in the order of adding: to close what would
// otherwise keep the loop running. Before loop_group_start(). `task` stays the loop's until it has run.
void loop_add_stop_task(struct loop *loop, struct loop_task *task);

// Before loop_group_start(): `scrub->run` wipes what its owner keeps for use again, on the loop's thread,
// within LOOP_SCRUB_MS after each read, however many there were. The buffers for reads and the scratch memory
// are the loop's own and wiped with the others.
void loop_add_scrub(struct loop *loop, struct loop_scrub *scrub);

// The time, read at most once between two arrivals of bytes: a stream lets the loop forget it after every
// read, and so does what was posted, which may bring a request, so that a process that slept never dates one
// before its sleep. Loop thread.
uint64_t loop_get_monotonic_ns(struct loop *loop);
uint64_t loop_get_boottime_ns(struct loop *loop);
void loop_forget_time(struct loop *loop);

// The number of this turn, and how long bytes wait in the sockets, as the last turn has found it
// (turn_lag.h). Loop thread.
uint64_t loop_get_turn(const struct loop *loop);
uint64_t loop_get_lag_ns(const struct loop *loop);

// For how long it has been at work in all turns that have read anything. Loop thread.
uint64_t loop_get_busy_ns(const struct loop *loop);

// Loop thread. The timer belongs to the caller, see timer_wheel.h. A deadline costs no system call.
void loop_arm_timer(struct loop *loop, struct timer *timer, uint64_t due_ns);
void loop_disarm_timer(struct loop *loop, struct timer *timer);

// The loop's scratch memory for outgoing bytes: valid until the caller returns to the loop. Loop thread.
#define LOOP_SCRATCH_BYTES (256 * 1024)
uint8_t *loop_get_scratch(struct loop *loop);

#endif
