// Grants as an image holds them: one text, each of them ended by a newline.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_GRANT_TEXT_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_GRANT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

// The grants of the text, from which they borrow, in the arena. False, and nothing returned, when out of
// memory.
MUST_CHECK bool grant_text_split(struct bytes text, struct arena *arena, const struct bytes **ret_grants,
                                 size_t *ret_count);

#endif
