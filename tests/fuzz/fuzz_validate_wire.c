// Any bytes as a ValidateRequest: what Validate's own reader takes and what it reads is what scan and
// protobuf-c take and read.
#include <assert.h>

#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static void compare_lists(char *const *list, size_t count, const struct bytes *names, size_t name_count) {
    assert(count == name_count);
    for (size_t i = 0; i < count && i < VALIDATE_PERMISSIONS_MAX; i++)
        assert(bytes_is_text(names[i], list[i]));
}

static void compare(const Latchkey__V1__ValidateRequest *message, const struct validate_question *question) {
    assert(bytes_is_text(question->token, message->token));
    assert(bytes_is_text(question->client_ip, message->client_ip));
    assert(bytes_is_text(question->domain, message->domain));
    assert(bytes_is_text(question->min_revision, message->min_revision));
    assert(question->channel == (int32_t)message->channel);
    compare_lists(message->permissions, message->n_permissions, question->permissions,
                  question->permission_count);
    compare_lists(message->any_permissions, message->n_any_permissions, question->any_permissions,
                  question->any_permission_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct validate_question question;
    ProtobufCMessage *message;
    const char *text;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status general = message_unpack(&latchkey__v1__validate_request__descriptor, bytes_of(data, size),
                                         &arena, &message, &text);
    enum status own = validate_wire_read(bytes_of(data, size), &arena, &question);
    if (general != STATUS_TOO_LARGE) // more than a request may be
        assert(own == general);
    if (general == STATUS_OK)
        compare((const Latchkey__V1__ValidateRequest *)message, &question);
    arena_fini(&arena);
    return 0;
}
