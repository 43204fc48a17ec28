// What an HTTP/1.1 door serves at one path: a pair of translations, from a request to a call inside of the
// process and from its answer back. Neither waits nor decides anything, so both run on the door's own thread;
// the call between them runs on a loop, like one that came over HTTP/2. What takes more than one call, or has
// to wait for others, is work in place of a call, on a thread that may block.
#ifndef LATCHKEY_COMMON_APP_HTTP_ROUTE_H
#define LATCHKEY_COMMON_APP_HTTP_ROUTE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/grpc/local_call.h"
#include "common/grpc/metadata.h"
#include "common/ip/address.h"

struct http_door;

// Borrowed from the exchange that it is part of; lives until its answer has been sent.
struct http_request {
    struct arena *arena;
    struct http_door *door; // through which it came
    const void *context;    // its route's
    const char *method;     // as sent
    struct bytes target;    // path and query, as sent: still percent-encoded
    struct bytes path;
    struct bytes query;     // what follows the '?'; empty if nothing does
    struct metadata fields; // in the order received, names in lower case, values without control characters
    struct bytes body;
    struct ip_address peer; // of TCP; family 0 for a Unix socket
    bool is_local;          // loopback or Unix socket
};

// In the request's arena, or static. Status 0 = nothing yet.
struct http_answer {
    unsigned status;
    const char *cache_control; // NULL = no-store
    struct metadata fields;
    struct bytes body;
};

struct http_route {
    const char *path;         // NULL = whatever no other route has
    const char *name;         // in metrics
    const char *methods;      // as `allow` lists them, "GET, HEAD"; NULL = any
    const char *read_methods; // where it calls a method that only reads; NULL = as `methods`
    const void *context;      // for the two below
    size_t max_body_bytes;    // below --http-max-body; 0 = as that
    // A page on another site must not ask by way of its reader's browser.
    bool refuses_foreign_origins;

    // True: `call` is to be made (its peer is filled in already), or the work is to be done. False: `answer`
    // says why not.
    bool (*ask)(const struct http_request *request, struct local_request *call, struct http_answer *answer);
    // `response` is good as long as the request. Not called for a call that was lost.
    void (*tell)(const struct http_request *request, const struct local_response *response,
                 struct http_answer *answer);
    // In place of a call: on a thread of the door's (http_work.h), which may block. NULL = there is a call.
    void (*work)(const struct http_request *request, struct http_answer *answer);
    unsigned share; // of the threads that work gets: worker.h
};

// The first field of that name (in lower case), and the only one: data NULL if there is none or another.
struct bytes http_request_find_only(const struct http_request *request, const char *name);

// Whether content-type names that type (in lower case), with any parameters.
bool http_request_has_type(const struct http_request *request, const char *type);

// Out of memory leaves the field out; `name` is static.
void http_answer_add(const struct http_request *request, struct http_answer *answer, const char *name,
                     struct bytes value);

// {"code": ..., "message": ...}, as Connect writes errors. `code` is one of gRPC's in lower case.
void http_answer_refuse(const struct http_request *request, struct http_answer *answer, unsigned status,
                        const char *code, const char *format, ...) PRINTF_LIKE(5, 6);

// A body of JSON that has been built.
void http_answer_json(const struct http_request *request, struct http_answer *answer, unsigned status,
                      struct bytes body);

#endif
