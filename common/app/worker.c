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
    unsigned queue_capacity;
    unsigned share_threads_max, share_capacity; // what of both a single share gets

    // Under `lock`.
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    struct queue queues[WORKER_SHARES_MAX];
    unsigned turn; // the share that comes first among equals
    struct worker_pool_statistics statistics;
    bool stopping;

    unsigned thread_count;
    pthread_t threads[];
};

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

static void *run_worker(void *context) {
    struct worker_pool *pool = context;

    pthread_mutex_lock(&pool->lock);
    for (struct worker_job *job; (job = take_job(pool));) {
        struct queue *queue = &pool->queues[job->share];
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        pthread_mutex_lock(&pool->lock);
        queue->running--;
        pool->statistics.running--;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum status worker_pool_new(const struct worker_pool_options *options, struct worker_pool **ret_pool) {
    assert(options->threads >= 1 && options->queue_capacity >= 1);
    struct worker_pool *pool = calloc(1, sizeof(*pool) + options->threads * sizeof(pool->threads[0]));
    if (!pool)
        return STATUS_NO_MEMORY;

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
}
