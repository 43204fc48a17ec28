// What the calls of a client share: unary ones (client.c) and streams (client_stream.c).
#ifndef LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_INTERNAL_H
#define LATCHKEY_COMMON_GRPC_CLIENT_CLIENT_INTERNAL_H

#include "common/base/arena.h"
#include "common/crypto/tls_client.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_channel.h"
#include "common/grpc_client/client_retry.h"
#include "common/grpc_client/client_targets.h"
#include "common/grpc_client/service_config.h"

struct grpc_client {
    struct grpc_client_options options; // complete
    struct arena arena;                 // of the service config
    const struct service_config *config;
    struct client_throttle throttle;
    struct tls_client *tls[CLIENT_TARGETS_MAX]; // one for each name; NULL = plaintext
    struct client_channel *channel;
};

#endif
