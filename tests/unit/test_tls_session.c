// TLS between our own ends and with OpenSSL's client, in memory: what is said arrives whole, however it is
// cut, and what is not as it should be ends the session with a clause that says why.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/crypto/tls_session.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/certificates.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { LARGE_BYTES = 1 << 20, HOUR_MS = 3600000 };

static const struct certificate_name server_names[] = {{GEN_DNS, BYTES_LITERAL("localhost")},
                                                       {GEN_IPADD, BYTES_LITERAL("\x7f\0\0\x01")}};
static const struct certificate_name client_names[] = {{GEN_URI, BYTES_LITERAL("spiffe://test/client")}};

// Of the whole program: an authority, another one, and who they vouch for.
static struct certificate authority, stranger, server_certificate, client_certificate, foreign_certificate;
static struct clock_manual now;
static char error[512];
static uint8_t large[LARGE_BYTES];

// ---- making both ends ----

static struct tls_server *make_server(const struct tls_server_options *more) {
    struct tls_server_options options = *more;
    struct tls_server *server;
    options.certificate_file = server_certificate.certificate_file;
    options.key_file = server_certificate.key_file;
    options.clock = &now.clock;
    if (tls_server_new(&options, &server, error, sizeof(error)) != STATUS_OK)
        fail_msg("%s", error);
    return server;
}

static struct tls_client *make_client(const char *server_name, const struct certificate *ca,
                                      const struct certificate *own) {
    const struct tls_client_options options = {.ca_file = ca->certificate_file,
                                               .certificate_file = own ? own->certificate_file : NULL,
                                               .key_file = own ? own->key_file : NULL,
                                               .server_name = server_name};
    struct tls_client *client;
    if (tls_client_new(&options, &client, error, sizeof(error)) != STATUS_OK)
        fail_msg("%s", error);
    return client;
}

// ---- two sessions that talk ----

struct end {
    struct tls_session *session;
    struct buffer plain, output;
    enum status status;
};

struct pair {
    struct tls_server *server;
    struct tls_client *client;
    struct end at_server, at_client;
};

// Hands `from`'s output to `to`, in pieces of so many bytes.
static bool carry(struct end *from, struct end *to, size_t piece) {
    bool has_any = from->output.len > 0;
    while (from->output.len > 0) {
        size_t len = from->output.len < piece ? from->output.len : piece;
        if (to->status == STATUS_OK)
            to->status =
                tls_session_receive(to->session, bytes_of(from->output.data, len), &to->plain, &to->output);
        buffer_consume(&from->output, len);
    }
    return has_any;
}

static void talk(struct pair *pair, size_t piece) {
    bool has_any = true;
    while (has_any) {
        has_any = carry(&pair->at_client, &pair->at_server, piece);
        has_any |= carry(&pair->at_server, &pair->at_client, piece);
    }
}

static void begin(struct pair *pair) {
    assert_int_equal(tls_session_new_of_server(pair->server, &pair->at_server.session), STATUS_OK);
    assert_int_equal(tls_session_new_of_client(pair->client, &pair->at_client.session), STATUS_OK);
    pair->at_client.status = tls_session_receive(pair->at_client.session, BYTES_EMPTY, &pair->at_client.plain,
                                                 &pair->at_client.output);
}

static struct pair open_pair(size_t piece) {
    struct pair pair = {.server = make_server(&(struct tls_server_options){0}),
                        .client = make_client("localhost", &authority, NULL)};
    begin(&pair);
    talk(&pair, piece);
    assert_true(tls_session_is_open(pair.at_server.session));
    assert_true(tls_session_is_open(pair.at_client.session));
    return pair;
}

static void fini_end(struct end *end) {
    tls_session_free(end->session);
    buffer_fini(&end->plain);
    buffer_fini(&end->output);
}

static void close_pair(struct pair *pair) {
    fini_end(&pair->at_server);
    fini_end(&pair->at_client);
    tls_client_free(pair->client);
    tls_server_free(pair->server);
}

// ---- what is said ----

static void say(struct pair *pair, struct end *from, struct end *to, struct bytes what, size_t piece) {
    buffer_reset(&to->plain);
    assert_int_equal(tls_session_send(from->session, what, &from->output), STATUS_OK);
    talk(pair, piece);
    assert_int_equal(to->status, STATUS_OK);
    assert_int_equal(to->plain.len, what.len);
    assert_memory_equal(to->plain.data, what.data, what.len);
}

static void what_is_said_arrives_whole_however_it_is_cut(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 100, 16383, 16384, 16385, LARGE_BYTES};
    static const size_t pieces[] = {SIZE_MAX, 65536, 1000, 7, 1};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        struct pair pair = open_pair(pieces[i]);
        for (size_t k = 0; k < ARRAY_LENGTH(sizes) - (pieces[i] < 1000); k++) {
            say(&pair, &pair.at_client, &pair.at_server, bytes_of(large, sizes[k]), pieces[i]);
            say(&pair, &pair.at_server, &pair.at_client, bytes_of(large, sizes[k]), pieces[i]);
        }
        close_pair(&pair);
    }
}

static void nothing_is_said_by_who_has_nothing_to_say(void **state) {
    (void)state;
    struct pair pair = open_pair(SIZE_MAX);
    assert_int_equal(tls_session_send(pair.at_server.session, BYTES_EMPTY, &pair.at_server.output),
                     STATUS_OK);
    assert_int_equal(pair.at_server.output.len, 0);
    assert_int_equal(tls_session_receive(pair.at_server.session, BYTES_EMPTY, &pair.at_server.plain,
                                         &pair.at_server.output),
                     STATUS_OK);
    assert_int_equal(pair.at_server.plain.len, 0);
    close_pair(&pair);
}

static void before_it_is_open_nothing_can_be_said(void **state) {
    (void)state;
    struct pair pair = {.server = make_server(&(struct tls_server_options){0}),
                        .client = make_client("localhost", &authority, NULL)};
    begin(&pair);
    assert_int_equal(tls_session_send(pair.at_server.session, BYTES_LITERAL("x"), &pair.at_server.output),
                     STATUS_CLOSED);
    tls_session_end(pair.at_server.session, &pair.at_server.output);
    assert_int_equal(pair.at_server.output.len, 0);
    close_pair(&pair);
}

static void an_end_in_order_is_told_after_what_came_before_it(void **state) {
    (void)state;
    struct pair pair = open_pair(SIZE_MAX);
    assert_int_equal(tls_session_send(pair.at_client.session, BYTES_LITERAL("last"), &pair.at_client.output),
                     STATUS_OK);
    tls_session_end(pair.at_client.session, &pair.at_client.output);
    talk(&pair, SIZE_MAX);
    assert_int_equal(pair.at_server.status, STATUS_CLOSED);
    assert_memory_equal(pair.at_server.plain.data, "last", 4);
    assert_string_equal(tls_session_get_failure(pair.at_server.session), "");
    assert_int_equal(tls_session_send(pair.at_client.session, BYTES_LITERAL("x"), &pair.at_client.output),
                     STATUS_CLOSED);
    close_pair(&pair);
}

static void a_changed_byte_ends_it(void **state) {
    (void)state;
    struct pair pair = open_pair(SIZE_MAX);
    assert_int_equal(tls_session_send(pair.at_client.session, bytes_of(large, 100), &pair.at_client.output),
                     STATUS_OK);
    pair.at_client.output.data[50] ^= 1;
    talk(&pair, SIZE_MAX);
    assert_int_equal(pair.at_server.status, STATUS_MALFORMED);
    assert_int_equal(pair.at_server.plain.len, 0);
    assert_false(tls_session_is_open(pair.at_server.session));
    close_pair(&pair);
}

static void a_handshake_with_changed_bytes_comes_to_an_end_or_to_nothing(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct pair pair = {.server = make_server(&(struct tls_server_options){0}),
                        .client = make_client("localhost", &authority, NULL)};
    for (int i = 0; i < 300; i++) {
        pair.at_server = pair.at_client = (struct end){0};
        begin(&pair);
        size_t flights = seed_next_below(&seed, 2);
        for (size_t k = 0; k < flights; k++)
            (void)(carry(&pair.at_client, &pair.at_server, SIZE_MAX),
                   carry(&pair.at_server, &pair.at_client, SIZE_MAX));
        if (pair.at_client.output.len > 0)
            pair.at_client.output.data[seed_next_below(&seed, pair.at_client.output.len)] ^=
                (uint8_t)(1 + seed_next_below(&seed, 255));
        talk(&pair, SIZE_MAX);
        if (pair.at_server.status != STATUS_OK)
            assert_string_not_equal(tls_session_get_failure(pair.at_server.session), "");
        fini_end(&pair.at_server);
        fini_end(&pair.at_client);
    }
    pair.at_server = pair.at_client = (struct end){0};
    close_pair(&pair);
}

// ---- who is trusted ----

static void expect_refusal(struct tls_client *client, const struct tls_server_options *options,
                           const char *at_client, const char *at_server) {
    struct pair pair = {.server = make_server(options), .client = client};
    begin(&pair);
    talk(&pair, SIZE_MAX);
    assert_true(pair.at_client.status != STATUS_OK || pair.at_server.status != STATUS_OK);
    assert_string_equal(tls_session_get_failure(pair.at_client.session), at_client);
    assert_string_equal(tls_session_get_failure(pair.at_server.session), at_server);
    close_pair(&pair);
}

static void a_client_trusts_its_authority_and_the_name_alone(void **state) {
    (void)state;
    const struct tls_server_options plain = {0};
    expect_refusal(make_client("localhost", &stranger, NULL), &plain,
                   "unable to get local issuer certificate",
                   "the other side does not know who vouches for our certificate");
    expect_refusal(make_client("other.test", &authority, NULL), &plain, "hostname mismatch",
                   "the other side refuses our certificate");
    expect_refusal(make_client("127.0.0.2", &authority, NULL), &plain, "IP address mismatch",
                   "the other side refuses our certificate");
    struct pair pair = {.server = make_server(&plain), .client = make_client("127.0.0.1", &authority, NULL)};
    begin(&pair);
    talk(&pair, SIZE_MAX);
    assert_true(tls_session_is_open(pair.at_client.session));
    close_pair(&pair);
}

// To the library no name is any name.
static void a_client_without_a_name_to_expect_is_refused(void **state) {
    (void)state;
    const struct tls_client_options options = {.ca_file = authority.certificate_file, .server_name = ""};
    struct tls_client *client = NULL;
    assert_int_equal(tls_client_new(&options, &client, error, sizeof(error)), STATUS_INVALID);
    assert_null(client);
    assert_non_null(strstr(error, "name"));
}

static void a_server_knows_its_clients_by_name(void **state) {
    (void)state;
    struct pair pair = {
        .server = make_server(&(struct tls_server_options){.client_ca_file = authority.certificate_file}),
        .client = make_client("localhost", &authority, &client_certificate)};
    begin(&pair);
    talk(&pair, SIZE_MAX);
    const struct tls_identity *identity = tls_session_get_identity(pair.at_server.session);
    assert_int_equal(identity->count, 1);
    assert_string_equal(identity->names[0], "spiffe://test/client");
    close_pair(&pair);
}

static void a_client_that_is_not_vouched_for_is_refused_and_told(void **state) {
    (void)state;
    const struct tls_server_options required = {.client_ca_file = authority.certificate_file,
                                                .require_client_certificate = true};
    expect_refusal(make_client("localhost", &authority, &foreign_certificate), &required,
                   "the other side does not know who vouches for our certificate",
                   "unable to get local issuer certificate");
    expect_refusal(make_client("localhost", &authority, NULL), &required,
                   "the server wants a client certificate", "the client has shown no certificate");
}

// ---- OpenSSL's client, which can do what ours does not ----

struct raw_client {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
    struct end at_server;
};

static void begin_raw(struct raw_client *raw, struct tls_server *server, SSL_SESSION *session) {
    raw->at_server = (struct end){0};
    raw->ssl = SSL_new(raw->context);
    raw->in = BIO_new(BIO_s_mem());
    raw->out = BIO_new(BIO_s_mem());
    SSL_set_bio(raw->ssl, raw->in, raw->out);
    SSL_set_connect_state(raw->ssl);
    if (session)
        SSL_set_session(raw->ssl, session);
    assert_int_equal(tls_session_new_of_server(server, &raw->at_server.session), STATUS_OK);
}

// What the client has to send, and what comes back, until neither has anything.
static void talk_raw(struct raw_client *raw) {
    struct end *end = &raw->at_server;
    for (bool has_any = true; has_any;) {
        uint8_t data[65536];
        char plain[256];
        (void)SSL_read(raw->ssl, plain, sizeof(plain));
        int len = BIO_read(raw->out, data, sizeof(data));
        has_any = len > 0 || end->output.len > 0;
        if (len > 0 && end->status == STATUS_OK)
            end->status =
                tls_session_receive(end->session, bytes_of(data, (size_t)len), &end->plain, &end->output);
        if (end->output.len > 0)
            BIO_write(raw->in, end->output.data, (int)end->output.len);
        buffer_reset(&end->output);
    }
    ERR_clear_error();
}

static SSL_SESSION *end_raw(struct raw_client *raw) {
    SSL_SESSION *session = SSL_get1_session(raw->ssl);
    SSL_set_shutdown(raw->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(raw->ssl);
    fini_end(&raw->at_server);
    return session;
}

static struct raw_client make_raw(int version) {
    struct raw_client raw = {.context = SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(raw.context, version);
    SSL_CTX_set_max_proto_version(raw.context, version);
    SSL_CTX_set_alpn_protos(raw.context, (const uint8_t *)"\x02h2", 3);
    return raw;
}

// Whether the session goes on; *session becomes the new one.
static bool goes_on(struct raw_client *raw, struct tls_server *server, SSL_SESSION **session) {
    begin_raw(raw, server, *session);
    talk_raw(raw);
    assert_true(tls_session_is_open(raw->at_server.session));
    bool is_resumed = SSL_session_reused(raw->ssl);
    SSL_SESSION_free(*session);
    *session = end_raw(raw);
    return is_resumed;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void tickets_are_good_for_an_hour_or_two_and_over_reloads(void **state) {
    (void)state;
    struct tls_server *server = make_server(&(struct tls_server_options){0});
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        struct raw_client raw = make_raw(versions[i]);
        SSL_SESSION *session = NULL;
        assert_false(goes_on(&raw, server, &session));
        assert_true(goes_on(&raw, server, &session));
        assert_int_equal(tls_server_reload(server, error, sizeof(error)), STATUS_OK);
        assert_true(goes_on(&raw, server, &session));
        clock_manual_advance_ms(&now, HOUR_MS);
        assert_true(goes_on(&raw, server, &session));
        clock_manual_advance_ms(&now, HOUR_MS);
        assert_true(goes_on(&raw, server, &session)); // it was given a new one
        clock_manual_advance_ms(&now, 2 * HOUR_MS);
        assert_false(goes_on(&raw, server, &session));
        SSL_SESSION_free(session);
        SSL_CTX_free(raw.context);
    }
    tls_server_free(server);
}

static void tickets_end_with_the_authorities_and_lists_that_they_were_given_by(void **state) {
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/test_revocations.%d", (int)getpid());
    certificate_write_revocations(&authority, NULL, path);
    struct tls_server *server = make_server(
        &(struct tls_server_options){.client_ca_file = authority.certificate_file, .revocation_file = path});
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        struct raw_client raw = make_raw(versions[i]);
        SSL_SESSION *session = NULL;
        SSL_CTX_use_certificate(raw.context, client_certificate.certificate);
        SSL_CTX_use_PrivateKey(raw.context, client_certificate.key);
        assert_false(goes_on(&raw, server, &session));
        assert_true(goes_on(&raw, server, &session));
        certificate_write_revocations(&authority, i == 0 ? &foreign_certificate : &server_certificate, path);
        assert_int_equal(tls_server_reload(server, error, sizeof(error)), STATUS_OK);
        assert_false(goes_on(&raw, server, &session));
        SSL_SESSION_free(session);
        SSL_CTX_free(raw.context);
    }
    unlink(path);
    tls_server_free(server);
}

static void a_client_that_goes_on_is_known_by_the_same_name(void **state) {
    (void)state;
    struct tls_server *server =
        make_server(&(struct tls_server_options){.client_ca_file = authority.certificate_file});
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        struct raw_client raw = make_raw(versions[i]);
        SSL_SESSION *session = NULL;
        SSL_CTX_use_certificate(raw.context, client_certificate.certificate);
        SSL_CTX_use_PrivateKey(raw.context, client_certificate.key);
        assert_false(goes_on(&raw, server, &session));
        begin_raw(&raw, server, session);
        talk_raw(&raw);
        assert_true(SSL_session_reused(raw.ssl));
        assert_string_equal(tls_session_get_identity(raw.at_server.session)->names[0],
                            "spiffe://test/client");
        SSL_SESSION_free(session);
        SSL_SESSION_free(end_raw(&raw));
        SSL_CTX_free(raw.context);
    }
    tls_server_free(server);
}

static enum status ask_for_new_keys(size_t count, size_t bytes_between) {
    struct tls_server *server = make_server(&(struct tls_server_options){0});
    struct raw_client raw = make_raw(TLS1_3_VERSION);
    begin_raw(&raw, server, NULL);
    talk_raw(&raw);
    for (size_t i = 0; i < count && raw.at_server.status == STATUS_OK; i++) {
        assert_int_equal(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(raw.ssl), 1);
        if (bytes_between > 0)
            assert_int_equal(SSL_write(raw.ssl, large, (int)bytes_between), bytes_between);
        buffer_reset(&raw.at_server.plain);
        talk_raw(&raw);
        talk_raw(&raw);
    }
    enum status status = raw.at_server.status;
    SSL_SESSION_free(end_raw(&raw));
    SSL_CTX_free(raw.context);
    tls_server_free(server);
    return status;
}

static void new_keys_are_made_at_the_pace_of_data_and_not_for_nothing(void **state) {
    (void)state;
    assert_int_equal(ask_for_new_keys(20, 0), STATUS_OK);
    assert_int_equal(ask_for_new_keys(100, 0), STATUS_MALFORMED);
    assert_int_equal(ask_for_new_keys(60, LARGE_BYTES), STATUS_OK);
}

// ---- files ----

static void a_reload_with_bad_files_changes_nothing(void **state) {
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/test_reloaded.%d", (int)getpid());
    certificate_write_revocations(&authority, NULL, path);
    struct tls_server *server = make_server(
        &(struct tls_server_options){.client_ca_file = authority.certificate_file, .revocation_file = path});
    int64_t expiry_s = tls_server_get_expiry_s(server);
    assert_true(expiry_s > 0);
    unlink(path);
    assert_int_equal(tls_server_reload(server, error, sizeof(error)), STATUS_INVALID);
    assert_non_null(strstr(error, path));
    assert_int_equal(tls_server_get_expiry_s(server), expiry_s);
    struct pair pair = {.server = server,
                        .client = make_client("localhost", &authority, &client_certificate)};
    begin(&pair);
    talk(&pair, SIZE_MAX);
    assert_true(tls_session_is_open(pair.at_server.session));
    close_pair(&pair);
}

static void a_reload_without_descriptors_changes_nothing_and_says_that_it_may_pass(void **state) {
    (void)state;
    struct rlimit before, none;
    struct tls_server *server = make_server(&(struct tls_server_options){.client_ca_file = NULL});
    int64_t expiry_s = tls_server_get_expiry_s(server);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = tls_server_reload(server, error, sizeof(error));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    assert_non_null(strstr(error, server_certificate.certificate_file));
    assert_int_equal(tls_server_get_expiry_s(server), expiry_s);
    assert_int_equal(tls_server_reload(server, error, sizeof(error)), STATUS_OK);
    tls_server_free(server);
}

// ---- without memory ----

static bool shake_hands(void *context) {
    struct tls_server_options options = {.certificate_file = server_certificate.certificate_file,
                                         .key_file = server_certificate.key_file,
                                         .client_ca_file = authority.certificate_file,
                                         .clock = &now.clock};
    const struct tls_client_options client_options = {.ca_file = authority.certificate_file,
                                                      .certificate_file = client_certificate.certificate_file,
                                                      .key_file = client_certificate.key_file,
                                                      .server_name = "localhost"};
    struct pair pair = {0};
    (void)context;
    bool is_made = tls_server_new(&options, &pair.server, error, sizeof(error)) == STATUS_OK &&
                   tls_client_new(&client_options, &pair.client, error, sizeof(error)) == STATUS_OK &&
                   tls_session_new_of_server(pair.server, &pair.at_server.session) == STATUS_OK &&
                   tls_session_new_of_client(pair.client, &pair.at_client.session) == STATUS_OK;
    bool is_said = false;
    if (is_made) {
        pair.at_client.status = tls_session_receive(pair.at_client.session, BYTES_EMPTY,
                                                    &pair.at_client.plain, &pair.at_client.output);
        talk(&pair, SIZE_MAX);
        is_said = tls_session_is_open(pair.at_server.session) &&
                  tls_session_is_open(pair.at_client.session) &&
                  tls_session_send(pair.at_server.session, bytes_of(large, 100000), &pair.at_server.output) ==
                      STATUS_OK;
        talk(&pair, SIZE_MAX);
    }
    is_said = is_said && pair.at_client.plain.len == 100000;
    close_pair(&pair);
    return is_said;
}

static void without_memory_it_fails_and_leaves_nothing(void **state) {
    (void)state;
    allocation_failure_try_each(shake_hands, NULL);
}

static int set_up(void **state) {
    (void)state;
    clock_manual_init(&now);
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (uint8_t)(i * 31 >> 4);
    certificate_make(&authority, &(struct certificate_options){.is_authority = true});
    certificate_make(&stranger, &(struct certificate_options){.is_authority = true});
    certificate_make(&server_certificate, &(struct certificate_options){
                                              .names = server_names, .name_count = 2, .issuer = &authority});
    certificate_make(&client_certificate, &(struct certificate_options){
                                              .names = client_names, .name_count = 1, .issuer = &authority});
    certificate_make(&foreign_certificate, &(struct certificate_options){
                                               .names = client_names, .name_count = 1, .issuer = &stranger});
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    certificate_fini(&authority);
    certificate_fini(&stranger);
    certificate_fini(&server_certificate);
    certificate_fini(&client_certificate);
    certificate_fini(&foreign_certificate);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_arrives_whole_however_it_is_cut),
        cmocka_unit_test(nothing_is_said_by_who_has_nothing_to_say),
        cmocka_unit_test(before_it_is_open_nothing_can_be_said),
        cmocka_unit_test(an_end_in_order_is_told_after_what_came_before_it),
        cmocka_unit_test(a_changed_byte_ends_it),
        cmocka_unit_test(a_handshake_with_changed_bytes_comes_to_an_end_or_to_nothing),
        cmocka_unit_test(a_client_trusts_its_authority_and_the_name_alone),
        cmocka_unit_test(a_client_without_a_name_to_expect_is_refused),
        cmocka_unit_test(a_server_knows_its_clients_by_name),
        cmocka_unit_test(a_client_that_is_not_vouched_for_is_refused_and_told),
        cmocka_unit_test(tickets_are_good_for_an_hour_or_two_and_over_reloads),
        cmocka_unit_test(tickets_end_with_the_authorities_and_lists_that_they_were_given_by),
        cmocka_unit_test(a_client_that_goes_on_is_known_by_the_same_name),
        cmocka_unit_test(new_keys_are_made_at_the_pace_of_data_and_not_for_nothing),
        cmocka_unit_test(a_reload_with_bad_files_changes_nothing),
        cmocka_unit_test(a_reload_without_descriptors_changes_nothing_and_says_that_it_may_pass),
        cmocka_unit_test(without_memory_it_fails_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
