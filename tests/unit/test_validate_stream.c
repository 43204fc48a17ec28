// How much a stream makes at once: however long its answers are, they come all, and a turn's worth at a time.
#include <stdio.h>
#include <string.h>

#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/grpc/header_fields.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_stream_rpc.h"
#include "tests/unit/memory_client.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_server.h"

enum { NAMES = 64, QUESTIONS = 128, TURN_BYTES = 256 * 1024 };

static char texts[NAMES][PERMISSION_NAME_MAX + 1];
static const struct bytes grants[] = {BYTES_LITERAL("many.*"), BYTES_LITERAL("latchkey.validate.any")};

static struct validator_server server;
static struct secret asker;

static const struct grpc_method methods[] = {
    {.path = "/latchkey.v1.ValidationService/ValidateStream",
     .request = &latchkey__v1__validate_stream_request__descriptor,
     .response = &latchkey__v1__validate_stream_response__descriptor,
     .shape = GRPC_BIDI,
     .max_request_bytes = 64 * 1024,
     .handler = &validate_stream_handler,
     .context = &server.service},
};

static int set_up(void **state) {
    (void)state;
    const char *names[NAMES] = {"latchkey.validate.any"};
    for (int i = 1; i < NAMES; i++) {
        snprintf(texts[i], sizeof(texts[i]), "many.n%0*d", PERMISSION_NAME_MAX - 6, i);
        names[i] = texts[i];
    }
    const struct validator_server_options options = {
        .methods = methods, .method_count = ARRAY_LENGTH(methods), .use_capacity = 64};
    validator_image_init(&server.made, names, NAMES, NAMES);
    struct uuid company = validator_image_add_company(&server.made, 1);
    asker =
        validator_image_put(&server.made, validator_image_make_row(1, company, grants, ARRAY_LENGTH(grants)));
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

static struct buffer write_questions(void) {
    struct buffer questions = {0};
    uint8_t question[VALIDATOR_SERVER_QUESTION_MAX];
    size_t len = validator_server_write_question(question, asker.text) - FRAMING_PREFIX_BYTES;
    assert_true(len < 128);
    for (int i = 0; i < QUESTIONS; i++) {
        uint8_t head[FRAMING_PREFIX_BYTES + 2] = {[5] = 2 << 3 | 2, [6] = (uint8_t)len}; // request
        framing_write_prefix(head, (uint32_t)len + 2);
        buffer_append(&questions, bytes_of(head, sizeof(head)));
        buffer_append(&questions, bytes_of(question + FRAMING_PREFIX_BYTES, len));
    }
    return questions;
}

// ---- what is queued whenever something leaves ----

static const struct stream_operations *usual;
static size_t most_bytes;

static enum status write_and_look(struct stream *stream, struct bytes bytes) {
    const struct grpc_connection *connection = server.grpc->home[0].connections;
    most_bytes = connection->turn_bytes > most_bytes ? connection->turn_bytes : most_bytes;
    return usual->write(stream, bytes);
}

static size_t count_answers(struct bytes body) {
    size_t count = 0;
    for (; body.len > 0; count++) {
        size_t len = FRAMING_PREFIX_BYTES + ((size_t)body.data[2] << 16 | body.data[3] << 8 | body.data[4]);
        assert_true(len > (size_t)NAMES * PERMISSION_NAME_MAX / 2 && len <= body.len);
        body = bytes_of(body.data + len, body.len - len);
    }
    return count;
}

// All that the client has to say, in one read.
static void receive_at_once(struct memory_client *client) {
    struct buffer sent = {0};
    const uint8_t *data;
    for (ssize_t len; (len = nghttp2_session_mem_send(client->session, &data)) > 0;)
        buffer_append(&sent, bytes_of(data, (size_t)len));
    memory_stream_receive(&client->stream, buffer_get_bytes(&sent));
    buffer_fini(&sent);
}

static void long_answers_are_made_a_turns_worth_at_a_time(void **state) {
    (void)state;
    struct memory_client client;
    struct buffer questions = write_questions();
    nghttp2_nv fields[] = {HEADER_FIELD("content-type", "application/grpc"),
                           HEADER_FIELD("x-access-token", "")};
    fields[1].value = (uint8_t *)asker.text;
    fields[1].valuelen = strlen(asker.text);
    memory_client_init(&client, loop_group_get_loop(server.loops, 0), NULL);
    usual = client.stream.base.operations;
    struct stream_operations operations = *usual;
    operations.write = write_and_look;
    client.stream.base.operations = &operations;
    connection_open(&server.grpc->home[0], &client.stream.base);
    memory_client_talk(&client); // SETTINGS
    memory_client_submit(&client, methods[0].path, fields, ARRAY_LENGTH(fields),
                         buffer_get_bytes(&questions));
    receive_at_once(&client);
    memory_client_talk(&client);
    assert_true(client.answer.is_complete);
    size_t answers = count_answers(buffer_get_bytes(&client.answer.body));
    assert_int_equal(answers, QUESTIONS);
    assert_true(client.answer.body.len > 3 * TURN_BYTES);
    assert_in_range(most_bytes, TURN_BYTES, 2 * TURN_BYTES); // with what their memory has left
    client.stream.base.callbacks->on_end(client.stream.base.context, STREAM_END_PEER_CLOSED);
    memory_client_fini(&client);
    buffer_fini(&questions);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(long_answers_are_made_a_turns_worth_at_a_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
