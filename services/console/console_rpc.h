// The server's methods for the console's pages: as they came, but with the log-in of the cookie in the place
// of whatever says who is asking, and of the header fields none but those listed.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_RPC_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_RPC_H

#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/base/compiler.h"

extern const struct http_route console_rpc_route;

// Makes it a call of whoever is logged in, from where they are; of nobody without the cookie. NO_MEMORY.
MUST_CHECK enum status console_rpc_add_caller(const struct http_request *request, struct local_request *call);

#endif
