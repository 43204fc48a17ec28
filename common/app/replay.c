#include "common/app/replay.h"

#include "common/app/revision.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/protobuf/field.h"
#include "common/protobuf/message.h"

enum { CLAIM, FIND, KEEP, RELEASE };

static const struct db_statement statements[] = {
    [CLAIM] = {"replay_claim",
               "INSERT INTO latchkey.request (company_id, caller, method, request_id, request_hash)"
               " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"},
    [FIND] = {"replay_find", "SELECT request_hash, response FROM latchkey.request"
                             " WHERE company_id = $1 AND caller = $2 AND method = $3 AND request_id = $4"},
    [KEEP] = {"replay_keep", "UPDATE latchkey.request SET response = $5"
                             " WHERE company_id = $1 AND caller = $2 AND method = $3 AND request_id = $4"},
    [RELEASE] = {"replay_release",
                 "DELETE FROM latchkey.request"
                 " WHERE company_id = $1 AND caller = $2 AND method = $3 AND request_id = $4"},
};

struct replay replay_parse(const ProtobufCMessage *request, struct fault *fault) {
    struct bytes text = bytes_of_text(field_get_text(request, "request_id"));
    struct replay replay = {.is_wanted = text.len > 0};
    if (!replay.is_wanted || uuid_parse(text, &replay.request_id))
        return replay;
    fault_add_field(fault, "request_id", "type a UUID, such as 0192f5c8-7e4a-7b3c-9d2e-1f0a5b6c7d8e");
    return (struct replay){.is_wanted = false};
}

// A request is kept under the company that its caller acted for, whatever company the handler enters.
static void add_key(struct db_params *params, const struct app_call *call, const struct app_method *method,
                    const struct replay *replay) {
    db_params_init(params, call->arena);
    db_params_add_uuid(params, call->caller->company_id);
    db_params_add_uuid(params, call->caller->token_id);
    db_params_add_text(params, bytes_of_text(method->path));
    db_params_add_uuid(params, replay->request_id);
}

// A statement about the request after the handler has run.
static enum status change_kept(struct app_call *call, int statement, const struct db_params *params) {
    bool is_elsewhere = !uuid_is_equal(call->company_id, call->caller->company_id);
    if (is_elsewhere)
        db_set_company(call->transaction, call->caller->company_id);
    enum status status = db_query(call->transaction, &statements[statement], params, NULL);
    if (is_elsewhere)
        db_set_company(call->transaction, call->company_id);
    return status;
}

// The content without the fields that a repetition may change.
static enum status hash_content(const ProtobufCMessage *request, struct arena *arena,
                                struct digest *ret_digest) {
    struct bytes packed = message_pack(request, 0, arena);
    ProtobufCMessage *content;
    const char *text;
    enum status status =
        packed.data ? message_unpack(request->descriptor, packed, arena, &content, &text) : STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    ProtobufCMessage *no_wait; // an empty one, whatever stood there
    if ((status = field_set_text(arena, content, "request_id", "")) != STATUS_OK ||
        (status = field_set_message(arena, content, "wait_for_validators", &no_wait)) != STATUS_OK)
        return status;
    packed = message_pack(content, 0, arena);
    if (!packed.data)
        return STATUS_NO_MEMORY;
    digest_sha256(packed, ret_digest);
    return STATUS_OK;
}

// What a kept answer says as its revision: the lane alone, as the rest was not known yet. The head of that
// lane is the revision of the replay.
static enum status keep_lane(const struct app_call *call, ProtobufCMessage *kept) {
    char text[REVISION_TEXT_LENGTH + 1];
    revision_format((struct revision){.lane = call->lane}, text);
    return field_set_text(call->arena, kept, "revision", text);
}

static void read_lane(struct app_call *call, const ProtobufCMessage *kept) {
    struct revision revision;
    if (revision_parse(bytes_of_text(field_get_text(kept, "revision")), &revision))
        call->lane = revision.lane;
}

static enum status read_answer(struct app_call *call, const struct app_method *method,
                               const struct db_result *row, const struct digest *digest,
                               ProtobufCMessage **ret_response) {
    if (!bytes_is_equal(db_result_get_bytes(row, 0, 0), bytes_of(digest->bytes, DIGEST_LENGTH)))
        return fault_set(call->fault, STATUS_ALREADY_EXISTS, "REQUEST_ID_REUSED",
                         "this request_id was used for another request; take a new one for each change");
    const char *text;
    enum status status =
        message_unpack(method->response, db_result_get_bytes(row, 0, 1), call->arena, ret_response, &text);
    if (status == STATUS_OK)
        read_lane(call, *ret_response);
    return status;
}

enum status replay_begin(struct app_call *call, const struct app_method *method, const struct replay *replay,
                         const ProtobufCMessage *request, ProtobufCMessage **ret_response) {
    struct digest digest;
    struct db_params params;
    const struct db_result *rows;
    enum status status = hash_content(request, call->arena, &digest);
    if (status != STATUS_OK)
        return status;

    add_key(&params, call, method, replay);
    db_params_add_bytes(&params, bytes_of(digest.bytes, DIGEST_LENGTH));
    if ((status = db_query(call->transaction, &statements[CLAIM], &params, &rows)) != STATUS_OK)
        return db_fault(call->fault, status);
    *ret_response = NULL;
    if (db_result_get_affected_count(rows) == 1)
        return STATUS_OK;

    add_key(&params, call, method, replay);
    if ((status = db_query(call->transaction, &statements[FIND], &params, &rows)) != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_row_count(rows) == 0) // pruned between the two statements
        return STATUS_ABORTED;
    return read_answer(call, method, rows, &digest, ret_response);
}

enum status replay_keep(struct app_call *call, const struct app_method *method, const struct replay *replay,
                        const ProtobufCMessage *response) {
    const char *secret = field_get_text(response, "secret");
    struct bytes packed = message_pack(response, 0, call->arena);
    ProtobufCMessage *kept;
    const char *text;
    enum status status =
        packed.data ? message_unpack(method->response, packed, call->arena, &kept, &text) : STATUS_NO_MEMORY;
    if (status == STATUS_OK && *secret) {
        status = field_set_text(call->arena, kept, "secret", "");
        if (status == STATUS_OK)
            status = field_set_integer(kept, "secret_withheld", 1);
    }
    if (status == STATUS_OK)
        status = keep_lane(call, kept);
    if (status != STATUS_OK)
        return status;

    struct db_params params;
    packed = message_pack(kept, 0, call->arena);
    if (!packed.data)
        return STATUS_NO_MEMORY;
    add_key(&params, call, method, replay);
    db_params_add_bytes(&params, packed);
    return db_fault(call->fault, change_kept(call, KEEP, &params));
}

enum status replay_release(struct app_call *call, const struct app_method *method,
                           const struct replay *replay) {
    struct db_params params;
    add_key(&params, call, method, replay);
    return change_kept(call, RELEASE, &params);
}
