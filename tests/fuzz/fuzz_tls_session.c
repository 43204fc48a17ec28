// Any bytes from a peer, in pieces of any size, to the TLS session of a server or of a client: nobody gets
// through a handshake that way, nothing is handed on, and a session that fails says why.
//
// Input: a byte of options (1: the session is a client's), then pieces, each a byte of length and so many
// bytes.
#include <assert.h>
#include <stdlib.h>

#include "common/crypto/tls_session.h"
#include "tests/unit/certificates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_CLIENT = 1 };

static struct {
    struct certificate authority;
    struct tls_server *server;
    struct tls_client *client;
} ends;

static void close_ends(void) {
    tls_client_free(ends.client);
    tls_server_free(ends.server);
    certificate_fini(&ends.authority);
}

// The server's certificate is the authority's own.
static void open_ends(void) {
    static const struct certificate_name name = {GEN_DNS, BYTES_LITERAL("localhost")};
    char error[256];
    certificate_make(&ends.authority,
                     &(struct certificate_options){.names = &name, .name_count = 1, .is_authority = true});
    const char *file = ends.authority.certificate_file;
    const struct tls_server_options server = {.certificate_file = file,
                                              .key_file = ends.authority.key_file,
                                              .client_ca_file = file,
                                              .clock = clock_get_system()};
    const struct tls_client_options client = {.ca_file = file, .server_name = "localhost"};
    enum status status = tls_server_new(&server, &ends.server, error, sizeof(error));
    assert(status == STATUS_OK);
    status = tls_client_new(&client, &ends.client, error, sizeof(error));
    assert(status == STATUS_OK);
    atexit(close_ends);
}

static struct tls_session *open_session(bool is_client) {
    struct tls_session *session;
    enum status status = is_client ? tls_session_new_of_client(ends.client, &session)
                                   : tls_session_new_of_server(ends.server, &session);
    assert(status == STATUS_OK);
    return session;
}

static void feed(struct tls_session *session, struct bytes input) {
    struct buffer plain = {0}, output = {0};
    enum status status = tls_session_receive(session, BYTES_EMPTY, &plain, &output); // a client speaks first
    while (status == STATUS_OK && input.len > 0) {
        size_t len = input.data[0];
        input = bytes_of(input.data + 1, input.len - 1);
        len = len < input.len ? len : input.len;
        status = tls_session_receive(session, bytes_of(input.data, len), &plain, &output);
        input = bytes_of(input.data + len, input.len - len);
    }
    assert(plain.len == 0 && !tls_session_is_open(session));
    assert((status == STATUS_OK || status == STATUS_CLOSED) == !*tls_session_get_failure(session));
    buffer_fini(&plain);
    buffer_fini(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    if (!ends.server)
        open_ends();
    struct tls_session *session = open_session(data[0] & OPTION_CLIENT);
    feed(session, bytes_of(data + 1, size - 1));
    tls_session_free(session);
    return 0;
}
