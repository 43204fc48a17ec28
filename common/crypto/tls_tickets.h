// Keys of session tickets: what a server would have to remember of a session, given to the client to keep. A
// key enciphers for an hour and deciphers for one more; then it is gone, and so are the sessions that it
// could have told of. Keys live in this process alone, longer than the certificate that they were made
// beside.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_TICKETS_H
#define LATCHKEY_COMMON_CRYPTO_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"

#define TLS_TICKET_LIFE_S 3600

struct tls_tickets;

// Borrows `clock`. NULL when out of memory.
MUST_CHECK struct tls_tickets *tls_tickets_new(const struct clock *clock);
void tls_tickets_free(struct tls_tickets *tickets); // takes NULL

// Tickets of the context's sessions are of these keys; any number of contexts, on any threads.
MUST_CHECK bool tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context);

#endif
