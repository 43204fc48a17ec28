// What ValidateBatch and ValidateStream put around their questions; tests/fuzz compares it with protobuf-c.
#include <string.h>

#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_item_wire.h"
#include "services/validator/decide/validate_wire.h"
#include "tests/unit/unit.h"

enum { MESSAGE_MAX = 64 * 1024, STREAM_REQUEST_TAG = 2 << 3 | 2, TOKEN_TAG = 1 << 3 | 2 };

static uint8_t *put_piece(uint8_t *to, uint8_t len) {
    *to++ = STREAM_REQUEST_TAG;
    *to++ = len;
    if (len == 0)
        return to;
    *to++ = TOKEN_TAG;
    *to++ = len - 2;
    memset(to, 't', len - 2);
    return to + len - 2;
}

// As large as a question may be, in pieces of `len` bytes.
static struct bytes make_message(uint8_t *room, uint8_t len) {
    uint8_t *end = put_piece(room, 120);
    while (end + 2 + len <= room + MESSAGE_MAX)
        end = put_piece(end, len);
    return bytes_of(room, (size_t)(end - room));
}

static void a_question_in_many_pieces_takes_no_more_than_its_size_calls_for(void **state) {
    (void)state;
    static uint8_t room[MESSAGE_MAX];
    for (uint8_t len = 0; len < 8; len += 2) {
        struct bytes message = make_message(room, len), question;
        struct validate_question read;
        struct arena arena;
        uint64_t id;
        arena_init(&arena, 2 * MESSAGE_MAX);
        assert_int_equal(validate_stream_wire_read(message, &arena, &id, &question), STATUS_OK);
        assert_int_equal(validate_wire_read(question, &arena, &read), STATUS_OK);
        assert_int_equal(read.token.len, len >= 2 ? len - 2 : 118); // the last one counts
        arena_fini(&arena);
    }
}

static void pieces_that_are_no_messages_by_themselves_are_refused(void **state) {
    (void)state;
    const uint8_t message[] = {STREAM_REQUEST_TAG, 2, TOKEN_TAG, 2, STREAM_REQUEST_TAG, 2, 't', 't'};
    struct bytes question;
    struct arena arena;
    uint64_t id;
    arena_init(&arena, 0);
    assert_int_equal(validate_stream_wire_read(bytes_of(message, sizeof(message)), &arena, &id, &question),
                     STATUS_MALFORMED);
    arena_fini(&arena);
}

static void check_answer(size_t len, const uint8_t *id) {
    const struct validate_answer answer = {.reason = REASON_OK, .company_external_id = bytes_of(id, len)};
    struct buffer buffer = {0};
    struct arena arena;
    ProtobufCMessage *message;
    const char *why;
    arena_init(&arena, 0);
    validate_batch_wire_append(&buffer, &answer);
    validate_batch_wire_append(&buffer, &answer);
    assert_int_equal(message_unpack(&latchkey__v1__validate_batch_response__descriptor,
                                    buffer_get_bytes(&buffer), &arena, &message, &why),
                     STATUS_OK);
    assert_int_equal(((Latchkey__V1__ValidateBatchResponse *)message)->n_responses, 2);
    assert_true(bytes_is_equal(message_pack(message, 0, &arena), buffer_get_bytes(&buffer)));
    arena_fini(&arena);
    buffer_fini(&buffer);
}

static void answers_of_any_length_are_written_as_protobuf_c_writes_them(void **state) {
    (void)state;
    static uint8_t id[17000];
    memset(id, 'i', sizeof(id));
    for (size_t len = 0; len < 300; len++)
        check_answer(len, id);
    for (size_t len = 16300; len < 16500; len++)
        check_answer(len, id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_any_length_are_written_as_protobuf_c_writes_them),
        cmocka_unit_test(a_question_in_many_pieces_takes_no_more_than_its_size_calls_for),
        cmocka_unit_test(pieces_that_are_no_messages_by_themselves_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
