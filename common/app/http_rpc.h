// What the HTTP door serves by itself: the server's methods, in Connect's unary protocol with JSON or
// protobuf, those that only read also by GET, and a sentence at every path where there is nothing.
#ifndef LATCHKEY_COMMON_APP_HTTP_RPC_H
#define LATCHKEY_COMMON_APP_HTTP_RPC_H

#include "common/app/http_route.h"

// What a method that only reads is for, beside what the route says.
#define HTTP_RPC_READ_METHODS "GET, POST"

extern const struct http_route http_rpc_route;
extern const struct http_route http_nothing_route;

#endif
