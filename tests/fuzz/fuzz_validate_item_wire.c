// Any bytes as a ValidateBatchRequest, and as a ValidateStreamRequest: what their readers take and read is
// what scan and protobuf-c take and read.
//
// In one thing protobuf-c is wrong: of a question in two pieces the second does not set a channel back to
// zero. Such messages are compared by whether they are taken.
#include <assert.h>

#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_item_wire.h"
#include "services/validator/decide/validate_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static void compare(const Latchkey__V1__ValidateRequest *message, const struct validate_question *question) {
    assert(bytes_is_text(question->token, message->token));
    assert(bytes_is_text(question->client_ip, message->client_ip));
    assert(bytes_is_text(question->domain, message->domain));
    assert(bytes_is_text(question->min_revision, message->min_revision));
    assert(question->permission_count == message->n_permissions);
    assert(question->any_permission_count == message->n_any_permissions);
}

static enum status unpack(const ProtobufCMessageDescriptor *type, struct bytes message, struct arena *arena,
                          ProtobufCMessage **ret_message) {
    const char *text;
    return message_unpack(type, message, arena, ret_message, &text);
}

static enum status read_batch(struct bytes message, struct arena *arena,
                              const Latchkey__V1__ValidateBatchRequest *expected) {
    size_t count, read = 0;
    struct bytes item;
    struct validate_question question;
    enum status status = validate_batch_wire_count(message, &count);
    for (struct bytes rest = message; status == STATUS_OK && validate_batch_wire_next(&rest, &item); read++) {
        status = validate_wire_read(item, arena, &question);
        if (status == STATUS_OK && expected) {
            assert(read < expected->n_requests &&
                   question.channel == (int32_t)expected->requests[read]->channel);
            compare(expected->requests[read], &question);
        }
    }
    if (status == STATUS_OK)
        assert(read == count && (!expected || count == expected->n_requests));
    return status;
}

static enum status read_stream(struct bytes message, struct arena *arena,
                               const Latchkey__V1__ValidateStreamRequest *expected) {
    uint64_t id;
    struct bytes item;
    struct validate_question question;
    enum status status = validate_stream_wire_read(message, arena, &id, &item);
    if (status == STATUS_OK)
        status = validate_wire_read(item, arena, &question);
    if (status == STATUS_OK && expected) {
        assert(id == expected->id);
        if (expected->request)
            compare(expected->request, &question);
        else
            assert(item.len == 0);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes bytes = bytes_of(data, size);
    struct arena arena;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status general = unpack(&latchkey__v1__validate_batch_request__descriptor, bytes, &arena, &message);
    enum status own = read_batch(bytes, &arena, general == STATUS_OK ? (const void *)message : NULL);
    assert(own == general || general == STATUS_TOO_LARGE); // more than a request may be
    general = unpack(&latchkey__v1__validate_stream_request__descriptor, bytes, &arena, &message);
    own = read_stream(bytes, &arena, general == STATUS_OK ? (const void *)message : NULL);
    assert(own == general || general == STATUS_TOO_LARGE);
    arena_fini(&arena);
    return 0;
}
