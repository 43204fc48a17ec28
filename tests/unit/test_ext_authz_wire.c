// Envoy's two messages as we read and write them, held against protobuf-c.
#include "common/base/clock.h"
#include "common/protobuf/message.h"
#include "envoy/service/auth/v3/external_auth.pb-c.h"
#include "services/validator/gateway/ext_authz_request.h"
#include "services/validator/gateway/ext_authz_response.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/unit.h"

static struct arena arena;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

// ---- the request ----

typedef Envoy__Service__Auth__V3__AttributeContext__HttpRequest__HeadersEntry HeadersEntry;
typedef Envoy__Service__Auth__V3__AttributeContext__ContextExtensionsEntry ExtensionsEntry;
typedef Envoy__Config__Core__V3__HeaderValue HeaderValue;

static char text_authorization[] = "authorization", text_bearer[] = "Bearer a";

// Everything that is read, beside a good deal that is not.
static struct bytes pack_request(bool is_raw) {
    HeadersEntry entries[2];
    HeadersEntry *entry_list[] = {&entries[0], &entries[1]};
    HeaderValue values[3];
    HeaderValue *value_list[] = {&values[0], &values[1], &values[2]};
    ExtensionsEntry extension = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__CONTEXT_EXTENSIONS_ENTRY__INIT;
    ExtensionsEntry *extension_list[] = {&extension};
    Envoy__Config__Core__V3__HeaderMap map = ENVOY__CONFIG__CORE__V3__HEADER_MAP__INIT;
    Envoy__Service__Auth__V3__AttributeContext__HttpRequest http =
        ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__HTTP_REQUEST__INIT;
    Envoy__Service__Auth__V3__AttributeContext__Request request =
        ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__REQUEST__INIT;
    Envoy__Config__Core__V3__SocketAddress socket = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__INIT;
    Envoy__Config__Core__V3__Address address = ENVOY__CONFIG__CORE__V3__ADDRESS__INIT;
    Envoy__Service__Auth__V3__AttributeContext__Peer peer =
        ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__PEER__INIT;
    Envoy__Service__Auth__V3__AttributeContext attributes = ENVOY__SERVICE__AUTH__V3__ATTRIBUTE_CONTEXT__INIT;
    Envoy__Service__Auth__V3__CheckRequest message = ENVOY__SERVICE__AUTH__V3__CHECK_REQUEST__INIT;

    for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
        envoy__service__auth__v3__attribute_context__http_request__headers_entry__init(&entries[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        envoy__config__core__v3__header_value__init(&values[i]);
    entries[0].key = values[0].key = text_authorization;
    entries[0].value = text_bearer;
    values[0].raw_value = (ProtobufCBinaryData){sizeof(text_bearer) - 1, (uint8_t *)text_bearer};
    entries[1].key = values[1].key = (char *)"accept";
    values[2].key = (char *)"Latchkey_Company";
    values[2].value = (char *)"forged";
    map.headers = value_list;
    map.n_headers = ARRAY_LENGTH(values);
    http.method = (char *)"GET";
    http.path = (char *)"/charges?x=1";
    http.host = (char *)"shop.example.com";
    http.size = -1;
    if (is_raw) {
        http.header_map = &map;
    } else {
        http.headers = entry_list;
        http.n_headers = ARRAY_LENGTH(entries);
    }
    request.http = &http;
    socket.address = (char *)"203.0.113.7";
    socket.port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    socket.port_value = 1234;
    address.address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    address.socket_address = &socket;
    peer.address = &address;
    peer.principal = (char *)"spiffe://somebody";
    extension.key = (char *)"permission";
    extension.value = (char *)"charges.read";
    attributes.source = attributes.destination = &peer;
    attributes.request = &request;
    attributes.context_extensions = extension_list;
    attributes.n_context_extensions = 1;
    message.attributes = &attributes;
    return message_pack(&message.base, 0, &arena);
}

static void assert_is(struct bytes actual, const char *expected) {
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data ? actual.data : (const uint8_t *)"", expected, actual.len);
}

static struct bytes get_header(const struct ext_authz_request *request, const char *name) {
    return metadata_find_only(&request->headers, bytes_of_text(name));
}

static void both_encodings_of_headers_are_read(void **state) {
    (void)state;
    for (int is_raw = 0; is_raw < 2; is_raw++) {
        struct ext_authz_request request;
        assert_int_equal(ext_authz_request_read(pack_request(is_raw), &arena, &request), STATUS_OK);
        assert_is(request.method, "GET");
        assert_is(request.path, "/charges?x=1");
        assert_is(request.host, "shop.example.com");
        assert_is(request.source_address, "203.0.113.7");
        assert_is(request.extensions->key, "permission");
        assert_is(request.extensions->value, "charges.read");
        assert_null(request.extensions->next);
        assert_is(get_header(&request, "authorization"), "Bearer a");
        assert_is(get_header(&request, "latchkey_company"), is_raw ? "forged" : "");
        assert_int_equal(request.headers.count, is_raw ? 2 : 1);
    }
}

static void a_message_that_is_cut_off_is_none_or_a_shorter_one(void **state) {
    (void)state;
    struct bytes whole = pack_request(true);
    struct ext_authz_request request;
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(ext_authz_request_read(bytes_of(whole.data, len), &arena, &request),
                         len == 0 ? STATUS_OK : STATUS_MALFORMED);
}

// metadata_context = 11, whose Struct is in itself as deep as the message is long.
static void what_is_not_wanted_is_passed_over_however_deep(void **state) {
    (void)state;
    uint8_t message[3 + 3 + 2000] = {0x0a, 0xd3, 0x0f, 0x5a, 0xd0, 0x0f};
    struct ext_authz_request request;
    memset(message + 6, 0x0a, 2000);
    assert_int_equal(ext_authz_request_read(bytes_of(message, sizeof(message)), &arena, &request), STATUS_OK);
    message[3] = 0x5b; // a group, which is nothing
    assert_int_equal(ext_authz_request_read(bytes_of(message, sizeof(message)), &arena, &request),
                     STATUS_MALFORMED);
}

static void names_that_say_who_is_asking_are_known_in_every_spelling(void **state) {
    (void)state;
    static const char *const identities[] = {"latchkey-company", "Latchkey-X",       "LATCHKEY_token",
                                             "latchkey-",        "latchkey.company", "Latchkey~x"};
    static const char *const others[] = {"latchkey",           "latchkeyx", "latchkey0x",
                                         "x-latchkey-company", "",          "authorization"};
    for (size_t i = 0; i < ARRAY_LENGTH(identities); i++)
        assert_true(ext_authz_header_is_identity(bytes_of_text(identities[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(ext_authz_header_is_identity(bytes_of_text(others[i])));
}

static void other_names_for_method_and_path_are_known_in_every_spelling(void **state) {
    (void)state;
    static const char *const overrides[] = {"x-original-url", "X_HTTP_Method_Override", "x-http-method",
                                            "x.rewrite.url"};
    static const char *const others[] = {"x-http-methods", "x-http", "", "x-forwarded-for",
                                         "method-override"};
    for (size_t i = 0; i < ARRAY_LENGTH(overrides); i++)
        assert_true(ext_authz_header_is_override(bytes_of_text(overrides[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(ext_authz_header_is_override(bytes_of_text(others[i])));
}

// ---- the response ----

typedef Envoy__Service__Auth__V3__CheckResponse CheckResponse;
typedef Envoy__Config__Core__V3__HeaderValueOption HeaderValueOption;

static const CheckResponse *unpack(struct bytes written) {
    enum { HEADROOM = 5 };
    ProtobufCMessage *message;
    const char *text = "";
    assert_non_null(written.data);
    if (message_unpack(&envoy__service__auth__v3__check_response__descriptor,
                       bytes_of(written.data + HEADROOM, written.len - HEADROOM), &arena, &message,
                       &text) != STATUS_OK)
        fail_msg("%s", text);
    return (const CheckResponse *)message;
}

static const char *get_value(HeaderValueOption *const *headers, size_t count, const char *name) {
    const char *value = "";
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            headers[i]->append_action,
            ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD);
        if (strcmp(headers[i]->header->key, name) == 0)
            value = headers[i]->header->value;
    }
    return value;
}

static bool is_removed(const CheckResponse *response, const char *name) {
    for (size_t i = 0; i < response->ok_response->n_headers_to_remove; i++)
        if (strcmp(response->ok_response->headers_to_remove[i], name) == 0)
            return true;
    return false;
}

static void a_denial_is_what_the_client_gets(void **state) {
    (void)state;
    const struct ext_authz_denial denial = {.status = 503,
                                            .code = "unavailable",
                                            .text = "say \"please\"\n",
                                            .reason = "LOADING",
                                            .challenge = "Bearer",
                                            .retry_after_s = 7};
    const CheckResponse *response = unpack(ext_authz_write_denial(&denial, 5, &arena));
    assert_int_equal(response->status->code, 14);
    assert_int_equal(response->http_response_case,
                     ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_DENIED_RESPONSE);
    const Envoy__Service__Auth__V3__DeniedHttpResponse *denied = response->denied_response;
    assert_int_equal(denied->status->code, 503);
    assert_string_equal(denied->body, "{\"code\":\"unavailable\",\"message\":\"say \\\"please\\\"\\u000a\"}");
    assert_string_equal(get_value(denied->headers, denied->n_headers, "latchkey-reason"), "LOADING");
    assert_string_equal(get_value(denied->headers, denied->n_headers, "retry-after"), "7");
    assert_string_equal(get_value(denied->headers, denied->n_headers, "www-authenticate"), "Bearer");
    assert_string_equal(get_value(denied->headers, denied->n_headers, "content-type"), "application/json");
}

static void every_denial_has_a_code_that_denies(void **state) {
    (void)state;
    static const unsigned statuses[] = {0, 200, 400, 401, 403, 500, 503};
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        const struct ext_authz_denial denial = {.status = statuses[i], .code = "", .text = ""};
        assert_int_not_equal(unpack(ext_authz_write_denial(&denial, 5, &arena))->status->code, 0);
    }
}

static struct bytes write_admission(const struct validate_answer *answer) {
    static const struct bytes removed[] = {BYTES_LITERAL("authorization")};
    struct metadata headers;
    metadata_init(&headers);
    static const char *const names[] = {"latchkey-token",   "latchkey-member", "latchkey-member",
                                        "latchkey_company", "latchkey-admin",  "origin"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (metadata_add(&headers, &arena, bytes_of_text(names[i]), BYTES_LITERAL("forged")) != STATUS_OK)
            return BYTES_EMPTY;
    const struct ext_authz_admission admission = {.answer = answer,
                                                  .headers = &headers,
                                                  .removed = removed,
                                                  .removed_count = 1,
                                                  .replaces_cookie = true,
                                                  .cookie = BYTES_LITERAL("a=b")};
    return ext_authz_write_admission(&admission, 5, &arena);
}

static const struct validate_answer allowed = {.reason = REASON_OK,
                                               .company_id = BYTES_LITERAL("cmp_1"),
                                               .token_id = BYTES_LITERAL("tok_1"),
                                               .token_external_id = BYTES_LITERAL("shop \xc3\xa9"),
                                               .kind = TOKEN_KIND_ACCESS,
                                               .permissions = BYTES_LITERAL("\x42\x0e"
                                                                            "charges.create"
                                                                            "\x42\x0c"
                                                                            "charges.read"),
                                               .expires_at_ms = CLOCK_NEVER_MS};

static void what_is_set_replaces_and_what_is_not_is_removed(void **state) {
    (void)state;
    const CheckResponse *response = unpack(write_admission(&allowed));
    const Envoy__Service__Auth__V3__OkHttpResponse *ok = response->ok_response;
    assert_int_equal(response->status->code, 0);
    assert_int_equal(response->http_response_case,
                     ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE);
    static const char *const set[][2] = {{"latchkey-company", "cmp_1"},
                                         {"latchkey-token", "tok_1"},
                                         {"latchkey-token-external-id", "shop %C3%A9"},
                                         {"latchkey-kind", "access"},
                                         {"latchkey-permissions", "charges.create charges.read"},
                                         {"cookie", "a=b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(set); i++) {
        assert_string_equal(get_value(ok->headers, ok->n_headers, set[i][0]), set[i][1]);
        assert_false(is_removed(response, set[i][0]));
    }
    assert_int_equal(ok->n_headers, ARRAY_LENGTH(set));
    static const char *const removed[] = {"authorization",       "latchkey-member",
                                          "latchkey_company",    "latchkey-admin",
                                          "latchkey-expires-at", "latchkey-company-external-id"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++)
        assert_true(is_removed(response, removed[i]));
    assert_false(is_removed(response, "origin"));
}

static void nobody_in_particular_has_no_identity(void **state) {
    (void)state;
    const CheckResponse *response = unpack(write_admission(NULL));
    assert_int_equal(response->status->code, 0);
    assert_int_equal(response->ok_response->n_headers, 1); // the cookie
    static const char *const removed[] = {"latchkey-company", "latchkey-token", "latchkey-member",
                                          "latchkey-kind", "latchkey-permissions"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++)
        assert_true(is_removed(response, removed[i]));
}

static bool write_both(void *context) {
    (void)context;
    const struct ext_authz_denial denial = {.status = 401, .code = "unauthenticated", .text = "no"};
    bool is_written = ext_authz_write_denial(&denial, 5, &arena).data && write_admission(&allowed).data;
    arena_fini(&arena);
    arena_init(&arena, 0);
    return is_written;
}

static void without_memory_nothing_is_written(void **state) {
    (void)state;
    allocation_failure_try_each(write_both, NULL);
}

static bool read_once(void *context) {
    struct ext_authz_request request;
    const struct bytes *packed = context;
    struct arena own;
    arena_init(&own, 0);
    enum status status = ext_authz_request_read(*packed, &own, &request);
    arena_fini(&own);
    return status == STATUS_OK;
}

static void without_memory_nothing_is_read(void **state) {
    (void)state;
    struct bytes packed = pack_request(true);
    allocation_failure_try_each(read_once, &packed);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(both_encodings_of_headers_are_read),
        CASE(a_message_that_is_cut_off_is_none_or_a_shorter_one),
        CASE(what_is_not_wanted_is_passed_over_however_deep),
        CASE(names_that_say_who_is_asking_are_known_in_every_spelling),
        CASE(other_names_for_method_and_path_are_known_in_every_spelling),
        CASE(a_denial_is_what_the_client_gets),
        CASE(every_denial_has_a_code_that_denies),
        CASE(what_is_set_replaces_and_what_is_not_is_removed),
        CASE(nobody_in_particular_has_no_identity),
        CASE(without_memory_nothing_is_written),
        CASE(without_memory_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
