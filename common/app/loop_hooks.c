#include "common/app/loop_hooks.h"

#include <stdlib.h>

struct loop_hook {
    struct loop_task task;
    struct loop *loop;
    void (*run)(struct loop *loop);
};

static void run_hook(struct loop_task *task) {
    struct loop_hook *hook = CONTAINER_OF(task, struct loop_hook, task);
    hook->run(hook->loop);
}

enum status loop_hooks_add(const struct app_program *program, struct loop_group *loops,
                           struct loop_hook **ret_hooks) {
    size_t loop_count = loop_group_get_count(loops), used = 0;
    struct loop_hook *hooks = calloc(loop_count * program->service_count * 2, sizeof(*hooks));
    if (!hooks)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < program->service_count * loop_count; i++) {
        const struct app_service *service = program->services[i / loop_count];
        struct loop *loop = loop_group_get_loop(loops, i % loop_count);
        if (service->enter_loop) {
            hooks[used] = (struct loop_hook){{.run = run_hook}, loop, service->enter_loop};
            loop_post(loop, &hooks[used++].task);
        }
        if (service->leave_loop) {
            hooks[used] = (struct loop_hook){{.run = run_hook}, loop, service->leave_loop};
            loop_add_stop_task(loop, &hooks[used++].task);
        }
    }
    *ret_hooks = hooks;
    return STATUS_OK;
}

void loop_hooks_free(struct loop_hook *hooks) {
    free(hooks);
}
