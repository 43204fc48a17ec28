// What every request to the console has to pass before anything is done: it is for our host, so that no other
// name can be made to mean us (DNS rebinding); and where it changes anything, it comes from our own pages, so
// that no other site can make a browser send it (CSRF). Browsers say so in Origin or Sec-Fetch-Site, of which
// one must be there and none may say otherwise; and no form of another site can have this content type.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_GUARD_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_GUARD_H

#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/base/compiler.h"

// Of a GET. False: `answer` says why not.
MUST_CHECK bool console_guard_admits_reading(const struct http_request *request, struct http_answer *answer);

// Of everything else.
MUST_CHECK bool console_guard_admits(const struct http_request *request, struct http_answer *answer);

#endif
