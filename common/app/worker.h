// Worker threads behind one bounded queue: what must block (a transaction) runs here and not on a loop. When
// the queue is full, or so long that a job's turn would come too late for its deadline, the answer is no, at
// once: a caller is told to come back instead of waiting for a reply nobody needs, and no worker begins what
// it can't end in time.
//
// Jobs say whose they are, by a share. A free worker takes the oldest job of the share that has the fewest
// workers, and a quarter of the workers and of the queue (rounded: up and down) no single share gets: who
// sends many calls, or calls that wait for long, leaves room for the others, and calls that would only wait
// for each other's commit (the same lane) are kept apart.
#ifndef LATCHKEY_COMMON_APP_WORKER_H
#define LATCHKEY_COMMON_APP_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Jobs of share 0 .. WORKER_SHARES_MAX - 1 are told apart.
#define WORKER_SHARES_MAX 128

struct worker_pool;

// Embedded in whatever has to be done. From worker_pool_submit() until `run` is called the pool owns it.
struct worker_job {
    struct worker_job *next;             // the pool's
    void (*run)(struct worker_job *job); // on a worker thread, exactly once; may free the job
    unsigned share;                      // below WORKER_SHARES_MAX
    uint64_t deadline_ns;                // monotonic, when it must have ended; 0 = whenever
};

struct worker_pool_options {
    unsigned threads;          // 1..1024
    unsigned queue_capacity;   // jobs that wait at most, beside those that run; 1 and up
    const struct clock *clock; // borrows; NULL = the system's
};

struct worker_pool_statistics {
    unsigned running;
    unsigned waiting;
    uint64_t submitted; // since the start
    uint64_t refused;   // because the queue was full
    uint64_t late;      // because it was too long for their deadlines
};

MUST_CHECK enum status worker_pool_new(const struct worker_pool_options *options,
                                       struct worker_pool **ret_pool);

// Runs what waits, joins the threads. Nothing may be submitted any more. Takes NULL.
void worker_pool_free(struct worker_pool *pool);

// From any thread; never blocks. EXHAUSTED when the queue is full, or what of it one share gets, or too long:
// the job then still is the caller's.
MUST_CHECK enum status worker_pool_submit(struct worker_pool *pool, struct worker_job *job);

struct worker_pool_statistics worker_pool_get_statistics(struct worker_pool *pool);

// A metrics_source with the pool as context.
void worker_pool_write_metrics(struct metrics_writer *writer, void *pool);

#endif
