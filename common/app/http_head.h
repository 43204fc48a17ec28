// The head of a request over HTTP/1.1, read more strictly than libmicrohttpd reads it: bounded as over
// HTTP/2, names that are tokens, no control characters, and no two ways to see where the body ends.
#ifndef LATCHKEY_COMMON_APP_HTTP_HEAD_H
#define LATCHKEY_COMMON_APP_HTTP_HEAD_H

#include "common/app/http_route.h"

enum http_head { HTTP_HEAD_GOOD, HTTP_HEAD_BAD, HTTP_HEAD_TOO_LARGE };

// Takes target, path and query of "/path?query" or "http://host/path?query". Borrows.
void http_head_set_uri(struct http_request *request, struct bytes uri);

// Adds a field, its name in lower case, its value without spaces around it; also a bad one. TOO_LARGE, also
// when memory runs out: nothing was added, and nothing is from then on.
MUST_CHECK enum http_head http_head_add(struct http_request *request, struct bytes name, struct bytes value);

// Whether there is one way to see where the body ends. Where a proxy in front might see another there are two
// requests, of which it has let through one.
bool http_head_is_framing_clear(const struct http_request *request);

// The body's length, as far as content-length tells it; else 0.
uint64_t http_head_get_length(const struct http_request *request);

#endif
