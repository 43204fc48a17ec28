#include "tests/bench/lean_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

SSL_CTX *lean_wire_new_tls(void) {
    static const unsigned char h2[] = "\x02h2";
    signal(SIGPIPE, SIG_IGN); // OpenSSL writes to whoever has gone
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls || SSL_CTX_set_alpn_protos(tls, h2, sizeof(h2) - 1) != 0)
        return NULL;
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

static bool begin_tls(struct lean_wire *wire, SSL_CTX *tls) {
    wire->tls = SSL_new(tls);
    if (!wire->tls || SSL_set_fd(wire->tls, wire->fd) != 1)
        return false;
    SSL_set_connect_state(wire->tls);
    return true;
}

bool lean_wire_open(struct lean_wire *wire, uint16_t port, SSL_CTX *tls) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    *wire = (struct lean_wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(wire->fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
        return false;
    return !tls || begin_tls(wire, tls);
}

void lean_wire_close(struct lean_wire *wire) {
    SSL_free(wire->tls);
    close(wire->fd);
    *wire = (struct lean_wire){.fd = -1};
}

size_t lean_wire_send(struct lean_wire *wire, const uint8_t *data, size_t len) {
    size_t sent = 0;
    if (!wire->tls) {
        ssize_t result = send(wire->fd, data, len, MSG_NOSIGNAL);
        return result > 0 ? (size_t)result : 0;
    }
    ERR_clear_error();
    return SSL_write_ex(wire->tls, data, len, &sent) == 1 ? sent : 0;
}

static ssize_t receive_tls(struct lean_wire *wire, uint8_t *to, size_t room) {
    size_t received;
    ERR_clear_error();
    int result = SSL_read_ex(wire->tls, to, room, &received);
    if (result == 1)
        return (ssize_t)received;
    int error = SSL_get_error(wire->tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t lean_wire_receive(struct lean_wire *wire, uint8_t *to, size_t room) {
    if (wire->tls)
        return receive_tls(wire, to, room);
    ssize_t received = recv(wire->fd, to, room, 0);
    if (received > 0)
        return received;
    return received < 0 && errno == EAGAIN ? 0 : -1;
}
