// Questions to the writer's side of the image: by ids, which readers have no way from. They are answered on
// the follower's thread, between two rounds.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ERRAND_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ERRAND_H

#include <pthread.h>
#include <stdint.h>

#include "services/validator/image/image.h"

// Embedded by its owner, who waits until it has run.
struct errand {
    struct errand *next;
    // On the follower's thread; must not block for longer than a round may. `image` stays as it is meanwhile,
    // and may be decided by at `now_ms`; NULL: there is none at the moment that may.
    void (*run)(struct errand *errand, const struct image *image, int64_t now_ms);
};

// What waits to be run.
struct errands {
    pthread_mutex_t lock;
    struct errand *first, **end;
};

void errands_init(struct errands *errands);
void errands_fini(struct errands *errands); // all have run

// Any thread.
void errands_add(struct errands *errands, struct errand *errand);

// The follower's thread: all that were added, in their order.
void errands_run(struct errands *errands, const struct image *image, int64_t now_ms);

#endif
