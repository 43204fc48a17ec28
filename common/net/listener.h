// A listening address, on every loop of a group: one SO_REUSEPORT socket per loop for TCP, one shared socket
// for a Unix path. Which of them wakes up for a connection is the kernel's affair, and chance; whoever
// accepts it hands it over to the loop that has the fewest, if that is another (connection_balance.h). Out of
// file descriptors, a loop accepts nobody for a moment: who connects waits, and the loop does not spin.
#ifndef LATCHKEY_COMMON_NET_LISTENER_H
#define LATCHKEY_COMMON_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/net/connection_balance.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

struct listener;

struct listener_options {
    const char *address; // "127.0.0.1:7070", "[::1]:7070", "*:7070" (both families) or "unix:/path"; port 0 =
                         // any free one
    int backlog;         // 0 = 512
    bool is_shared; // a TCP port that another process of the same user may listen on, too, as long as both do
                    // so with this; and nobody is let in before listener_open()
    struct connection_balance *balance; // of the group's loops, borrowed, may be shared by listeners; NULL =
                                        // a loop keeps whom it has accepted
    int64_t user_timeout_ms; // for the network to take what is sent (TCP_USER_TIMEOUT); 0 = the system's
    // On the loop's thread, with a stream that the callee owns and has yet to start. Not once the loop's stop
    // has begun: who is handed over then is closed.
    void (*on_accept)(void *context, struct loop *loop, struct stream *stream);
    // On a loop's thread: listener_close() is done, on_accept is not called any more. NULL = nobody waits for
    // it.
    void (*on_closed)(void *context);
    void *context;
};

// Binds and listens on every loop, before loop_group_start(). On failure nothing is bound and `ret_error`
// holds a sentence that says what is wrong and what to do: INVALID for the address, ALREADY_EXISTS when it is
// in use, EXHAUSTED or PERMISSION_DENIED from the system. Borrows `group`.
MUST_CHECK enum status listener_new(struct loop_group *group, const struct listener_options *options,
                                    char *ret_error, size_t error_size, struct listener **ret_listener);

// As bound, with the real port; valid as long as the listener.
const char *listener_get_address(const struct listener *listener);
uint16_t listener_get_port(const struct listener *listener); // 0 for a Unix socket

// Lets in whoever connects, where that has been waited for: from any thread, once. Errors as of
// listener_new().
MUST_CHECK enum status listener_open(struct listener *listener, char *ret_error, size_t error_size);

// From any thread, before loop_group_stop(): on each loop, in its next turn, accepts those who have connected
// already, wherever they are handed over to, and then nobody any more. Connections live on. A Unix path is
// removed.
void listener_close(struct listener *listener);

// After loop_group_stop(), which closes it where listener_close() has not. Takes NULL.
void listener_free(struct listener *listener);

// Whether nobody from another machine can reach `address`: loopback or Unix. False for what does not parse.
bool listener_address_is_local(const char *address);

#endif
