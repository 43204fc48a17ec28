#include "services/validator/decide/reading.h"

#include "common/base/compiler.h"
#include "services/validator/image/quiescence.h"

static void go_offline(struct reading *reading) {
    if (reading->is_online)
        quiescence_go_offline();
    reading->is_online = false;
}

static void on_end_of_turn(struct loop_task *task) {
    struct reading *reading = CONTAINER_OF(task, struct reading, end);
    reading->is_deferred = false;
    go_offline(reading);
}

void reading_enter_loop(struct reading *reading, struct loop *loop) {
    *reading = (struct reading){.loop = loop, .end.run = on_end_of_turn};
    quiescence_enter_thread();
}

void reading_leave_loop(struct reading *reading) {
    go_offline(reading);
    quiescence_leave_thread();
}

void reading_begin(struct reading *reading) {
    if (reading->is_online)
        return;
    quiescence_go_online();
    reading->is_online = true;
    if (!reading->is_deferred)
        loop_defer(reading->loop, &reading->end);
    reading->is_deferred = true;
}
