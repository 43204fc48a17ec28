// A gRPC server: methods on listening addresses, over the loops of a group.
#ifndef LATCHKEY_COMMON_GRPC_SERVER_H
#define LATCHKEY_COMMON_GRPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/method.h"
#include "common/grpc/router.h"
#include "common/grpc/server_settings.h"
#include "common/grpc/stats.h"
#include "common/net/listener.h"
#include "common/net/loop.h"
#include "common/net/tls_acceptor.h"

struct grpc_server;

// A constant answer to requests that are not gRPC. The product serves none; the plain server of the tests
// does.
struct grpc_page {
    const char *path; // without the query
    const char *content_type;
    struct bytes body;
};

// What handshakes may cost.
struct grpc_tls_limits {
    int64_t handshake_timeout_ms;
    int64_t max_handshakes;      // under way, on one loop
    int64_t peer_handshake_rate; // that one address (IPv6: /64) may begin in a second, up to 1000; 0 = any
};

struct grpc_server_options {
    struct loop_group *loops; // borrows
    struct grpc_server_settings settings;
    const struct router_table *tables; // all methods; the rows are borrowed
    size_t table_count;
    const struct grpc_page *page; // NULL = none
    struct tls_server *tls;       // borrows; what is no Unix socket then speaks TLS. NULL = nothing does
    struct grpc_tls_limits tls_limits;
    bool has_bare_errors; // the transport's own have no details: for suites that expect none
};

// Before loop_group_start(). *ret_server is owned. INVALID or ALREADY_EXISTS for the tables, NO_MEMORY.
MUST_CHECK enum status grpc_server_new(const struct grpc_server_options *options,
                                       struct grpc_server **ret_server);

// Serves on one more address, before loop_group_start(); see listener_new() for address, errors and sentence.
// `*ret_listener` may be NULL; borrowed from the server, for its real port.
MUST_CHECK enum status grpc_server_listen(struct grpc_server *server, const char *address, char *ret_error,
                                          size_t error_size, const struct listener **ret_listener);

// Lets clients in, where the setting `reuse_port` has kept them out until now; once, after
// loop_group_start(). As grpc_server_listen().
MUST_CHECK enum status grpc_server_open(struct grpc_server *server, char *ret_error, size_t error_size);

// From any thread but a loop's: stops accepting, then tells every client to go elsewhere (GOAWAY twice, so
// that none loses a call that was under way) and waits until all calls have ended or `grace_ms` is over. True
// when all have ended.
bool grpc_server_drain(struct grpc_server *server, uint32_t grace_ms);

// After loop_group_stop(), which closes what is still open and waits for the handlers. Takes NULL.
void grpc_server_free(struct grpc_server *server);

const struct router *grpc_server_get_router(const struct grpc_server *server);

// Accepted connections that are open, of loop 0 .. count-1; from any thread.
size_t grpc_server_get_loop_count(const struct grpc_server *server);
size_t grpc_server_get_connections(const struct grpc_server *server, size_t loop);

// Sums over the loops, from any thread, without a lock. `ret_methods` has router_get_count() + 1 rows, the
// last for methods that the server does not have; may be NULL.
void grpc_server_read_stats(const struct grpc_server *server, struct grpc_stats *ret_stats,
                            struct grpc_method_stats *ret_methods);

#endif
