// A loop's thread as a reader of the image: online from its first look in a turn to the end of that turn. One
// store each for all calls that come in together, instead of two for every call.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_READING_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_READING_H

#include <stdbool.h>

#include "common/net/loop.h"

struct reading {
    struct loop *loop;
    bool is_online;
    bool is_deferred; // `end` stands in this turn's queue
    struct loop_task end;
};

// On the loop's thread. Leaving ends a turn that is online.
void reading_enter_loop(struct reading *reading, struct loop *loop);
void reading_leave_loop(struct reading *reading);

// What is read from now on is good until the end of the loop's turn. May be called any number of times in it.
void reading_begin(struct reading *reading);

#endif
