// One request of the HTTP door and its answer. libmicrohttpd's thread has it, but for the time in ASKED, when
// it belongs to the call's loop, or to the thread that works on it; suspending and resuming the connection
// orders the two.
//
//     NEW --head is good--> RECEIVING --complete--> ASKED --answered--> ANSWERED --sent--> freed
//      \                        \------------not to be asked--------------^
//       \-----------------------refused-----------------------------------^
#ifndef LATCHKEY_COMMON_APP_HTTP_EXCHANGE_H
#define LATCHKEY_COMMON_APP_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/app/http_door.h"
#include "common/app/http_site.h"
#include "common/app/http_watch.h"
#include "common/app/worker.h"

#define HTTP_ROUTES_MAX 16
#define HTTP_OWN_ROUTES 2

// HTTP's own status codes are below.
#define HTTP_STATUS_LIMIT 600

// Relaxed counters of one route.
struct http_route_counters {
    _Atomic uint64_t answered[HTTP_STATUS_LIMIT];
};

struct http_door {
    struct http_door_options options;
    struct http_watch *watch;
    struct MHD_Daemon *daemon; // NULL until it is open
    int fd;                    // listens; -1 once the daemon has it
    unsigned port;
    struct http_release *releases; // one for each loop
    atomic_bool is_leaving;        // relaxed, as the next one
    atomic_bool is_stopping;       // accepts nobody any more
    _Atomic size_t next_loop;      // relaxed

    pthread_mutex_t mutex;
    pthread_cond_t calm; // nothing is asked any more
    // Under `mutex`.
    size_t asked;
    bool is_closing; // nothing is asked from now on

    struct worker_pool *workers; // NULL = no route works

    // Those with paths, and after them the site's other two.
    const struct http_route *routes[HTTP_ROUTES_MAX];
    size_t route_count;
    struct http_route_counters counters[HTTP_ROUTES_MAX];
};

struct http_exchange;

// On a request's first line; `uri` is as it was sent. NULL when out of memory.
struct http_exchange *http_exchange_new(struct http_door *door, struct MHD_Connection *connection,
                                        const char *uri);

// libmicrohttpd calls once for the head, for each piece of a body, once for its end, and once when the
// connection was resumed.
enum MHD_Result http_exchange_go_on(struct http_exchange *exchange, const char *method, const char *piece,
                                    size_t *piece_size);

// Whether every answer closes its connection.
bool http_door_is_leaving(const struct http_door *door);

// The place of a call among the door's; false when there is none, or the door closes.
MUST_CHECK bool http_door_take_place(struct http_door *door);
void http_door_give_place_back(struct http_door *door);

// The answer has been sent, or nobody is there to read it. Takes NULL.
void http_exchange_free(struct http_exchange *exchange);

#endif
