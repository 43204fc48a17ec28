// Signing in by a link that is sent by e-mail (console_link.h).
//
//     POST /session/mail {"email", "company"}   asks for one; always the same answer
//     POST /session/link {"secret"}             uses it
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_BY_MAIL_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_BY_MAIL_H

#include "common/app/http_route.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Before the door opens, and after it has closed. Borrows. NO_MEMORY.
MUST_CHECK enum status console_by_mail_start(const struct clock *clock);
void console_by_mail_stop(void);

// Of the routes: http_route.h.
bool console_by_mail_ask(const struct http_request *request, struct local_request *call,
                         struct http_answer *answer);
void console_by_mail_use_link(const struct http_request *request, struct http_answer *answer);

#endif
