// Work of one loop that has no natural end, questions by the thousand, shared out so that nobody waits for
// all of somebody else's: a turn of the loop does BACKLOG_TURN pieces of it at most, in portions that go
// round the connections. What is answered while it is read (Validate) never stands here, and waits for one
// turn's portion at most.
//
// Connections are told apart by a hash into BACKLOG_QUEUES queues, each served in its order: those that
// share one share its part ("stochastic fairness queueing"). So it takes no memory of its own, and a
// connection with a thousand calls has one part like any other.
//
//   backlog_add() --end of this turn--> run() --backlog_add()--> behind its queue, this turn or the next
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_BACKLOG_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/loop.h"

// A turn of questions takes 0.1 ms, which others wait for at most; a portion is what a stream's answers leave
// in at once, each time with a write.
#define BACKLOG_QUEUES 64
#define BACKLOG_PORTION 128 // pieces that a job may do at once
#define BACKLOG_TURN 256    // that all of them may do in a turn

// Embedded by its owner; zeroed memory waits for nothing. Loop thread.
struct backlog_job {
    struct backlog_job *next, **link; // of its queue; `link` is NULL while it is in none
    const void *connection;           // whose part it takes
    // Does BACKLOG_PORTION pieces at most and tells how many; waits no more, may be added again or freed.
    size_t (*run)(struct backlog_job *job);
};

struct backlog_queue {
    struct backlog_job *first, **end;
};

struct backlog {
    struct loop *loop;
    struct loop_task task;
    bool is_deferred; // `task` stands in this turn's queue, or in the next one's
    uint64_t filled;  // bit i: queues[i] has a job
    unsigned next;    // whose turn it is
    uint64_t key;     // of the hash, random
    struct backlog_queue queues[BACKLOG_QUEUES];
};

// On the loop's thread, before the first job and after the last: what is still in it is run to its end.
void backlog_enter_loop(struct backlog *backlog, struct loop *loop);
void backlog_leave_loop(struct backlog *backlog);

// At the end of this turn, or with the next if work was left over. Does nothing for one that waits already.
void backlog_add(struct backlog *backlog, struct backlog_job *job);

// It is not run any more. Does nothing for one that does not wait.
void backlog_remove(struct backlog *backlog, struct backlog_job *job);

#endif
