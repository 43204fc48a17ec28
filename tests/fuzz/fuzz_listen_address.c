// Any text as a listening address: what is read names one socket, and the text made of that is read as the
// same.
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "common/ip/address.h"
#include "common/net/listen_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_text(const struct listen_address *address, char *to, size_t size) {
    const struct sockaddr *socket = (const struct sockaddr *)&address->socket;
    if (socket->sa_family == AF_UNIX) {
        snprintf(to, size, "unix:%s", ((const struct sockaddr_un *)socket)->sun_path);
        return;
    }
    char host[IP_ADDRESS_TEXT_MAX + 1];
    struct ip_address ip = ip_address_from_sockaddr(socket);
    bool is_v4 = socket->sa_family == AF_INET;
    in_port_t port = is_v4 ? ((const struct sockaddr_in *)socket)->sin_port
                           : ((const struct sockaddr_in6 *)socket)->sin6_port;
    ip_address_format(&ip, host);
    if (address->is_wildcard)
        snprintf(host, sizeof(host), "*");
    bool is_bracketed = !is_v4 && !address->is_wildcard;
    snprintf(to, size, "%s%s%s:%u", is_bracketed ? "[" : "", host, is_bracketed ? "]" : "",
             (unsigned)ntohs(port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), written[200];
    struct listen_address address, again;
    const char *reason = NULL;
    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (listen_address_parse(text, &address, &reason)) {
        write_text(&address, written, sizeof(written));
        assert(listen_address_parse(written, &again, &reason));
        assert(memcmp(&address.socket, &again.socket, sizeof(address.socket)) == 0);
        assert(address.length == again.length && address.is_local == again.is_local);
        assert(address.is_wildcard == again.is_wildcard);
    } else
        assert(reason);
    free(text);
    return 0;
}
