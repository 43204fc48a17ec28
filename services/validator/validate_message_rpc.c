#include "services/validator/validate_message_rpc.h"

#include <assert.h>

#include "common/grpc/timestamp.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(REASON_OK, LATCHKEY__V1__REASON__REASON_OK);
SAME(REASON_MALFORMED, LATCHKEY__V1__REASON__REASON_MALFORMED);
SAME(REASON_UNKNOWN, LATCHKEY__V1__REASON__REASON_UNKNOWN);
SAME(REASON_COMPANY_SUSPENDED, LATCHKEY__V1__REASON__REASON_COMPANY_SUSPENDED);
SAME(REASON_MEMBER_REMOVED, LATCHKEY__V1__REASON__REASON_MEMBER_REMOVED);
SAME(REASON_DEACTIVATED, LATCHKEY__V1__REASON__REASON_DEACTIVATED);
SAME(REASON_SUSPENDED, LATCHKEY__V1__REASON__REASON_SUSPENDED);
SAME(REASON_NOT_YET_VALID, LATCHKEY__V1__REASON__REASON_NOT_YET_VALID);
SAME(REASON_EXPIRED, LATCHKEY__V1__REASON__REASON_EXPIRED);
SAME(REASON_CHANNEL_NOT_ALLOWED, LATCHKEY__V1__REASON__REASON_CHANNEL_NOT_ALLOWED);
SAME(REASON_COMPANY_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_COMPANY_IP_NOT_LISTED);
SAME(REASON_MEMBER_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_MEMBER_IP_NOT_LISTED);
SAME(REASON_TOKEN_IP_NOT_LISTED, LATCHKEY__V1__REASON__REASON_TOKEN_IP_NOT_LISTED);
SAME(REASON_DOMAIN_NOT_LISTED, LATCHKEY__V1__REASON__REASON_DOMAIN_NOT_LISTED);
SAME(REASON_PERMISSION_MISSING, LATCHKEY__V1__REASON__REASON_PERMISSION_MISSING);
SAME(REASON_NOT_CURRENT, LATCHKEY__V1__REASON__REASON_NOT_CURRENT);
SAME(CHANNEL_API, LATCHKEY__V1__CHANNEL__CHANNEL_API);
SAME(CHANNEL_UI, LATCHKEY__V1__CHANNEL__CHANNEL_UI);
SAME(TOKEN_KIND_ACCESS, LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_ACCESS);
SAME(TOKEN_KIND_LOGIN, LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_LOGIN);

static bool read_list(char *const *texts, size_t count, struct arena *arena, const struct bytes **ret_list) {
    struct bytes *list = ARENA_NEW_ARRAY(arena, struct bytes, count);
    for (size_t i = 0; list && i < count; i++)
        list[i] = bytes_of_text(texts[i]);
    *ret_list = list;
    return list != NULL;
}

bool validate_message_read(const Latchkey__V1__ValidateRequest *message, struct arena *arena,
                           struct validate_question *ret_question) {
    *ret_question = (struct validate_question){.token = bytes_of_text(message->token),
                                               .client_ip = bytes_of_text(message->client_ip),
                                               .domain = bytes_of_text(message->domain),
                                               .min_revision = bytes_of_text(message->min_revision),
                                               .channel = (int32_t)message->channel,
                                               .permission_count = message->n_permissions,
                                               .any_permission_count = message->n_any_permissions};
    return read_list(message->permissions, message->n_permissions, arena, &ret_question->permissions) &&
           read_list(message->any_permissions, message->n_any_permissions, arena,
                     &ret_question->any_permissions);
}

// A message with its text copies ended by NUL, as protobuf-c wants them.
struct writing {
    struct arena *arena;
    bool has_failed;
};

static char *write_text(struct writing *writing, struct bytes text) {
    if (text.len == 0)
        return (char *)protobuf_c_empty_string;
    char *copy = arena_copy_bytes(writing->arena, text);
    writing->has_failed |= !copy;
    return copy;
}

static char **write_missing(struct writing *writing, const struct validate_answer *answer) {
    char **list = ARENA_NEW_ARRAY(writing->arena, char *, answer->missing_count);
    writing->has_failed |= !list;
    for (size_t i = 0; list && i < answer->missing_count; i++)
        list[i] = write_text(writing, answer->missing[i]);
    return list;
}

static Google__Protobuf__Timestamp *write_time(struct writing *writing, int64_t ms) {
    Google__Protobuf__Timestamp *memory = ARENA_NEW(writing->arena, Google__Protobuf__Timestamp);
    writing->has_failed |= !memory;
    return memory ? timestamp_fill(memory, ms) : NULL;
}

const Latchkey__V1__ValidateResponse *validate_message_new(const struct validate_answer *answer,
                                                           struct arena *arena) {
    struct writing writing = {.arena = arena};
    Latchkey__V1__ValidateResponse *message = ARENA_NEW(arena, Latchkey__V1__ValidateResponse);
    if (!message)
        return NULL;
    latchkey__v1__validate_response__init(message);
    message->decision = answer->reason == REASON_OK ? LATCHKEY__V1__DECISION__DECISION_ALLOW
                                                    : LATCHKEY__V1__DECISION__DECISION_DENY;
    message->reason = (Latchkey__V1__Reason)answer->reason;
    message->kind = (Latchkey__V1__TokenKind)answer->kind;
    message->revision = write_text(&writing, answer->revision);
    message->company_id = write_text(&writing, answer->company_id);
    message->token_id = write_text(&writing, answer->token_id);
    message->member_id = write_text(&writing, answer->member_id);
    message->company_external_id = write_text(&writing, answer->company_external_id);
    message->token_external_id = write_text(&writing, answer->token_external_id);
    message->expires_at = write_time(&writing, answer->expires_at_ms);
    message->permissions = (char **)answer->permissions;
    message->n_permissions = answer->permission_count;
    message->missing_permissions = write_missing(&writing, answer);
    message->n_missing_permissions = answer->missing_count;
    return writing.has_failed ? NULL : message;
}
