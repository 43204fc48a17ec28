// One TLS connection without its socket: ciphertext that was read goes in, plaintext comes out, and what is
// to be sent is collected in a buffer, so that everything of a turn leaves in one write. The handshake needs
// no call of its own: receive until it is open. A client receives nothing first, which makes it speak.
//
// One thread at a time.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_SESSION_H
#define LATCHKEY_COMMON_CRYPTO_TLS_SESSION_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_client.h"
#include "common/crypto/tls_identity.h"
#include "common/crypto/tls_server.h"

struct tls_session;

// NO_MEMORY. *ret_session is owned.
MUST_CHECK enum status tls_session_new_of_server(struct tls_server *server, struct tls_session **ret_session);
MUST_CHECK enum status tls_session_new_of_client(const struct tls_client *client,
                                                 struct tls_session **ret_session);
void tls_session_free(struct tls_session *session); // takes NULL

// Takes all of `input` in, appends what it says to `plain` and what has to be sent to `output`, also where it
// fails: then that is the alert. CLOSED: the peer has ended in order; what came before is in `plain`.
// UNAUTHENTICATED: one of the two certificates is refused. MALFORMED: anything else that is not TLS as we
// speak it. NO_MEMORY. After all but OK the session is only good to be freed.
MUST_CHECK enum status tls_session_receive(struct tls_session *session, struct bytes input,
                                           struct buffer *plain, struct buffer *output);

// The handshake is complete, and HTTP/2 agreed.
bool tls_session_is_open(const struct tls_session *session);

// Once open: appends `plain`, enciphered, to `output`. CLOSED: the session has ended. NO_MEMORY.
MUST_CHECK enum status tls_session_send(struct tls_session *session, struct bytes plain,
                                        struct buffer *output);

// Says that nothing more comes (close_notify), if the session is there to say it.
void tls_session_end(struct tls_session *session, struct buffer *output);

// Who the peer is by its certificate; NULL if it has shown none or that names nobody. Of a server's session
// that is open. Lives as long as the session; tls_identity_hold() keeps it.
struct tls_identity *tls_session_get_identity(const struct tls_session *session);

// Why it failed, as a clause: "the certificate has been revoked". Lives as long as the session; "" if it has
// not.
const char *tls_session_get_failure(const struct tls_session *session);

#endif
