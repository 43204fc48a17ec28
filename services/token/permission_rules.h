// What the deployment's part of the catalogue must be like. Pure.
#ifndef LATCHKEY_SERVICES_TOKEN_PERMISSION_RULES_H
#define LATCHKEY_SERVICES_TOKEN_PERMISSION_RULES_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"

#define PERMISSIONS_MAX 10000
#define PERMISSION_DESCRIPTION_MAX 500 // characters

// INVALID with every bad field; NO_MEMORY.
MUST_CHECK enum status permission_check_catalogue(const struct bytes *names, const struct bytes *descriptions,
                                                  size_t count, struct arena *arena, struct fault *fault);

#endif
