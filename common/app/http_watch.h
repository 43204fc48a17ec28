// The HTTP door's connections, and one thread that looks after them four times a second: it closes those that
// have been idle or slow for too long, however they spread their bytes, and cancels the calls of clients who
// have gone meanwhile, which libmicrohttpd does not see while a request is being worked on.
//
//     IDLE --request line--> RECEIVING --complete--> ASKED --answered--> ANSWERING --sent--> IDLE
//                                |\-----complete, is work--> WORKED_ON --done--^
//                                \------refused--------------------------------^
#ifndef LATCHKEY_COMMON_APP_HTTP_WATCH_H
#define LATCHKEY_COMMON_APP_HTTP_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/local_call.h"

enum http_phase { HTTP_IDLE, HTTP_RECEIVING, HTTP_ASKED, HTTP_WORKED_ON, HTTP_ANSWERING, HTTP_PHASE_COUNT };

// Why a connection or its request ended before its time.
#define HTTP_END_TABLE(X)                           \
    X(TOO_MANY_CONNECTIONS, "too_many_connections") \
    X(IDLE, "idle")                                 \
    X(EVICTED, "evicted")                           \
    X(SLOW_REQUEST, "slow_request")                 \
    X(SLOW_READER, "slow_reader")                   \
    X(CLIENT_GONE, "client_gone")

enum http_end {
#define HTTP_END_ENUM(name, label) HTTP_END_##name,
    HTTP_END_TABLE(HTTP_END_ENUM)
#undef HTTP_END_ENUM
        HTTP_END_COUNT
};

// So many connections may be there for a moment while others make room.
#define HTTP_WATCH_SLACK(max) ((max) / 8 + 1)

struct http_watch_options {
    const struct clock *clock; // borrows
    size_t connections_max;
    int64_t idle_ms;    // from one answer to the next request's first line
    int64_t request_ms; // for a request to arrive, and for its answer to leave
};

struct http_watch;
struct http_connection;

// Starts the thread. NO_MEMORY, EXHAUSTED (no thread).
MUST_CHECK enum status http_watch_new(const struct http_watch_options *options,
                                      struct http_watch **ret_watch);

// No connection is left. Takes NULL.
void http_watch_free(struct http_watch *watch);

// Whether there is room for one more. Where there is none the connection that has been idle for longest makes
// room, so that whoever opens many and says nothing keeps nobody out; counted either way. Any thread.
bool http_watch_admits(struct http_watch *watch);

// From the thread that owns the connection; `fd` stays open until it is removed. NULL when out of memory: it
// is not watched.
struct http_connection *http_watch_add(struct http_watch *watch, int fd);
void http_watch_remove(struct http_watch *watch, struct http_connection *connection); // takes NULL

// Any thread. `call` is the one to cancel when the client goes, of HTTP_ASKED only; borrowed until the next
// phase. `connection` NULL does nothing.
void http_watch_enter(struct http_watch *watch, struct http_connection *connection, enum http_phase phase,
                      struct local_call *call);

// Cancels what every connection asks; for the end. Any thread.
void http_watch_cancel_all(struct http_watch *watch);

// Waits until nobody is being answered, so long at most; for the end. No thread of the watched connections.
void http_watch_wait_answered(struct http_watch *watch, uint32_t ms);

// How many connections there are, and how many have ended so; any thread.
size_t http_watch_get_count(const struct http_watch *watch);
uint64_t http_watch_get_ended(const struct http_watch *watch, enum http_end why);
const char *http_end_get_label(enum http_end why);

#endif
