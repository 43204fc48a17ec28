// Signing in by an OpenID provider, which is told by --console-openid-issuer (docs/decisions/0047).
//
//     POST /session/openid {"company"}   {"location"}: where the browser is to go
//     GET  /session/openid/callback      where it comes back to; signs in, and leads to /sign-in
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_BY_OPENID_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_BY_OPENID_H

#include "common/app/http_route.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define CONSOLE_OPENID_CALLBACK "/session/openid/callback"

// Before the door opens, and after it has closed. Borrows. NO_MEMORY.
MUST_CHECK enum status console_by_openid_start(const struct clock *clock);
void console_by_openid_stop(void);

// Of the routes: http_route.h.
bool console_by_openid_ask(const struct http_request *request, struct local_request *call,
                           struct http_answer *answer);
void console_by_openid_begin(const struct http_request *request, struct http_answer *answer);
bool console_by_openid_ask_back(const struct http_request *request, struct local_request *call,
                                struct http_answer *answer);
void console_by_openid_come_back(const struct http_request *request, struct http_answer *answer);

#endif
