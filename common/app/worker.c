#include "common/app/worker.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

// The jobs of one share that wait, oldest first, and how many of it run.
struct queue {
    struct worker_job *first, **last;
    unsigned waiting, running;
};

struct worker_pool {
    const struct clock *clock;
    unsigned queue_capacity;
    unsigned share_threads_max, share_capacity; // what of both a single share gets

    // Under `lock`.
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    struct queue queues[WORKER_SHARES_MAX];
    unsigned turn;          // the share that comes first among equals
    unsigned active_shares; // that have jobs
    uint64_t run_ns;        // how long a job runs, on average of the latest; 0 = not known yet
    struct worker_pool_statistics statistics;
    bool stopping;

    unsigned thread_count;
    pthread_t threads[];
};

enum { AVERAGE_OF = 16 };

static bool is_idle(const struct queue *queue) {
    return queue->waiting + queue->running == 0;
}

// The one with the fewest workers of those where a job waits that may run now; NULL = none does.
static struct queue *choose_queue(struct worker_pool *pool) {
    unsigned running_max = pool->stopping ? UINT_MAX : pool->share_threads_max;
    struct queue *chosen = NULL;
    for (unsigned i = 0; i < WORKER_SHARES_MAX; i++) {
        struct queue *queue = &pool->queues[(pool->turn + i) % WORKER_SHARES_MAX];
        if (queue->first && queue->running < (chosen ? chosen->running : running_max))
            chosen = queue;
    }
    return chosen;
}

// Blocks until there is a job; NULL once the pool stops and nothing waits any more.
static struct worker_job *take_job(struct worker_pool *pool) {
    struct queue *queue;
    while (!(queue = choose_queue(pool)) && !pool->stopping)
        pthread_cond_wait(&pool->not_empty, &pool->lock);
    if (!queue)
        return NULL;
    struct worker_job *job = queue->first;
    queue->first = job->next;
    if (!queue->first)
        queue->last = &queue->first;
    queue->waiting--;
    queue->running++;
    pool->turn = job->share + 1;
    pool->statistics.waiting--;
    pool->statistics.running++;
    return job;
}

// Runs the job without the lock, and learns how long that took. One that is too late only has to be told, and
// says nothing about the others.
static void run(struct worker_pool *pool, struct worker_job *job) {
    uint64_t begun_ns = clock_get_monotonic_ns(pool->clock);
    bool is_late = job->deadline_ns > 0 && job->deadline_ns <= begun_ns;
    pthread_mutex_unlock(&pool->lock);
    job->run(job);
    pthread_mutex_lock(&pool->lock);
    uint64_t run_ns = clock_get_monotonic_ns(pool->clock) - begun_ns;
    if (!is_late)
        pool->run_ns =
            pool->run_ns == 0 ? run_ns : pool->run_ns - pool->run_ns / AVERAGE_OF + run_ns / AVERAGE_OF;
}

static void *run_worker(void *context) {
    struct worker_pool *pool = context;

    pthread_mutex_lock(&pool->lock);
    for (struct worker_job *job; (job = take_job(pool));) {
        struct queue *queue = &pool->queues[job->share];
        run(pool, job);
        queue->running--;
        pool->statistics.running--;
        pool->active_shares -= is_idle(queue);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum status worker_pool_new(const struct worker_pool_options *options, struct worker_pool **ret_pool) {
    assert(options->threads >= 1 && options->queue_capacity >= 1);
    struct worker_pool *pool = calloc(1, sizeof(*pool) + options->threads * sizeof(pool->threads[0]));
    if (!pool)
        return STATUS_NO_MEMORY;

    pool->clock = options->clock ? options->clock : clock_get_system();
    pool->queue_capacity = options->queue_capacity;
    pool->share_capacity = options->queue_capacity - options->queue_capacity / 4;
    pool->share_threads_max = options->threads > 1 ? options->threads - (options->threads + 3) / 4 : 1;
    for (unsigned i = 0; i < WORKER_SHARES_MAX; i++)
        pool->queues[i].last = &pool->queues[i].first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->not_empty, NULL);
    for (; pool->thread_count < options->threads; pool->thread_count++) {
        if (pthread_create(&pool->threads[pool->thread_count], NULL, run_worker, pool) == 0)
            continue;
        worker_pool_free(pool);
        return STATUS_EXHAUSTED;
    }
    *ret_pool = pool;
    return STATUS_OK;
}

void worker_pool_free(struct worker_pool *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->not_empty);
    pthread_mutex_unlock(&pool->lock);

    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->not_empty);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

// With how many workers the jobs of one share may reckon, as long as all that are active stay so.
static unsigned count_threads_of_share(const struct worker_pool *pool) {
    unsigned threads = pool->thread_count / (pool->active_shares > 0 ? pool->active_shares : 1);
    if (threads > pool->share_threads_max)
        threads = pool->share_threads_max;
    return threads > 0 ? threads : 1;
}

// Whether a job that has to wait would not have ended by its deadline, with as much time to spare as it
// waits: jobs differ, and so does what becomes of the answer.
static bool would_be_late(const struct worker_pool *pool, const struct queue *queue, uint64_t deadline_ns) {
    if (queue->waiting == 0 || deadline_ns == 0)
        return false;
    uint64_t wait_ns = pool->run_ns * queue->waiting / count_threads_of_share(pool);
    uint64_t end_ns = clock_get_monotonic_ns(pool->clock) + 2 * wait_ns + pool->run_ns;
    return end_ns > deadline_ns;
}

enum status worker_pool_submit(struct worker_pool *pool, struct worker_job *job) {
    assert(job->share < WORKER_SHARES_MAX);
    struct queue *queue = &pool->queues[job->share];
    pthread_mutex_lock(&pool->lock);
    assert(!pool->stopping);
    if (pool->statistics.waiting >= pool->queue_capacity || queue->waiting >= pool->share_capacity) {
        pool->statistics.refused++;
        pthread_mutex_unlock(&pool->lock);
        return STATUS_EXHAUSTED;
    }
    if (would_be_late(pool, queue, job->deadline_ns)) {
        pool->statistics.late++;
        pthread_mutex_unlock(&pool->lock);
        return STATUS_EXHAUSTED;
    }
    pool->active_shares += is_idle(queue);
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
    queue->waiting++;
    pool->statistics.waiting++;
    pool->statistics.submitted++;
    pthread_cond_signal(&pool->not_empty);
    pthread_mutex_unlock(&pool->lock);
    return STATUS_OK;
}

struct worker_pool_statistics worker_pool_get_statistics(struct worker_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct worker_pool_statistics statistics = pool->statistics;
    pthread_mutex_unlock(&pool->lock);
    return statistics;
}

void worker_pool_write_metrics(struct metrics_writer *writer, void *context) {
    struct worker_pool_statistics statistics = worker_pool_get_statistics(context);
    metrics_write_gauge(writer, "latchkey_workers_running", "Workers that run a call.", NULL,
                        statistics.running);
    metrics_write_gauge(writer, "latchkey_worker_queue_length", "Calls that wait for a worker.", NULL,
                        statistics.waiting);
    metrics_write_counter(writer, "latchkey_worker_queue_refused_total",
                          "Calls refused because the queue was full.", NULL, statistics.refused);
    metrics_write_counter(writer, "latchkey_worker_queue_late_total",
                          "Calls refused because their turn would have come too late for their deadlines.",
                          NULL, statistics.late);
}
