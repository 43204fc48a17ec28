// The validator of this process as everybody sees it who decides or reports: what is known, and for how long
// it may be trusted. The follower (follower.h) is its one writer; readers are the loops' threads.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_VALIDATOR_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_VALIDATOR_H

#include <stdatomic.h>
#include <stdint.h>

#include "services/validator/image/image.h"
#include "services/validator/image/lease.h"

struct validator {
    // Release store by the follower, acquire load by readers while they are online (quiescence.h). NULL until
    // the first load is complete; replaced as a whole when the follower had to load again.
    _Atomic(const struct image *) image;

    struct lease lease;

    // To add to our own UTC to be as near to the database's as its last answer proves. For people. Relaxed.
    _Atomic int64_t clock_correction_ms;

    // To add to our CLOCK_BOOTTIME, in milliseconds, for the same. Relaxed.
    _Atomic int64_t boottime_to_utc_ms;
};

// NULL: nothing is known, and whoever asks is told to come back.
static inline const struct image *validator_get_image(const struct validator *validator) {
    return atomic_load_explicit(&validator->image, memory_order_acquire);
}

// The time that decisions go by, from a reading of our boottime: whoever sets our UTC clock back between two
// renewals brings nothing to life that has ended.
static inline int64_t validator_get_time_ms(const struct validator *validator, uint64_t boottime_ns) {
    return (int64_t)(boottime_ns / 1000000) +
           atomic_load_explicit(&validator->boottime_to_utc_ms, memory_order_relaxed);
}

#endif
