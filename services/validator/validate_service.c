#include "services/validator/validate_service.h"

void validate_loop_enter(struct validate_loop *mine, struct loop *loop) {
    reading_enter_loop(&mine->reading, loop);
    validate_waits_enter_loop(&mine->waits, loop);
}

void validate_loop_leave(struct validate_loop *mine) {
    validate_waits_leave_loop(&mine->waits);
    reading_leave_loop(&mine->reading);
}
