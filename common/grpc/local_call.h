// Calls from inside the process: another door (HTTP/1.1) asks what a peer asks over HTTP/2. The call runs on
// a loop of the server like any other, with the same router, deadlines, counters and handlers; only its
// bottom end is no stream of nghttp2: it gathers the answer, header fields, messages and trailers, and hands
// it over whole. Unary methods only.
#ifndef LATCHKEY_COMMON_GRPC_LOCAL_CALL_H
#define LATCHKEY_COMMON_GRPC_LOCAL_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/grpc/metadata.h"
#include "common/grpc/server.h"
#include "common/ip/address.h"

// Borrowed until on_done.
struct local_request {
    struct bytes path;
    bool is_get;            // Connect's, with its message in the query of the path; else a POST
    struct metadata fields; // content-type among them; names in lower case, no pseudo-headers
    struct bytes body;
    struct ip_address peer; // who is behind it; family 0 for a Unix socket
    bool is_local;          // and is on this machine
};

// Good during on_done.
struct local_response {
    unsigned http_status;     // 0: the call was lost, nothing else is there
    struct metadata fields;   // without pseudo-headers
    struct metadata trailers; // of gRPC's own protocol; empty for the others
    struct bytes body;
};

struct local_call;

// On the loop's thread, once, as the last thing.
typedef void (*local_call_on_done)(void *context, const struct local_response *response);

// Before it begins; nothing is called yet. *ret_call is owned. NO_MEMORY.
MUST_CHECK enum status local_call_new(struct grpc_server *server, size_t loop_index,
                                      const struct local_request *request, local_call_on_done on_done,
                                      void *context, struct local_call **ret_call);

// From any thread that sees to it that the loop is held until on_done (loop_hold()).
void local_call_begin(struct local_call *call);

// Any thread, once at most, before local_call_free(), and before local_call_begin() too: nobody waits for the
// answer any more. on_done follows all the same, of a call that begins.
void local_call_cancel(struct local_call *call);

// Any thread, also before on_done, which is then called all the same, and in place of local_call_begin().
// Takes NULL.
void local_call_free(struct local_call *call);

#endif
