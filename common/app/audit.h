// What a change says about itself in the company's audit log. A handler notes it; the frame around it writes
// all notes of a call in the transaction of the change, together with the commit, so that a change without
// its event, or an event without its change, can't be.
//
// A note of a call without a company (nobody's secret was presented) is dropped: there is no log for it.
//
// An action is `object.verb` in the past tense: token.created, whitelist.published, login.refused. Where a
// transaction changes nothing (ending what has ended) nothing is noted.
#ifndef LATCHKEY_COMMON_APP_AUDIT_H
#define LATCHKEY_COMMON_APP_AUDIT_H

#include <protobuf-c/protobuf-c.h>

#include "common/app/audit_diff.h"
#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// In the arena of its call.
struct audit_note {
    struct audit_note *next; // the one before it
    struct uuid company_id;  // in whose chain it stands
    const char *action;
    const char *object_id;
    struct audit_json before, after;
    int64_t count;   // how many alike it stands for
    bool is_refusal; // counted together with others alike where a minute has many
};

// `before` and `after` are the object's message as it was and is (NULL = was not there, is gone); what
// differs between them is noted (audit_diff.h), and where nothing does, nothing is. Copies what it needs.
// NO_MEMORY.
MUST_CHECK enum status audit_note(struct app_call *call, const char *action, const char *object_id,
                                  const ProtobufCMessage *before, const ProtobufCMessage *after);

// The same where there is no message for it; JSON objects, "" = none. INTERNAL for anything else.
MUST_CHECK enum status audit_note_text(struct app_call *call, const char *action, const char *object_id,
                                       const char *before, const char *after);

// Something alike that happened `count` times.
MUST_CHECK enum status audit_note_many(struct app_call *call, const char *action, const char *object_id,
                                       const char *after, int64_t count);

// Something that was asked and refused (a handler that notes it sets call->keeps_refusal); `after` says why
// and what else. Of a company's refusals in one minute the first AUDIT_REFUSALS_MAX have events of their own;
// what comes after is counted and has one event for those alike (action, object, `after`) when the minute is
// over. Personal fields (audit_diff.h) don't make it another kind, and are not kept of those that are
// counted.
MUST_CHECK enum status audit_note_refusal_text(struct app_call *call, const char *action,
                                               const char *object_id, const char *after);

#define AUDIT_REFUSALS_MAX 10

#define AUDIT_COMPANIES_MAX 4

// For the frame: what was noted travels with the commit, a last statement before it for each company.
// NO_MEMORY; INTERNAL for notes of more than AUDIT_COMPANIES_MAX companies.
MUST_CHECK enum status audit_flush(struct app_call *call);

#endif
