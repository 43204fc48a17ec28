// What changes of a whitelist say about themselves in the audit log (common/app/audit.h). Few entries are
// noted each by itself, many by their number and their first and last id.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_NOTE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_NOTE_H

#include <stddef.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/whitelist/whitelist.h"

// More than this many are noted together.
#define WHITELIST_NOTES_MAX 20

// "whitelist.updated" and the like, of the company.
MUST_CHECK enum status whitelist_note(struct app_call *call, const char *action,
                                      const struct whitelist *before, const struct whitelist *after);

// "whitelist.published", of the draft that went live.
MUST_CHECK enum status whitelist_note_published(struct app_call *call, struct uuid draft_id,
                                                const struct whitelist *before,
                                                const struct whitelist *after);

// "whitelist_draft.created" and "whitelist_draft.discarded".
MUST_CHECK enum status whitelist_note_begun(struct app_call *call, const struct whitelist_draft *draft);
MUST_CHECK enum status whitelist_note_discarded(struct app_call *call, struct uuid draft_id);

// Of the live list (`draft_id` zero) or of a draft. None: nothing is noted.
MUST_CHECK enum status whitelist_note_added(struct app_call *call, struct uuid draft_id,
                                            const struct whitelist_entry *entries, size_t count);
MUST_CHECK enum status whitelist_note_removed(struct app_call *call, struct uuid draft_id,
                                              const struct whitelist_entry *entries, size_t count);
MUST_CHECK enum status whitelist_note_changed(struct app_call *call, struct uuid draft_id,
                                              const struct whitelist_entry *before,
                                              const struct whitelist_entry *after);

#endif
