// What the calls have in common that a door makes of requests, or within work.
#ifndef LATCHKEY_COMMON_APP_HTTP_CALL_H
#define LATCHKEY_COMMON_APP_HTTP_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/http_door.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/grpc/local_call.h"

// They go around.
size_t http_call_choose_loop(struct http_door *door);

// Copies what local_call's on_done shows to the arena. False, and a status of 0: it was lost, or there is no
// memory.
MUST_CHECK bool http_call_keep_response(const struct local_response *response, struct arena *arena,
                                        struct local_response *ret_kept);

#endif
