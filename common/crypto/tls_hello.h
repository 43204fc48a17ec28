// How much of a TLS client's first message (ClientHello) is there, found without the library: that makes room
// for all that is announced, and a session around it, for each who says no more than that it will speak.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_HELLO_H
#define LATCHKEY_COMMON_CRYPTO_TLS_HELLO_H

#include "common/base/bytes.h"

// Of the message. The largest part of one is a ticket, which holds the certificate of the client.
#define TLS_HELLO_BYTES_MAX (64 * 1024)

enum tls_hello {
    TLS_HELLO_UNFINISHED,
    TLS_HELLO_WHOLE, // or none at all: the library says what is wrong with it
    TLS_HELLO_TOO_LONG,
};

// Of the first bytes that a client has sent, however many. Costs the same whatever they are.
enum tls_hello tls_hello_look(struct bytes opening);

#endif
