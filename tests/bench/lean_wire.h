// A non-blocking socket of the lean client, plain or with TLS, whose server is not checked.
#ifndef LATCHKEY_TESTS_BENCH_LEAN_WIRE_H
#define LATCHKEY_TESTS_BENCH_LEAN_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lean_wire {
    int fd;   // -1 = none
    SSL *tls; // NULL = plain
};

// For all wires; NULL when that fails.
SSL_CTX *lean_wire_new_tls(void);

// Begins to connect to that port of 127.0.0.1. False when that can't be. `tls` NULL = plain.
bool lean_wire_open(struct lean_wire *wire, uint16_t port, SSL_CTX *tls);
void lean_wire_close(struct lean_wire *wire);

// How many bytes have left; 0 also when the peer has gone, which lean_wire_receive() tells.
size_t lean_wire_send(struct lean_wire *wire, const uint8_t *data, size_t len);

// 0 = nothing now; -1 = the peer has gone.
ssize_t lean_wire_receive(struct lean_wire *wire, uint8_t *to, size_t room);

#endif
