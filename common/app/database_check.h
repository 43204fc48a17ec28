// The look at the database before a server opens its doors: can it be reached, does it let us in, has it our
// schema? What only an operator can mend ends the process with one sentence; a database that is merely away
// is waited for.
#ifndef LATCHKEY_COMMON_APP_DATABASE_CHECK_H
#define LATCHKEY_COMMON_APP_DATABASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/app.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"

// Whether any of the program's services needs a database, as its settings are.
bool database_is_needed(const struct app_program *program);

// OK; UNAVAILABLE: away at the moment; INVALID (the URL), PERMISSION_DENIED, FAILED_PRECONDITION (another
// schema): for good. Anything but OK leaves a sentence.
MUST_CHECK enum status database_check(const struct db_connection_options *options, uint64_t deadline_ns,
                                      char *ret_error, size_t error_size);

#endif
