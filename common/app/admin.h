// The admin port: plain HTTP for probes and metrics, on its own thread (libmicrohttpd), so that it answers
// whatever the loops do.
//
//   GET /livez    200 while the process runs
//   GET /readyz   200 when every part is ready, else 503 and a line for each that is not
//   GET /metrics  Prometheus text format
//
// No secrets, no state is changed by it; it is meant for a network that only operators reach.
#ifndef LATCHKEY_COMMON_APP_ADMIN_H
#define LATCHKEY_COMMON_APP_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/metrics.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

struct admin;

struct admin_options {
    const char *listen;            // borrows: "127.0.0.1:7071" or "[::1]:7071"; port 0 = any
    const struct metrics *metrics; // borrows
    bool is_shared;                // the port, with another process (http_socket.h)
    // Writes one line for each part that is not ready; nothing = ready. Any thread.
    void (*write_unready)(struct buffer *to, void *context);
    void *context;
};

// It listens, and answers from admin_open() on. UNAVAILABLE (the address can't be served), NO_MEMORY; with
// one sentence in `ret_error`.
MUST_CHECK enum status admin_new(const struct admin_options *options, struct admin **ret_admin,
                                 char *ret_error, size_t error_size);
MUST_CHECK enum status admin_open(struct admin *admin, char *ret_error, size_t error_size); // takes NULL

// The port that it listens on.
unsigned admin_get_port(const struct admin *admin);

// Stops accepting, once; takes NULL. Another process has the port now.
void admin_leave(struct admin *admin);

// Answers what it has begun. Takes NULL.
void admin_free(struct admin *admin);

#endif
