#include "services/validator/decide/backlog.h"

#include <assert.h>

#include "common/base/compiler.h"
#include "common/base/multiply_fold.h"
#include "common/base/random.h"

static_assert(BACKLOG_QUEUES == 64, "a bit of `filled` for each");

static unsigned choose_queue(const struct backlog *backlog, const void *connection) {
    return (unsigned)(multiply_fold((uint64_t)(uintptr_t)connection, backlog->key) % BACKLOG_QUEUES);
}

static void link_job(struct backlog *backlog, struct backlog_job *job) {
    unsigned number = choose_queue(backlog, job->connection);
    struct backlog_queue *queue = &backlog->queues[number];
    job->next = NULL;
    job->link = queue->end;
    *queue->end = job;
    queue->end = &job->next;
    backlog->filled |= UINT64_C(1) << number;
}

static void unlink_job(struct backlog *backlog, struct backlog_job *job) {
    unsigned number = choose_queue(backlog, job->connection);
    struct backlog_queue *queue = &backlog->queues[number];
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    else
        queue->end = job->link;
    job->link = NULL;
    if (!queue->first)
        backlog->filled &= ~(UINT64_C(1) << number);
}

// The first filled queue from `next` on, round the end.
static struct backlog_job *take_next(struct backlog *backlog) {
    unsigned start = backlog->next;
    uint64_t rotated = backlog->filled >> start | backlog->filled
                                                      << ((BACKLOG_QUEUES - start) % BACKLOG_QUEUES);
    unsigned number = (start + (unsigned)__builtin_ctzll(rotated)) % BACKLOG_QUEUES;
    struct backlog_job *job = backlog->queues[number].first;
    backlog->next = (number + 1) % BACKLOG_QUEUES;
    unlink_job(backlog, job);
    return job;
}

// A job without pieces is work, too.
static void run_some(struct backlog *backlog, size_t max) {
    for (size_t done = 0; done < max && backlog->filled; done++) {
        struct backlog_job *job = take_next(backlog);
        done += job->run(job);
    }
}

static void on_turn(struct loop_task *task) {
    struct backlog *backlog = CONTAINER_OF(task, struct backlog, task);
    run_some(backlog, BACKLOG_TURN);
    backlog->is_deferred = backlog->filled != 0;
    if (backlog->is_deferred) // another turn's reads come between
        loop_defer_to_next_turn(backlog->loop, &backlog->task);
}

void backlog_enter_loop(struct backlog *backlog, struct loop *loop) {
    *backlog = (struct backlog){.loop = loop, .task.run = on_turn, .key = random_get_u64() | 1};
    for (size_t i = 0; i < BACKLOG_QUEUES; i++)
        backlog->queues[i].end = &backlog->queues[i].first;
}

void backlog_leave_loop(struct backlog *backlog) {
    while (backlog->filled)
        run_some(backlog, BACKLOG_TURN);
}

void backlog_add(struct backlog *backlog, struct backlog_job *job) {
    if (job->link)
        return;
    link_job(backlog, job);
    if (backlog->is_deferred)
        return;
    backlog->is_deferred = true;
    loop_defer(backlog->loop, &backlog->task);
}

void backlog_remove(struct backlog *backlog, struct backlog_job *job) {
    if (job->link)
        unlink_job(backlog, job);
}
