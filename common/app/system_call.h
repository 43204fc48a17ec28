// A change that nobody asked for: a sweeper's, a notice's, the return of an unconfirmed whitelist. It has a
// transaction for one company, audit notes and a revision like a call, and stands in the log under the
// system's name.
#ifndef LATCHKEY_COMMON_APP_SYSTEM_CALL_H
#define LATCHKEY_COMMON_APP_SYSTEM_CALL_H

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/db/connection.h"

// Works in call->transaction. Anything but OK rolls back. May be run again after a serialization failure.
typedef enum status (*system_change)(struct app_call *call, void *context);

struct system_call_options {
    struct app *app;
    struct db_connection *connection;
    struct arena *arena; // the change's own things
    const char *system;  // "sweeper"
    struct uuid company_id;
};

// Runs `change`, commits, wakes the validators. The status of what failed, which has been logged.
MUST_CHECK enum status system_call_run(const struct system_call_options *options, system_change change,
                                       void *context);

#endif
