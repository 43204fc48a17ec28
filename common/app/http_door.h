// An HTTP/1.1 door (libmicrohttpd): the methods of the server as Connect has them, for what speaks no HTTP/2,
// and the services' own routes. Its thread only translates; what is asked is asked of the loops, as a call
// inside of the process (common/grpc/local_call.h), or is work for its other threads (http_work.h), while the
// connection is suspended.
//
// Everything is bounded by a setting, and whatever is refused for a bound is counted by its name: see
// http_settings.c and http_metrics.c.
#ifndef LATCHKEY_COMMON_APP_HTTP_DOOR_H
#define LATCHKEY_COMMON_APP_HTTP_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/http_settings.h"
#include "common/app/http_site.h"
#include "common/app/metrics.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/server.h"
#include "common/net/loop.h"

struct app_program;
struct http_door;

// Borrows everything.
struct http_door_options {
    const struct http_site *site;
    const struct http_settings *settings; // its limits
    const struct clock *clock;
    const struct app_program *program; // whose services' routes it has, too; NULL = none
    struct grpc_server *server;
    struct loop_group *loops;
    bool is_shared; // the port, with another process (http_socket.h)
};

// Before loop_group_start(); it serves from http_door_open() on. *ret_door is NULL where the site is
// off, and all functions take that. UNAVAILABLE (the address can't be served), NO_MEMORY; with one sentence.
MUST_CHECK enum status http_door_new(const struct http_door_options *options, struct http_door **ret_door,
                                     char *ret_error, size_t error_size);
MUST_CHECK enum status http_door_open(struct http_door *door, char *ret_error, size_t error_size);

unsigned http_door_get_port(const struct http_door *door); // 0 = there is none

// The rest is not for a loop's thread.

// From now on every answer closes its connection, so that proxies go elsewhere.
void http_door_leave(struct http_door *door);

// Stops accepting, once; connections that are open are served on, each for one more answer.
void http_door_stop_accepting(struct http_door *door);

// Stops accepting, and waits until what was asked is answered or `grace_ms` are over.
void http_door_drain(struct http_door *door, uint32_t grace_ms);

// Cancels what is still asked, waits until its handlers have told, and closes. Before loop_group_stop():
// until then it holds the loops.
void http_door_close(struct http_door *door);

// After loop_group_stop().
void http_door_free(struct http_door *door);

void http_door_write_metrics(struct metrics_writer *writer, void *door);

#endif
