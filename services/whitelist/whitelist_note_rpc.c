#include <inttypes.h>

#include "common/app/audit.h"
#include "common/base/typeid.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_note.h"

// What is done to entries: of the live list, of a draft.
struct entry_verb {
    const char *one, *one_of_draft, *many, *many_of_draft;
};
static const struct entry_verb added = {"whitelist_entry.created", "whitelist_draft.entry_created",
                                        "whitelist.entries_created", "whitelist_draft.entries_created"};
static const struct entry_verb removed = {"whitelist_entry.removed", "whitelist_draft.entry_removed",
                                          "whitelist.entries_removed", "whitelist_draft.entries_removed"};
static const struct entry_verb changed = {"whitelist_entry.updated", "whitelist_draft.entry_updated", NULL,
                                          NULL};

// ---- settings and drafts ----

enum status whitelist_note(struct app_call *call, const char *action, const struct whitelist *before,
                           const struct whitelist *after) {
    Latchkey__V1__Whitelist *was = whitelist_message_new(before, call->arena);
    Latchkey__V1__Whitelist *is = whitelist_message_new(after, call->arena);
    if (!was || !is)
        return STATUS_NO_MEMORY;
    return audit_note(call, action, typeid_of(TYPEID_COMPANY, call->company_id).text, &was->base, &is->base);
}

// As JSON; NULL when out of memory. Also where the settings stay as they were: the entries are others.
static const char *describe_list(struct app_call *call, const struct whitelist *whitelist) {
    return arena_format(call->arena, "{\"enabled\":%s,\"entry_count\":%" PRId64 "}",
                        whitelist->is_enabled ? "true" : "false", whitelist->entry_count);
}

enum status whitelist_note_published(struct app_call *call, struct uuid draft_id,
                                     const struct whitelist *before, const struct whitelist *after) {
    const char *was = describe_list(call, before), *is = describe_list(call, after);
    if (!was || !is)
        return STATUS_NO_MEMORY;
    return audit_note_text(call, "whitelist.published", typeid_of(TYPEID_DRAFT, draft_id).text, was, is);
}

enum status whitelist_note_begun(struct app_call *call, const struct whitelist_draft *draft) {
    Latchkey__V1__WhitelistDraft *is = whitelist_message_new_draft(draft, call->arena);
    return is ? audit_note(call, "whitelist_draft.created", is->draft_id, NULL, &is->base) : STATUS_NO_MEMORY;
}

enum status whitelist_note_discarded(struct app_call *call, struct uuid draft_id) {
    return audit_note_text(call, "whitelist_draft.discarded", typeid_of(TYPEID_DRAFT, draft_id).text, "", "");
}

// ---- entries ----

static enum status note_one(struct app_call *call, struct uuid draft_id, const struct entry_verb *verb,
                            const struct whitelist_entry *before, const struct whitelist_entry *after) {
    Latchkey__V1__WhitelistEntry *was = before ? whitelist_message_new_entry(before, call->arena) : NULL;
    Latchkey__V1__WhitelistEntry *is = after ? whitelist_message_new_entry(after, call->arena) : NULL;
    if ((before && !was) || (after && !is))
        return STATUS_NO_MEMORY;
    bool is_live = uuid_is_zero(draft_id);
    struct typeid object = is_live ? typeid_of(TYPEID_ENTRY, (after ? after : before)->entry_id)
                                   : typeid_of(TYPEID_DRAFT, draft_id);
    return audit_note(call, is_live ? verb->one : verb->one_of_draft, object.text, was ? &was->base : NULL,
                      is ? &is->base : NULL);
}

// As JSON; NULL when out of memory.
static const char *count_entries(struct app_call *call, const struct whitelist_entry *entries, size_t count) {
    return arena_format(call->arena, "{\"count\":%zu,\"first_entry_id\":\"%s\",\"last_entry_id\":\"%s\"}",
                        count, typeid_of(TYPEID_ENTRY, entries[0].entry_id).text,
                        typeid_of(TYPEID_ENTRY, entries[count - 1].entry_id).text);
}

static enum status note_many(struct app_call *call, struct uuid draft_id, const struct entry_verb *verb,
                             const char *before, const char *after) {
    if (!before || !after)
        return STATUS_NO_MEMORY;
    bool is_live = uuid_is_zero(draft_id);
    struct typeid object =
        is_live ? typeid_of(TYPEID_COMPANY, call->company_id) : typeid_of(TYPEID_DRAFT, draft_id);
    return audit_note_text(call, is_live ? verb->many : verb->many_of_draft, object.text, before, after);
}

enum status whitelist_note_added(struct app_call *call, struct uuid draft_id,
                                 const struct whitelist_entry *entries, size_t count) {
    if (count > WHITELIST_NOTES_MAX)
        return note_many(call, draft_id, &added, "", count_entries(call, entries, count));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = note_one(call, draft_id, &added, NULL, &entries[i]);
    return status;
}

enum status whitelist_note_removed(struct app_call *call, struct uuid draft_id,
                                   const struct whitelist_entry *entries, size_t count) {
    if (count > WHITELIST_NOTES_MAX)
        return note_many(call, draft_id, &removed, count_entries(call, entries, count), "");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = note_one(call, draft_id, &removed, &entries[i], NULL);
    return status;
}

enum status whitelist_note_changed(struct app_call *call, struct uuid draft_id,
                                   const struct whitelist_entry *before,
                                   const struct whitelist_entry *after) {
    return note_one(call, draft_id, &changed, before, after);
}
