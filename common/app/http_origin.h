// Which pages of the web may ask through their readers' browsers (CORS). Without a setting none may: a
// browser then sends nothing for them, and what one sends all the same is refused, because it can reach a
// loopback address that its page can't.
#ifndef LATCHKEY_COMMON_APP_HTTP_ORIGIN_H
#define LATCHKEY_COMMON_APP_HTTP_ORIGIN_H

#include <stdbool.h>

#include "common/app/http_route.h"

// Of the setting: "", "*", or origins between commas ("https://console.example.com, http://localhost:3000").
MUST_CHECK bool http_origin_accept(const char *list, const char **ret_reason);

// Whether the request comes from no page, or from one that may ask.
bool http_origin_is_allowed(const char *list, const struct http_request *request);

// A browser asks what it may send before it sends it.
bool http_origin_is_preflight(const struct http_request *request);

// The answer to a preflight of an origin that is allowed.
void http_origin_answer_preflight(const struct http_request *request, const char *methods,
                                  struct http_answer *answer);

// Lets an allowed page read the answer. Does nothing for requests that come from none.
void http_origin_add(const char *list, const struct http_request *request, struct http_answer *answer);

#endif
