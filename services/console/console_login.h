// The log-in of somebody whom a link or a provider has shown to be who they are: CreateLoginToken by the
// console's own token, and the cookie that holds what it made. Within work of the door.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_LOGIN_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_LOGIN_H

#include <jansson.h>

#include "common/app/http_route.h"
#include "common/base/clock.h"

// Before the door opens. Borrows.
void console_login_start(const struct clock *clock);

// Zero: nobody is logged in, and it is our doing, which the log explains.
enum console_login {
    CONSOLE_LOGIN_UNAVAILABLE,
    CONSOLE_LOGIN_NOBODY,  // no member, or one who may not; the person is not told which
    CONSOLE_LOGIN_REFUSED, // by a list that does not hold their address
    CONSOLE_LOGIN_MADE,    // the cookie is in the answer
};

// How it ended, and the contract's reason, in the request's arena.
struct console_login_result {
    enum console_login login;
    const char *reason;
};

// `who` is {"email": ...} or {"issuer": ..., "subject": ...}, with "email" beside them or without, taken.
// Adds the cookie to the answer, and leaves the rest of it alone.
struct console_login_result console_login_make(const struct http_request *request, const char *company,
                                               json_t *who, struct http_answer *answer);

#endif
