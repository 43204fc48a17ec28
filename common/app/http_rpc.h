// What the HTTP door serves by itself: the server's methods, in Connect's unary protocol with JSON or
// protobuf, those that only read also by GET, and a sentence at every path where there is nothing.
#ifndef LATCHKEY_COMMON_APP_HTTP_RPC_H
#define LATCHKEY_COMMON_APP_HTTP_RPC_H

#include "common/app/http_route.h"
#include "common/app/http_site.h"

extern const struct http_site http_rpc_site;

// The translation back of a method's answer, for routes that call methods in their own way.
void http_rpc_tell(const struct http_request *request, const struct local_response *response,
                   struct http_answer *answer);

#endif
