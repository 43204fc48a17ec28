#include "common/grpc_client/client_address.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/grpc_client/client.h"
#include "common/ip/address.h"

static void add(struct client_addresses *addresses, const struct client_target *target,
                const struct sockaddr *socket_address, socklen_t len) {
    if (addresses->count == CLIENT_ADDRESSES_MAX)
        return;
    struct client_address *address = &addresses->all[addresses->count++];
    *address = (struct client_address){.target = target, .len = len};
    memcpy(&address->socket, socket_address, len);
}

static void add_unix(struct client_addresses *addresses, const struct client_target *target) {
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    static_assert(sizeof(path.sun_path) == sizeof(target->path), "a path that parses fits");
    memcpy(path.sun_path, target->path, sizeof(target->path));
    add(addresses, target, (const struct sockaddr *)&path, sizeof(path));
}

static void add_internet(struct client_addresses *addresses, const struct client_target *target,
                         struct client_failure *failure) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(target->host, target->port, &hints, &found);
    if (error != 0) {
        client_failure_set(failure, STATUS_UNAVAILABLE, GRPC_CLIENT_NAME_NOT_FOUND,
                           "the name %s has no address: %s", target->host, gai_strerror(error));
        return;
    }
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        add(addresses, target, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
}

bool client_addresses_find(const struct client_targets *targets, struct client_addresses *ret_addresses,
                           struct client_failure *failure) {
    ret_addresses->count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        const struct client_target *target = &targets->all[i];
        if (target->is_unix)
            add_unix(ret_addresses, target);
        else
            add_internet(ret_addresses, target, failure);
    }
    return ret_addresses->count > 0;
}

bool client_address_is_equal(const struct client_address *a, const struct client_address *b) {
    return a->target == b->target && a->len == b->len && memcmp(&a->socket, &b->socket, a->len) == 0;
}

bool client_address_is_local(const struct client_address *address) {
    if (address->target->is_unix)
        return true;
    struct ip_address ip = ip_address_from_sockaddr((const struct sockaddr *)&address->socket);
    if (ip.family == IP_FAMILY_V4)
        return ip.bytes[0] == 127;
    struct in6_addr v6;
    memcpy(&v6, ip.bytes, sizeof(v6));
    return ip.family == IP_FAMILY_V6 && IN6_IS_ADDR_LOOPBACK(&v6);
}
