// The library reads and writes through a BIO of our own that knows no socket: it takes from `input` and
// appends to `output`, which stand for the duration of a call only. So ciphertext is copied once on its way
// in and once on its way out, and a session that waits holds none.
#include "common/crypto/tls_session.h"

#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

enum {
    RECORD_BYTES_MAX = 16 * 1024,
    // Messages of a handshake that may come after it: new keys, at the pace that the standard knows reasons
    // for.
    LATE_MESSAGES_MAX = 32,
    LATE_MESSAGE_EVERY_BYTES = 1024 * 1024,
};

struct tls_session {
    SSL *ssl;
    struct bytes input;    // not yet read by the library
    struct buffer *output; // NULL between calls
    struct tls_identity *identity;
    const char *failure; // NULL = none; static storage
    uint64_t received_bytes, late_messages;
    bool is_open, is_over;
};

// ---- between the library and our buffers ----

static int read_input(BIO *bio, char *to, int size) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (session->input.len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t len = session->input.len < (size_t)size ? session->input.len : (size_t)size;
    memcpy(to, session->input.data, len);
    session->input = bytes_of(session->input.data + len, session->input.len - len);
    return (int)len;
}

static int write_output(BIO *bio, const char *from, int len) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buffer_append(session->output, bytes_of(from, (size_t)len));
    return session->output->failed ? -1 : len;
}

static long control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method; // of the process

static void make_method(void) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers of a turn");
    if (!method)
        return;
    BIO_meth_set_read(method, read_input);
    BIO_meth_set_write(method, write_output);
    BIO_meth_set_ctrl(method, control);
}

static BIO *new_bio(struct tls_session *session) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return NULL;
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    return bio;
}

// ---- opening ----

// Each new key costs us more than it costs the peer to ask for it.
static void count_message(int is_sent, int version, int type, const void *data, size_t len, SSL *ssl,
                          void *context) {
    (void)version, (void)data, (void)len, (void)ssl;
    struct tls_session *session = context;
    if (session->is_open && !is_sent && type == SSL3_RT_HANDSHAKE)
        session->late_messages++;
}

// Takes `ssl`.
static enum status new_session(SSL *ssl, struct tls_session **ret_session) {
    struct tls_session *session = calloc(1, sizeof(*session));
    BIO *bio = session ? new_bio(session) : NULL;
    if (!ssl || !bio) {
        SSL_free(ssl);
        BIO_free(bio);
        free(session);
        return STATUS_NO_MEMORY;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_msg_callback(ssl, count_message);
    SSL_set_msg_callback_arg(ssl, session);
    session->ssl = ssl;
    *ret_session = session;
    return STATUS_OK;
}

enum status tls_session_new_of_server(struct tls_server *server, struct tls_session **ret_session) {
    return new_session(tls_server_new_connection(server), ret_session);
}

enum status tls_session_new_of_client(const struct tls_client *client, struct tls_session **ret_session) {
    return new_session(tls_client_new_connection(client), ret_session);
}

void tls_session_free(struct tls_session *session) {
    if (!session)
        return;
    SSL_free(session->ssl);
    tls_identity_release(session->identity);
    free(session);
}

// ---- failures ----

#define NO_TLS "what comes is not TLS"
#define NO_HTTP2 "the other side does not offer HTTP/2 by ALPN"

// In words of ours where the library's would mislead.
static const struct {
    int reason;
    const char *clause;
} clauses[] = {
    {SSL_R_WRONG_VERSION_NUMBER, NO_TLS},
    {SSL_R_HTTP_REQUEST, NO_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, NO_TLS},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the other side speaks neither TLS 1.2 nor 1.3"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the other side speaks neither TLS 1.2 nor 1.3"},
    {SSL_R_NO_SHARED_CIPHER, "the other side offers no cipher with forward secrecy and authentication"},
    {SSL_R_NO_APPLICATION_PROTOCOL, NO_HTTP2},
    {SSL_R_CALLBACK_FAILED, NO_HTTP2}, // on_client_hello() of a server
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, NO_HTTP2},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client has shown no certificate"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server wants a client certificate"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the other side does not know who vouches for our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the other side says that our certificate has expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the other side says that our certificate has been revoked"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the other side refuses our certificate"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the other side refuses our certificate"},
};

static const char *find_clause(unsigned long error) {
    for (size_t i = 0; i < ARRAY_LENGTH(clauses); i++)
        if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == clauses[i].reason)
            return clauses[i].clause;
    const char *reason = ERR_reason_error_string(error);
    return reason ? reason : "the TLS connection has failed";
}

static enum status fail(struct tls_session *session, enum status status, const char *clause) {
    session->is_over = true;
    session->failure = clause;
    return status;
}

static enum status fail_by_library(struct tls_session *session) {
    unsigned long error = ERR_peek_error();
    if (session->output->failed || tls_has_run_out_of_memory())
        return fail(session, STATUS_NO_MEMORY, status_get_text(STATUS_NO_MEMORY));
    if (ERR_GET_LIB(error) != ERR_LIB_SSL || ERR_GET_REASON(error) != SSL_R_CERTIFICATE_VERIFY_FAILED)
        return fail(session, STATUS_MALFORMED, find_clause(error));
    long result = SSL_get_verify_result(session->ssl);
    return fail(session, STATUS_UNAUTHENTICATED, X509_verify_cert_error_string(result));
}

// ---- receiving ----

static bool is_within_time(const X509 *certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

// A session that goes on from a ticket has not looked at the certificate in it.
static enum status learn_identity(struct tls_session *session) {
    const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    if (!certificate)
        return STATUS_OK;
    if (!is_within_time(certificate))
        return fail(session, STATUS_UNAUTHENTICATED, "the client's certificate has expired");
    enum status status = tls_identity_of_certificate(certificate, &session->identity);
    if (status == STATUS_OK)
        return STATUS_OK;
    return fail(session, status == STATUS_NO_MEMORY ? status : STATUS_UNAUTHENTICATED,
                "the client's certificate has a name that is not well-formed");
}

static enum status open_session(struct tls_session *session) {
    const unsigned char *protocol;
    unsigned len;
    session->is_open = true;
    SSL_get0_alpn_selected(session->ssl, &protocol, &len);
    if (len == 0)
        return fail(session, STATUS_MALFORMED, NO_HTTP2);
    return SSL_is_server(session->ssl) ? learn_identity(session) : STATUS_OK;
}

static enum status check_late_messages(struct tls_session *session) {
    if (session->late_messages <= LATE_MESSAGES_MAX + session->received_bytes / LATE_MESSAGE_EVERY_BYTES)
        return STATUS_OK;
    return fail(session, STATUS_MALFORMED, "the other side asks for new keys all the time");
}

// One step of the library; *ret_has_more: there may be another.
static enum status read_step(struct tls_session *session, struct buffer *plain, bool *ret_has_more) {
    uint8_t *to = buffer_reserve(plain, RECORD_BYTES_MAX);
    size_t len = 0;
    if (!to)
        return fail(session, STATUS_NO_MEMORY, status_get_text(STATUS_NO_MEMORY));
    *ret_has_more = SSL_read_ex(session->ssl, to, RECORD_BYTES_MAX, &len) == 1;
    if (*ret_has_more) {
        buffer_advance(plain, len);
        return STATUS_OK;
    }
    switch (SSL_get_error(session->ssl, 0)) {
    case SSL_ERROR_WANT_READ: return STATUS_OK;
    case SSL_ERROR_ZERO_RETURN: session->is_over = true; return STATUS_CLOSED;
    default: return fail_by_library(session);
    }
}

static enum status read_all(struct tls_session *session, struct buffer *plain) {
    bool has_more = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && has_more) {
        status = read_step(session, plain, &has_more);
        if (status == STATUS_OK && !session->is_open && SSL_is_init_finished(session->ssl))
            status = open_session(session);
        if (status == STATUS_OK)
            status = check_late_messages(session);
    }
    return status;
}

enum status tls_session_receive(struct tls_session *session, struct bytes input, struct buffer *plain,
                                struct buffer *output) {
    if (session->is_over)
        return STATUS_CLOSED;
    ERR_clear_error();
    session->input = input;
    session->output = output;
    session->received_bytes += input.len;
    enum status status = read_all(session, plain);
    session->input = BYTES_EMPTY;
    session->output = NULL;
    return status;
}

// ---- sending ----

enum status tls_session_send(struct tls_session *session, struct bytes plain, struct buffer *output) {
    if (session->is_over || !session->is_open)
        return STATUS_CLOSED;
    if (plain.len == 0)
        return STATUS_OK;
    ERR_clear_error();
    session->output = output;
    size_t len;
    enum status status = STATUS_OK;
    // All of it, whatever its size: `output` is never full.
    if (SSL_write_ex(session->ssl, plain.data, plain.len, &len) != 1)
        status = fail_by_library(session);
    session->output = NULL;
    return status;
}

void tls_session_end(struct tls_session *session, struct buffer *output) {
    if (!session->is_open || session->failure)
        return;
    ERR_clear_error();
    session->output = output;
    (void)SSL_shutdown(session->ssl);
    session->output = NULL;
    session->is_over = true;
}

// ---- what is known ----

bool tls_session_is_open(const struct tls_session *session) {
    return session->is_open && !session->failure;
}

struct tls_identity *tls_session_get_identity(const struct tls_session *session) {
    return session->identity;
}

const char *tls_session_get_failure(const struct tls_session *session) {
    return session->failure ? session->failure : "";
}
