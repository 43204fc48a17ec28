// Allocations failing all through a TLS handshake with client certificates and a call over it, those that
// OpenSSL makes included: the client has its answer, or a failure, or a closed connection, and is never taken
// for anybody that it is not; nothing is left behind, and the next handshake comes through.
//
// A handshake makes thousands of allocations, so that one run fails every STRIDE-th, from a place that the
// seed chooses.
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/grpc/call.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "common/grpc/server_internal.h"
#include "common/net/loop_internal.h"
#include "common/net/tls_acceptor.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/certificates.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { STRIDE = 23 };

static const struct certificate_name server_names[] = {{GEN_DNS, BYTES_LITERAL("localhost")}};
static const struct certificate_name client_names[] = {{GEN_DNS, BYTES_LITERAL("client.test")}};
static struct certificate authority, stranger, server_certificate, client_certificate, foreign_certificate;
static struct seed seed;

// ---- OpenSSL's allocations, which fail with ours ----

static void *library_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    return malloc(size);
}

static void *library_realloc(void *memory, size_t size, const char *file, int line) {
    (void)file, (void)line;
    return realloc(memory, size);
}

static void library_free(void *memory, const char *file, int line) {
    (void)file, (void)line;
    free(memory);
}

// ---- the server, which says to clients who they are ----

static void on_who_am_i(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    const struct tls_identity *identity = grpc_call_get_identity(call);
    Google__Protobuf__StringValue answer = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
    answer.value = (char *)(identity ? identity->names[0] : "nobody");
    grpc_call_reply(call, &answer.base);
}

static const struct grpc_handler who_am_i = {.on_message = on_who_am_i};
static const struct grpc_method methods[] = {
    {.path = "/t.S/WhoAmI",
     .request = &google__protobuf__string_value__descriptor,
     .response = &google__protobuf__string_value__descriptor,
     .shape = GRPC_UNARY,
     .handler = &who_am_i},
};

struct server {
    struct tls_server *tls;
    struct loop_group *loops;
    struct grpc_server *grpc;
};

static void open_server(struct server *server) {
    char error[256];
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    const struct tls_server_options tls = {.certificate_file = server_certificate.certificate_file,
                                           .key_file = server_certificate.key_file,
                                           .client_ca_file = authority.certificate_file,
                                           .clock = clock_get_system()};
    struct grpc_server_options options = {
        .tables = &table,
        .table_count = 1,
        .tls_limits = {.handshake_timeout_ms = INT32_MAX, .max_handshakes = 1}};
    grpc_server_settings_init(&options.settings);
    assert_int_equal(tls_server_new(&tls, &server->tls, error, sizeof(error)), STATUS_OK);
    assert_int_equal(loop_group_new(1, clock_get_system(), &server->loops), STATUS_OK);
    options.tls = server->tls;
    options.loops = server->loops;
    assert_int_equal(grpc_server_new(&options, &server->grpc), STATUS_OK);
}

static void close_server(struct server *server) {
    assert_int_equal(tls_acceptor_get_count(server->grpc->home[0].tls), 0);
    loop_group_stop(server->loops);
    assert_int_equal(server->grpc->home[0].connection_count, 0);
    assert_int_equal(server->grpc->request_memory.used_bytes, 0);
    grpc_server_free(server->grpc);
    loop_group_free(server->loops);
    tls_server_free(server->tls);
}

// ---- the clients ----

struct scenario {
    const char *title;
    const struct certificate *own; // NULL = none
    const char *known_as;          // NULL = kept out
};

static const struct scenario scenarios[] = {
    {"a_client_with_a_certificate_is_itself_or_nobody_at_all", &client_certificate, "dns:client.test"},
    {"a_client_without_a_certificate_stays_nobody", NULL, "nobody"},
    {"a_client_with_a_certificate_of_others_stays_out", &foreign_certificate, NULL},
};

static struct tls_client *make_tls(const struct certificate *own) {
    char error[256];
    const struct tls_client_options options = {.ca_file = authority.certificate_file,
                                               .certificate_file = own ? own->certificate_file : NULL,
                                               .key_file = own ? own->key_file : NULL,
                                               .server_name = "localhost"};
    struct tls_client *client;
    assert_int_equal(tls_client_new(&options, &client, error, sizeof(error)), STATUS_OK);
    return client;
}

static void open_client(struct memory_client *client, const struct server *server,
                        const struct tls_client *tls) {
    static const uint8_t nothing[FRAMING_PREFIX_BYTES];
    static const nghttp2_nv fields[] = {HEADER_FIELD("content-type", "application/grpc")};
    struct tls_session *session;
    assert_int_equal(tls_session_new_of_client(tls, &session), STATUS_OK);
    memory_client_init(client, loop_group_get_loop(server->loops, 0), session);
    memory_client_submit(client, methods[0].path, fields, ARRAY_LENGTH(fields),
                         bytes_of(nothing, sizeof(nothing)));
}

// Calls begin(k) before the first byte; returns how many allocations there were.
static size_t talk(const struct server *server, struct memory_client *client, void (*begin)(size_t k),
                   size_t k) {
    begin(k);
    tls_acceptor_take(server->grpc->home[0].tls, &client->stream.base);
    memory_client_talk(client);
    return allocation_failure_end();
}

static void hang_up(struct memory_client *client) {
    if (!client->stream.is_closed)
        client->stream.base.callbacks->on_end(client->stream.base.context, STREAM_END_PEER_CLOSED);
    assert_true(client->stream.is_closed);
    memory_client_fini(client);
}

// ---- what becomes of them ----

static bool is_answered(const struct memory_answer *answer, const char *known_as) {
    static const char ok[] = "grpc-status: 0\n";
    const struct buffer *fields = &answer->fields, *body = &answer->body;
    return answer->is_complete && memmem(fields->data, fields->len, ok, sizeof(ok) - 1) &&
           memmem(body->data, body->len, known_as, strlen(known_as));
}

static bool is_failed(const struct memory_answer *answer) {
    static const char ok[] = "grpc-status: 0\n", status[] = "grpc-status: ";
    const struct buffer *fields = &answer->fields;
    return answer->is_complete && memmem(fields->data, fields->len, status, sizeof(status) - 1) &&
           !memmem(fields->data, fields->len, ok, sizeof(ok) - 1);
}

static void judge(const struct scenario *scenario, const struct memory_client *client) {
    const struct memory_answer *answer = &client->answer;
    if (!scenario->known_as)
        assert_true(client->stream.is_closed && answer->fields.len == 0);
    else if (!is_answered(answer, scenario->known_as) && !is_failed(answer))
        assert_true(answer->is_reset || client->stream.is_closed);
}

static void call_undisturbed(const struct scenario *scenario, const struct server *server,
                             const struct tls_client *tls) {
    struct memory_client client;
    open_client(&client, server, tls);
    (void)talk(server, &client, allocation_failure_begin, 0);
    judge(scenario, &client);
    if (scenario->known_as)
        assert_true(is_answered(&client.answer, scenario->known_as));
    hang_up(&client);
}

// False when there was no k-th allocation.
static bool disturb(const struct scenario *scenario, const struct tls_client *tls, void (*begin)(size_t k),
                    size_t k) {
    struct server server;
    struct memory_client client;
    open_server(&server);
    open_client(&client, &server, tls);
    size_t count = talk(&server, &client, begin, k);
    judge(scenario, &client);
    hang_up(&client);
    call_undisturbed(scenario, &server, tls);
    close_server(&server);
    return count >= k;
}

static void disturb_some(const struct scenario *scenario, void (*begin)(size_t k)) {
    struct tls_client *tls = make_tls(scenario->own);
    size_t k = 1 + seed_next_below(&seed, STRIDE);
    assert_true(disturb(scenario, tls, begin, k));
    while (disturb(scenario, tls, begin, k += STRIDE))
        ;
    tls_client_free(tls);
}

static void allocations_may_fail(void **state) {
    disturb_some(*state, allocation_failure_begin);
    disturb_some(*state, allocation_failure_begin_from);
}

// ---- all of them ----

// What OpenSSL makes once for the process, it makes here.
static void warm_up(void) {
    for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++) {
        struct tls_client *tls = make_tls(scenarios[i].own);
        (void)disturb(&scenarios[i], tls, allocation_failure_begin, 0);
        tls_client_free(tls);
    }
}

static int set_up(void **state) {
    (void)state;
    seed = seed_new();
    log_configure(LOG_LEVEL_NONE, LOG_FORMAT_TEXT, "test");
    certificate_make(&authority, &(struct certificate_options){.is_authority = true});
    certificate_make(&stranger, &(struct certificate_options){.is_authority = true});
    certificate_make(&server_certificate, &(struct certificate_options){
                                              .names = server_names, .name_count = 1, .issuer = &authority});
    certificate_make(&client_certificate, &(struct certificate_options){
                                              .names = client_names, .name_count = 1, .issuer = &authority});
    certificate_make(&foreign_certificate, &(struct certificate_options){
                                               .names = client_names, .name_count = 1, .issuer = &stranger});
    warm_up();
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
    if (CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free) != 1)
        return EXIT_FAILURE;
    struct CMUnitTest tests[ARRAY_LENGTH(scenarios)];
    for (size_t i = 0; i < ARRAY_LENGTH(scenarios); i++)
        tests[i] = (struct CMUnitTest){.name = scenarios[i].title,
                                       .test_func = allocations_may_fail,
                                       .initial_state = (void *)(uintptr_t)&scenarios[i]};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
