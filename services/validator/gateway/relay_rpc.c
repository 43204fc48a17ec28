#include "services/validator/gateway/relay_rpc.h"

#include <string.h>

#include "common/access/decision.h"
#include "common/grpc/framing.h"
#include "common/grpc/status_code.h"
#include "common/grpc_client/client_status.h"
#include "common/protobuf/message.h"
#include "services/validator/gateway/http_verdict.h"

#define METHOD "/latchkey.v1.ValidationService/Validate"

// ---- the question ----

static char *copy_text(struct arena *arena, struct bytes text) {
    bool is_text = text.len > 0 && !memchr(text.data, '\0', text.len) && bytes_is_utf8(text);
    return arena_copy_bytes(arena, is_text ? text : BYTES_EMPTY);
}

static char **copy_list(struct arena *arena, const struct bytes *names, size_t count) {
    char **copy = ARENA_NEW_ARRAY(arena, char *, count + 1);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = copy_text(arena, names[i])))
            return NULL;
    return copy;
}

static bool copy_question(struct arena *arena, const struct validate_question *question,
                          Latchkey__V1__ValidateRequest *to) {
    latchkey__v1__validate_request__init(to);
    to->token = copy_text(arena, question->token);
    to->client_ip = copy_text(arena, question->client_ip);
    to->domain = copy_text(arena, question->domain);
    to->min_revision = copy_text(arena, question->min_revision);
    to->channel = (Latchkey__V1__Channel)question->channel;
    to->permissions = copy_list(arena, question->permissions, question->permission_count);
    to->n_permissions = question->permission_count;
    to->any_permissions = copy_list(arena, question->any_permissions, question->any_permission_count);
    to->n_any_permissions = question->any_permission_count;
    return to->token && to->client_ip && to->domain && to->min_revision && to->permissions &&
           to->any_permissions;
}

static struct bytes frame(struct arena *arena, const Latchkey__V1__ValidateRequest *message) {
    struct bytes framed = message_pack(&message->base, FRAMING_PREFIX_BYTES, arena);
    if (framed.data)
        framing_write_prefix((uint8_t *)framed.data, (uint32_t)(framed.len - FRAMING_PREFIX_BYTES));
    return framed;
}

static bool add_asker(struct arena *arena, struct bytes asker, struct metadata *fields) {
    if (asker.len == 0)
        return true;
    const char *value = arena_format(arena, "Bearer %.*s", BYTES_FORMAT(asker));
    return value &&
           metadata_add(fields, arena, BYTES_LITERAL("authorization"), bytes_of_text(value)) == STATUS_OK;
}

bool relay_ask(const struct http_request *request, const struct validate_question *question,
               struct bytes asker, struct local_request *call, struct http_answer *answer) {
    struct arena *arena = request->arena;
    Latchkey__V1__ValidateRequest message;
    call->path = BYTES_LITERAL(METHOD);
    if (copy_question(arena, question, &message) && (call->body = frame(arena, &message)).data &&
        metadata_add(&call->fields, arena, BYTES_LITERAL("content-type"),
                     BYTES_LITERAL("application/grpc")) == STATUS_OK &&
        add_asker(arena, asker, &call->fields))
        return true;
    http_answer_refuse(request, answer, 503, "unavailable", "out of memory");
    return false;
}

bool relay_list_add(struct relay_list *list, struct bytes name, struct arena *arena) {
    if (!list->names)
        list->names = ARENA_NEW_ARRAY(arena, struct bytes, VALIDATE_PERMISSIONS_MAX + 1);
    if (!list->names)
        return false;
    if (list->count <= VALIDATE_PERMISSIONS_MAX) // one more than may be: Validate refuses it
        list->names[list->count++] = name;
    return true;
}

// ---- the answer ----

// Where there was nothing but a status it came with the first header fields.
static struct bytes find_trailer(const struct local_response *response, const char *name) {
    const struct metadata_field *field = metadata_find(response->trailers.first, bytes_of_text(name));
    if (!field)
        field = metadata_find(response->fields.first, bytes_of_text(name));
    return field ? field->value : BYTES_EMPTY;
}

static const Latchkey__V1__ValidateResponse *unpack(struct arena *arena, struct bytes framed,
                                                    struct fault *fault) {
    ProtobufCMessage *message;
    const char *text;
    if (framed.len >= FRAMING_PREFIX_BYTES) {
        struct bytes body = bytes_of(framed.data + FRAMING_PREFIX_BYTES, framed.len - FRAMING_PREFIX_BYTES);
        if (message_unpack(&latchkey__v1__validate_response__descriptor, body, arena, &message, &text) ==
            STATUS_OK)
            return (const Latchkey__V1__ValidateResponse *)message;
    }
    fault_set_no_memory(fault);
    return NULL;
}

const Latchkey__V1__ValidateResponse *relay_read(const struct http_request *request,
                                                 const struct local_response *response, struct fault *fault) {
    uint64_t code;
    fault_init(fault, request->arena);
    if (!bytes_parse_unsigned(find_trailer(response, "grpc-status"), GRPC_CODE_COUNT - 1, &code))
        code = GRPC_CODE_INTERNAL;
    if (code == GRPC_CODE_OK)
        return unpack(request->arena, response->body, fault);
    client_status_decode((unsigned)code, find_trailer(response, "grpc-message"),
                         find_trailer(response, "grpc-status-details-bin"), fault);
    return NULL;
}

void relay_add_retry_after(const struct http_request *request, const struct fault *fault,
                           struct http_answer *answer) {
    const char *text = arena_format(request->arena, "%u", http_verdict_get_retry_after_s(fault));
    if (text)
        http_answer_add(request, answer, "retry-after", bytes_of_text(text));
}
