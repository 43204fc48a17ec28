// Condition variables whose timed waits run on the monotonic clock, so that whoever sets the wall clock
// neither ends nor prolongs a wait. For the rest they are those of <pthread.h>.
#ifndef LATCHKEY_COMMON_BASE_CONDITION_H
#define LATCHKEY_COMMON_BASE_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

// Ends with pthread_cond_destroy().
void condition_init(pthread_cond_t *condition);

// The instant that lies `ms` (0 and up) ahead, for pthread_cond_timedwait().
struct timespec condition_get_end(int64_t ms);

#endif
