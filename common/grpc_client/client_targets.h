// The servers of a client as people type them: one target or several separated by commas, behind one of the
// schemes of gRPC's names or of URLs.
//
//     a:7070   a:7070,b:7070   dns:///a:7070   ipv4:192.0.2.1:7070,192.0.2.2:7070   ipv6:[2001:db8::1]:7070
//     https://a:7070   http://a:7070   unix:/run/latchkey.sock
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TARGETS_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_TARGETS_H

#include <stddef.h>

#include "common/grpc_client/client_target.h"

#define CLIENT_TARGETS_MAX 16

enum client_scheme { CLIENT_SCHEME_NONE = 0, CLIENT_SCHEME_HTTP, CLIENT_SCHEME_HTTPS };

struct client_targets {
    enum client_scheme scheme; // HTTP asks for plaintext, HTTPS for TLS
    size_t count;              // 1..CLIENT_TARGETS_MAX
    struct client_target all[CLIENT_TARGETS_MAX];
};

// False with a sentence in `ret_error` that says what to type instead; `ret_targets` is then undefined. Looks
// nothing up.
MUST_CHECK bool client_targets_parse(struct bytes text, struct client_targets *ret_targets, char *ret_error,
                                     size_t error_size);

#endif
