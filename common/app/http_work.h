// What a door has to do that may block: on threads of its own, a few of them, so that it holds up neither the
// door nor the loops. A piece of work has one of the door's places, like a call, and so ends before the door
// closes: what it waits for has to have a limit.
#ifndef LATCHKEY_COMMON_APP_HTTP_WORK_H
#define LATCHKEY_COMMON_APP_HTTP_WORK_H

#include <stdbool.h>

#include "common/app/worker.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/local_call.h"

struct http_door;

// Embedded in whatever is to be done.
struct http_work {
    struct worker_job job; // the threads'
    struct http_door *door;
    unsigned share;                      // of the threads: worker.h
    void (*run)(struct http_work *work); // once; may free it
};

// Any thread. False: the door has no place for it, or closes; it is still the caller's.
MUST_CHECK bool http_work_begin(struct http_door *door, struct http_work *work);

// Within work: asks the server, as a call inside of the process, and waits for its answer, which is copied to
// the arena. False, and a status of 0: it was lost, there is no memory, or the door closes.
MUST_CHECK bool http_work_call(struct http_door *door, const struct local_request *request,
                               struct arena *arena, struct local_response *ret_response);

// Within work that takes long: whether it is to come to its end. Not yet where the server leaves, and serves
// on.
bool http_door_is_stopping(const struct http_door *door);

// The door's own: as many threads as its site says.
MUST_CHECK enum status http_work_open(struct http_door *door);

#endif
