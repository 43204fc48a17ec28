// Every allocation of a Validate call failing, alone and with all that follow it, over an image: what is to
// be denied is never allowed, what is allowed comes whole or fails, and the next call is decided as ever.
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_rpc.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_server.h"

enum { TOKEN_COUNT = 3 };

static const char *const names[] = {"charges.read", "latchkey.validate.any"};
static const struct bytes grants[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("latchkey.validate.any")};

static struct validator_server server;
static struct secret asker, good, deactivated;

static const struct grpc_method methods[] = {VALIDATOR_SERVER_VALIDATE(&server)};

// ---- the image ----

static int set_up(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, "test"); // uses that nobody takes are told of
    validator_image_init(&server.made, names, ARRAY_LENGTH(names), 1);
    struct uuid company = validator_image_add_company(&server.made, 1);
    struct token_row rows[TOKEN_COUNT];
    for (uint8_t i = 0; i < TOKEN_COUNT; i++)
        rows[i] = validator_image_make_row((uint8_t)(i + 1), company, grants, ARRAY_LENGTH(grants));
    rows[2].is_deactivated = true;
    asker = validator_image_put(&server.made, rows[0]);
    good = validator_image_put(&server.made, rows[1]);
    deactivated = validator_image_put(&server.made, rows[2]);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    validator_image_fini(&server.made);
    return 0;
}

// ---- the server, a new one for each run: it keeps what it has allocated ----

static void open_server(void) {
    const struct validator_server_options options = {
        .methods = methods, .method_count = ARRAY_LENGTH(methods), .use_capacity = 64};
    validator_server_open(&server, &options);
    validate_loop_enter(&server.mine, loop_group_get_loop(server.loops, 0));
}

static void close_server(void) {
    validate_loop_leave(&server.mine);
    validator_server_close(&server);
}

// ---- a call ----

static size_t call(const struct secret *secret, void (*begin)(size_t k), size_t k,
                   struct memory_client *client) {
    uint8_t question[VALIDATOR_SERVER_QUESTION_MAX];
    nghttp2_nv fields[] = {HEADER_FIELD("content-type", "application/grpc"),
                           HEADER_FIELD("x-access-token", "")};
    fields[1].value = (uint8_t *)asker.text;
    fields[1].valuelen = strlen(asker.text);
    memory_client_init(client, loop_group_get_loop(server.loops, 0), NULL);
    memory_client_submit(client, methods[0].path, fields, ARRAY_LENGTH(fields),
                         bytes_of(question, validator_server_write_question(question, secret->text)));
    begin(k);
    connection_open(&server.grpc->home[0], &client->stream.base);
    memory_client_talk(client);
    return allocation_failure_end();
}

static void hang_up(struct memory_client *client) {
    if (!client->stream.is_closed)
        client->stream.base.callbacks->on_end(client->stream.base.context, STREAM_END_PEER_CLOSED);
    memory_client_fini(client);
}

static bool is_ok(const struct memory_answer *answer) {
    static const char ok[] = "grpc-status: 0\n";
    return answer->is_complete && memmem(answer->fields.data, answer->fields.len, ok, sizeof(ok) - 1);
}

// Of an answer that says OK, the decision.
static Latchkey__V1__Decision read_decision(const struct memory_answer *answer) {
    assert_true(answer->body.len > FRAMING_PREFIX_BYTES);
    Latchkey__V1__ValidateResponse *response = latchkey__v1__validate_response__unpack(
        NULL, answer->body.len - FRAMING_PREFIX_BYTES, answer->body.data + FRAMING_PREFIX_BYTES);
    assert_non_null(response);
    Latchkey__V1__Decision decision = response->decision;
    latchkey__v1__validate_response__free_unpacked(response, NULL);
    return decision;
}

static bool disturb(const struct secret *secret, Latchkey__V1__Decision expected, void (*begin)(size_t k),
                    size_t k) {
    struct memory_client client;
    open_server();
    size_t count = call(secret, begin, k, &client);
    assert_true(client.answer.is_complete || client.answer.is_reset || client.stream.is_closed);
    if (is_ok(&client.answer))
        assert_int_equal(read_decision(&client.answer), expected);
    hang_up(&client);
    (void)call(secret, allocation_failure_begin, 0, &client);
    assert_true(is_ok(&client.answer));
    assert_int_equal(read_decision(&client.answer), expected);
    hang_up(&client);
    close_server();
    return count >= k;
}

static void disturb_each(const struct secret *secret, Latchkey__V1__Decision expected) {
    for (size_t k = 1; disturb(secret, expected, allocation_failure_begin, k); k++)
        continue;
    for (size_t k = 1; disturb(secret, expected, allocation_failure_begin_from, k); k++)
        continue;
}

// ---- the cases ----

static void a_good_token_is_allowed_or_the_call_fails(void **state) {
    (void)state;
    disturb_each(&good, LATCHKEY__V1__DECISION__DECISION_ALLOW);
}

static void a_token_to_be_denied_is_never_allowed(void **state) {
    (void)state;
    disturb_each(&deactivated, LATCHKEY__V1__DECISION__DECISION_DENY);
}

static void a_secret_that_nobody_has_is_never_allowed(void **state) {
    (void)state;
    struct secret unknown;
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, 1, &unknown);
    disturb_each(&unknown, LATCHKEY__V1__DECISION__DECISION_DENY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_is_allowed_or_the_call_fails),
        cmocka_unit_test(a_token_to_be_denied_is_never_allowed),
        cmocka_unit_test(a_secret_that_nobody_has_is_never_allowed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
