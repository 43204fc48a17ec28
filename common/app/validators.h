// The validators as a management server sees them: it wakes them after a commit, and waits until they have
// applied a change (fence.h says why that can be trusted). One thread with one database connection for the
// whole process, leased only while there is something to do: a thousand waiting calls cost one query per
// poll.
#ifndef LATCHKEY_COMMON_APP_VALIDATORS_H
#define LATCHKEY_COMMON_APP_VALIDATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/app/revision.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/db/pool.h"

#define VALIDATORS_LAGGING_MAX 100

struct validators;

// What the fence said when the wait ended.
struct validators_answer {
    unsigned live;
    unsigned confirmed;
    bool all_confirmed; // only from a reading that was begun after the commit
    char **lagging;     // names, in the waiter's arena, at most VALIDATORS_LAGGING_MAX
    size_t lagging_count;
};

// Embedded by whoever waits; the validators' from validators_wait() until `on_answer`.
struct validators_waiter {
    struct validators_waiter *next; // the validators'
    bool is_ripe;                   // the validators': a reading was begun after it came

    struct revision revision;
    uint64_t until_ns;   // monotonic; then the answer is what is known
    struct arena *arena; // for the names
    struct validators_answer answer;
    void (*on_answer)(
        struct validators_waiter *waiter); // on the validators' thread, exactly once; may free the waiter
};

MUST_CHECK enum status validators_new(struct db_pool *pool, const struct clock *clock,
                                      struct validators **ret_validators);

// From now on nobody waits: who does is answered with what is known, so that a stopping server need not
// outlast its callers' patience. Takes NULL.
void validators_end_waits(struct validators *validators);

// After the last waiter was answered. Joins the thread. Takes NULL.
void validators_free(struct validators *validators);

// After a commit that changed something: a hint, coalesced, sent outside of any transaction. Any thread,
// never blocks.
void validators_wake(struct validators *validators);

// After the commit of `waiter->revision`. Any thread, never blocks.
void validators_wait(struct validators *validators, struct validators_waiter *waiter);

// A metrics_source with the validators as context.
void validators_write_metrics(struct metrics_writer *writer, void *validators);

#endif
