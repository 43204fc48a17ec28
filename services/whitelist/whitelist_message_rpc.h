// Whitelists, entries, warnings, drafts and refusals as the contract's messages. All borrow from what they
// are made of, and live in the arena; NULL when out of memory.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_MESSAGE_RPC_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_MESSAGE_RPC_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "latchkey/v1/whitelist.pb-c.h"
#include "services/whitelist/whitelist.h"
#include "services/whitelist/whitelist_overlap.h"
#include "services/whitelist/whitelist_preview_store.h"

MUST_CHECK Latchkey__V1__Whitelist *whitelist_message_new(const struct whitelist *whitelist,
                                                          struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistEntry *whitelist_message_new_entry(const struct whitelist_entry *entry,
                                                                     struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistEntry **whitelist_message_new_entries(const struct whitelist_entry *entries,
                                                                        size_t count, struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistWarning **whitelist_message_new_warnings(
    const struct whitelist_warning *warnings, size_t count, struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistDraft *whitelist_message_new_draft(const struct whitelist_draft *draft,
                                                                     struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistDraft **whitelist_message_new_drafts(const struct whitelist_draft *drafts,
                                                                       size_t count, struct arena *arena);

MUST_CHECK Latchkey__V1__WhitelistRefusal **whitelist_message_new_refusals(
    const struct whitelist_refusals *refusals, struct arena *arena);

#endif
