// The mail with a link for signing in. It is made and sent by itself, after the browser has been answered: so
// no answer, and no time that one takes, tells whether anybody has that address.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_MAIL_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_MAIL_H

#include "common/app/http_route.h"
#include "common/base/clock.h"
#include "common/ip/address.h"
#include "services/console/console_link.h"

// Before the door opens. Borrows both.
void console_mail_start(struct console_links *links, const struct clock *clock);

// Begins. Where the person is a member of the company a mail is sent; otherwise nothing is. False: there is
// no room for more of this work now.
MUST_CHECK bool console_mail_begin(const struct http_request *request, const struct console_person *person,
                                   struct bytes browser, const struct ip_address *asker);

#endif
