// What a change says about itself in the company's audit log. A handler notes it; the frame around it writes
// all notes of a call in the transaction of the change, together with the commit, so that a change without
// its event, or an event without its change, can't be.
//
// An action is `object.verb` in the past tense: token.created, whitelist.published, login.refused. Where a
// transaction changes nothing (ending what has ended) nothing is noted.
#ifndef LATCHKEY_COMMON_APP_AUDIT_H
#define LATCHKEY_COMMON_APP_AUDIT_H

#include <protobuf-c/protobuf-c.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// In the arena of its call.
struct audit_note {
    struct audit_note *next; // the one before it
    const char *action;
    const char *object_id;
    const char *before, *after; // JSON objects without secrets; "" = was not there, is gone
    bool is_refusal;            // counted together with others alike, by the minute
};

// `before` and `after` are the object's message as it was and is (NULL = was not there, is gone); what
// differs between them is noted. Copies what it needs. NO_MEMORY.
MUST_CHECK enum status audit_note(struct app_call *call, const char *action, const char *object_id,
                                  const ProtobufCMessage *before, const ProtobufCMessage *after);

// The same where there is no message for it; JSON objects, "" = none.
MUST_CHECK enum status audit_note_text(struct app_call *call, const char *action, const char *object_id,
                                       const char *before, const char *after);

// Something that was asked and refused, for a named reason (a handler that notes it sets
// call->keeps_refusal).
MUST_CHECK enum status audit_note_refusal(struct app_call *call, const char *action, const char *object_id,
                                          const char *reason);

// For the frame: writes what was noted, as the last statement before the commit.
MUST_CHECK enum status audit_flush(struct app_call *call);

#endif
