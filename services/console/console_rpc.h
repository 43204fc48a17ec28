// The server's methods for the console's pages: as they came, but with the log-in of the cookie in the place
// of whatever says who is asking, and of the header fields none but those listed.
//
// The cookie is the browser's, and may have become somebody else's since a page was opened. So the log-in
// goes along with calls alone that say for whom they are made (caller_claim.h), which the server compares
// with whose it is before it does anything, and with GetCaller, which tells a page for whom it is. All others
// are nobody's; where that will not do, though the cookie is there, the page is told why (CALLER_MISSING) and
// not that nobody is signed in.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_RPC_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_RPC_H

#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/base/compiler.h"

#define CONSOLE_RPC_GET_CALLER "/latchkey.v1.TokenService/GetCaller"

extern const struct http_route console_rpc_route;

// Makes it a call of whoever is logged in, from where they are; of nobody without the cookie. What the
// request says for whom it is stays with it. NO_MEMORY.
MUST_CHECK enum status console_rpc_add_caller(const struct http_request *request, struct local_request *call);

#endif
