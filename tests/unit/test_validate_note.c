// When it is noted what a refusal leaves behind: behind its answer, whichever way that was asked for.
#include <string.h>

#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_batch_rpc.h"
#include "services/validator/decide/validate_rpc.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_server.h"

static const char *const names[] = {"latchkey.validate.any"};
static const struct bytes grants[] = {BYTES_LITERAL("latchkey.validate.any")};

static struct validator_server server;
static struct secret asker, deactivated;

static const struct grpc_method methods[] = {
    VALIDATOR_SERVER_VALIDATE(&server),
    {.path = "/latchkey.v1.ValidationService/ValidateBatch",
     .request = &latchkey__v1__validate_batch_request__descriptor,
     .response = &latchkey__v1__validate_batch_response__descriptor,
     .shape = GRPC_UNARY,
     .handler = &validate_batch_handler,
     .context = &server.service},
};

static int set_up(void **state) {
    (void)state;
    const struct validator_server_options options = {
        .methods = methods, .method_count = ARRAY_LENGTH(methods), .use_capacity = 64};
    validator_image_init(&server.made, names, ARRAY_LENGTH(names), 0);
    struct uuid company = validator_image_add_company(&server.made, 1);
    struct token_row rows[2];
    for (uint8_t i = 0; i < ARRAY_LENGTH(rows); i++)
        rows[i] = validator_image_make_row((uint8_t)(i + 1), company, grants, ARRAY_LENGTH(grants));
    rows[1].is_deactivated = true;
    asker = validator_image_put(&server.made, rows[0]);
    deactivated = validator_image_put(&server.made, rows[1]);
    validator_server_open(&server, &options);
    validate_loop_enter(&server.mine, loop_group_get_loop(server.loops, 0));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    validate_loop_leave(&server.mine);
    validator_server_close(&server);
    validator_image_fini(&server.made);
    return 0;
}

// ---- what is still to be noted whenever something leaves ----

static const struct stream_operations *usual;
static size_t noted_later;

static enum status write_and_look(struct stream *stream, struct bytes bytes) {
    noted_later =
        server.mine.notes.refused_count > noted_later ? server.mine.notes.refused_count : noted_later;
    return usual->write(stream, bytes);
}

static void ask(const struct grpc_method *method, struct bytes question) {
    struct memory_client client;
    nghttp2_nv fields[] = {HEADER_FIELD("content-type", "application/grpc"),
                           HEADER_FIELD("x-access-token", "")};
    fields[1].value = (uint8_t *)asker.text;
    fields[1].valuelen = strlen(asker.text);
    memory_client_init(&client, loop_group_get_loop(server.loops, 0), NULL);
    usual = client.stream.base.operations;
    struct stream_operations operations = *usual;
    operations.write = write_and_look;
    client.stream.base.operations = &operations;
    noted_later = 0;
    memory_client_submit(&client, method->path, fields, ARRAY_LENGTH(fields), question);
    connection_open(&server.grpc->home[0], &client.stream.base);
    memory_client_talk(&client);
    assert_true(client.answer.is_complete);
    assert_int_equal(server.mine.counters.decisions[REASON_DEACTIVATED], 1);
    client.stream.base.callbacks->on_end(client.stream.base.context, STREAM_END_PEER_CLOSED);
    memory_client_fini(&client);
}

static void a_refusal_is_noted_when_its_answer_has_left(void **state) {
    (void)state;
    uint8_t question[VALIDATOR_SERVER_QUESTION_MAX];
    ask(&methods[0], bytes_of(question, validator_server_write_question(question, deactivated.text)));
    assert_int_equal(noted_later, 1);
    assert_int_equal(server.mine.notes.refused_count, 0);
}

static void a_refusal_of_a_batch_is_noted_when_its_answer_has_left(void **state) {
    (void)state;
    uint8_t question[VALIDATOR_SERVER_QUESTION_MAX + 2];
    uint8_t *message = question + FRAMING_PREFIX_BYTES;
    size_t len = validator_server_write_question(question + 2, deactivated.text) - FRAMING_PREFIX_BYTES;
    assert_true(len < 128);
    message[0] = 1 << 3 | 2; // requests
    message[1] = (uint8_t)len;
    framing_write_prefix(question, (uint32_t)len + 2);
    ask(&methods[1], bytes_of(question, FRAMING_PREFIX_BYTES + 2 + len));
    assert_int_equal(noted_later, 1);
    assert_int_equal(server.mine.notes.refused_count, 0);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_refusal_is_noted_when_its_answer_has_left),
        CASE(a_refusal_of_a_batch_is_noted_when_its_answer_has_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
