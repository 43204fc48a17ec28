#include "common/app/audit.h"

static enum status add(struct app_call *call, const struct audit_note *from) {
    struct audit_note *note = ARENA_NEW(call->arena, struct audit_note);
    if (!note)
        return STATUS_NO_MEMORY;
    *note = *from;
    note->object_id = arena_copy_text(call->arena, from->object_id);
    note->before = arena_copy_text(call->arena, from->before);
    note->after = arena_copy_text(call->arena, from->after);
    if (!note->object_id || !note->before || !note->after)
        return STATUS_NO_MEMORY;
    note->next = call->notes;
    call->notes = note;
    return STATUS_OK;
}

enum status audit_note(struct app_call *call, const char *action, const char *object_id,
                       const ProtobufCMessage *before, const ProtobufCMessage *after) {
    (void)before;
    (void)after;
    return audit_note_text(call, action, object_id, "", "");
}

enum status audit_note_text(struct app_call *call, const char *action, const char *object_id,
                            const char *before, const char *after) {
    return add(call, &(struct audit_note){
                         .action = action, .object_id = object_id, .before = before, .after = after});
}

enum status audit_note_refusal(struct app_call *call, const char *action, const char *object_id,
                               const char *reason) {
    return add(
        call,
        &(struct audit_note){
            .action = action, .object_id = object_id, .before = "", .after = reason, .is_refusal = true});
}

enum status audit_flush(struct app_call *call) {
    (void)call;
    return STATUS_OK;
}
