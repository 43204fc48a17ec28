// What one HTTP/1.1 door serves, and where: the paths of its own, the methods of the server, and what is
// answered everywhere else. Static storage.
#ifndef LATCHKEY_COMMON_APP_HTTP_SITE_H
#define LATCHKEY_COMMON_APP_HTTP_SITE_H

#include <stddef.h>

#include "common/app/http_route.h"

struct http_field {
    const char *name, *value; // value NULL = it is left out
};

// The names of its metrics: HTTP_SITE_METRICS("http").
struct http_site_metrics {
    const char *requests, *ended, *connections, *under_way;
};
#define HTTP_SITE_METRICS(name)                                                     \
    {                                                                               \
        "latchkey_" name "_requests_total", "latchkey_" name "_ended_total",        \
            "latchkey_" name "_connections", "latchkey_" name "_requests_under_way" \
    }

struct http_site {
    struct http_site_metrics metrics;
    const char *setting;       // "--http-listen"
    const char *purpose;       // "HTTP/1.1", in "can't serve ..."
    const char *const *listen; // the setting: ADDRESS:PORT; NULL or "none" = it is off

    const struct http_route *routes;
    size_t route_count;
    const struct http_route *methods; // at the path of a method that does not stream
    const struct http_route *rest;

    // What every answer says beside nosniff and whether it may be kept. Const once the door is open.
    const struct http_field *fields;
    size_t field_count;

    unsigned threads; // for its routes' work; 0 = none of them works
};

// ADDRESS:PORT; NULL = it is off.
const char *http_site_find_listen(const struct http_site *site);

#endif
