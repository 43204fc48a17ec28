#include "common/app/http_work.h"

#include <pthread.h>

#include "common/app/http_call.h"
#include "common/app/http_exchange.h"

// ---- work ----

static void on_turn(struct worker_job *job) {
    struct http_work *work = CONTAINER_OF(job, struct http_work, job);
    struct http_door *door = work->door;
    work->run(work);
    http_door_give_place_back(door);
}

bool http_work_begin(struct http_door *door, struct http_work *work) {
    if (!http_door_take_place(door))
        return false;
    work->door = door;
    work->job = (struct worker_job){.run = on_turn, .share = work->share};
    if (worker_pool_submit(door->workers, &work->job) == STATUS_OK)
        return true;
    http_door_give_place_back(door);
    return false;
}

enum status http_work_open(struct http_door *door) {
    unsigned threads = door->options.site->threads;
    const struct worker_pool_options options = {.threads = threads,
                                                .queue_capacity =
                                                    (unsigned)door->options.settings->max_requests,
                                                .clock = door->options.clock};
    return threads > 0 ? worker_pool_new(&options, &door->workers) : STATUS_OK;
}

// ---- calls from within ----

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    struct arena *arena; // of the thread that waits, and so touches neither meanwhile
    struct local_response *response;
    bool is_done;
};

static void on_done(void *context, const struct local_response *response) {
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->mutex);
    (void)!http_call_keep_response(response, waiting->arena, waiting->response);
    waiting->is_done = true;
    pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->mutex);
}

// why: what waits for a thread would else, one after the other, hold up the end for as long as each may take.
static bool is_closing(struct http_door *door) {
    pthread_mutex_lock(&door->mutex);
    bool is_closing = door->is_closing;
    pthread_mutex_unlock(&door->mutex);
    return is_closing;
}

static void wait_done(struct waiting *waiting) {
    pthread_mutex_lock(&waiting->mutex);
    while (!waiting->is_done)
        pthread_cond_wait(&waiting->done, &waiting->mutex);
    pthread_mutex_unlock(&waiting->mutex);
}

bool http_work_call(struct http_door *door, const struct local_request *request, struct arena *arena,
                    struct local_response *ret_response) {
    struct waiting waiting = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                              .done = PTHREAD_COND_INITIALIZER,
                              .arena = arena,
                              .response = ret_response};
    struct local_call *call;
    ret_response->http_status = 0;
    if (is_closing(door) || local_call_new(door->options.server, http_call_choose_loop(door), request,
                                           on_done, &waiting, &call) != STATUS_OK)
        return false;
    local_call_begin(call);
    wait_done(&waiting);
    local_call_free(call);
    pthread_cond_destroy(&waiting.done);
    pthread_mutex_destroy(&waiting.mutex);
    return ret_response->http_status != 0;
}
