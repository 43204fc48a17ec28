// The names of a set of permissions as ValidateResponse carries them: `held_permissions`, one field behind
// the other, in the order of the alphabet. Sets that policies and members hold have theirs made with them
// (content_pool.h), so that an answer only copies it; but for long ones: customers choose how many different
// sets there are, and a group of a few bytes may stand for a megabyte of names.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_PERMISSION_TAIL_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_PERMISSION_TAIL_H

#include <stdbool.h>

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define PERMISSION_TAIL_FIELD 8 // held_permissions

// What a set keeps of it at most.
#define PERMISSION_TAIL_KEPT_MAX 1024

// In the arena; what the catalogue does not know is left out. Data NULL when out of memory.
MUST_CHECK struct bytes permission_tail_make(const struct permission_catalogue *catalogue,
                                             const struct permission_set *set, struct arena *arena);

// Takes the next name from its front; false at its end.
bool permission_tail_next(struct bytes *tail, struct bytes *ret_name);

#endif
