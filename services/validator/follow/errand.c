#include "services/validator/follow/errand.h"

void errands_init(struct errands *errands) {
    pthread_mutex_init(&errands->lock, NULL);
    errands->first = NULL;
    errands->end = &errands->first;
}

void errands_fini(struct errands *errands) {
    pthread_mutex_destroy(&errands->lock);
}

void errands_add(struct errands *errands, struct errand *errand) {
    errand->next = NULL;
    pthread_mutex_lock(&errands->lock);
    *errands->end = errand;
    errands->end = &errand->next;
    pthread_mutex_unlock(&errands->lock);
}

static struct errand *take_all(struct errands *errands) {
    pthread_mutex_lock(&errands->lock);
    struct errand *first = errands->first;
    errands->first = NULL;
    errands->end = &errands->first;
    pthread_mutex_unlock(&errands->lock);
    return first;
}

void errands_run(struct errands *errands, const struct image *image, int64_t now_ms) {
    struct errand *next;
    for (struct errand *errand = take_all(errands); errand; errand = next) {
        next = errand->next; // it may be gone once it has run
        errand->run(errand, image, now_ms);
    }
}
