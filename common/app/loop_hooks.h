// Services enter and leave each loop on its own thread: enter_loop() in its first turn, before any bytes can
// have been read on it; leave_loop() when it stops, after what was told to stop before (the connections).
#ifndef LATCHKEY_COMMON_APP_LOOP_HOOKS_H
#define LATCHKEY_COMMON_APP_LOOP_HOOKS_H

#include "common/app/app.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/net/loop.h"

struct loop_hook;

// Before loop_group_start(), after the server has been made. *ret_hooks is owned, and freed after
// loop_group_stop(). NO_MEMORY.
MUST_CHECK enum status loop_hooks_add(const struct app_program *program, struct loop_group *loops,
                                      struct loop_hook **ret_hooks);
void loop_hooks_free(struct loop_hook *hooks); // takes NULL

#endif
