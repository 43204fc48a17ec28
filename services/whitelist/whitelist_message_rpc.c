#include "services/whitelist/whitelist_message_rpc.h"

#include <assert.h>

#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"
#include "services/whitelist/whitelist_rules.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(WHITELIST_SCOPE_ALL, LATCHKEY__V1__WHITELIST_SCOPE__WHITELIST_SCOPE_ALL);
SAME(WHITELIST_SCOPE_LOGINS, LATCHKEY__V1__WHITELIST_SCOPE__WHITELIST_SCOPE_LOGINS);
SAME(WHITELIST_UNCONFIRMED_NOTHING, LATCHKEY__V1__WHITELIST_UNCONFIRMED__WHITELIST_UNCONFIRMED_UNSPECIFIED);
SAME(WHITELIST_UNCONFIRMED_LIST, LATCHKEY__V1__WHITELIST_UNCONFIRMED__WHITELIST_UNCONFIRMED_LIST);
SAME(WHITELIST_UNCONFIRMED_SWITCH, LATCHKEY__V1__WHITELIST_UNCONFIRMED__WHITELIST_UNCONFIRMED_SWITCH);
SAME(WHITELIST_UNCONFIRMED_SCOPE, LATCHKEY__V1__WHITELIST_UNCONFIRMED__WHITELIST_UNCONFIRMED_SCOPE);
SAME(WHITELIST_WARNING_DUPLICATE, LATCHKEY__V1__WHITELIST_WARNING_KIND__WHITELIST_WARNING_KIND_DUPLICATE);
SAME(WHITELIST_WARNING_INSIDE, LATCHKEY__V1__WHITELIST_WARNING_KIND__WHITELIST_WARNING_KIND_INSIDE);
SAME(WHITELIST_WARNING_TRANSLATED, LATCHKEY__V1__WHITELIST_WARNING_KIND__WHITELIST_WARNING_KIND_TRANSLATED);

// Messages with the parts of them that have a fixed size, so that one allocation makes each.

struct whitelist_block {
    Latchkey__V1__Whitelist message;
    struct typeid company_id;
    char etag[ETAG_MAX + 1];
    Google__Protobuf__Timestamp confirm_by;
};

struct entry_block {
    Latchkey__V1__WhitelistEntry message;
    struct typeid entry_id;
    char etag[ETAG_MAX + 1];
    char cidr[IP_PREFIX_TEXT_MAX + 1];
    Google__Protobuf__Timestamp expires_at, created_at, last_hit_at;
};

struct warning_block {
    Latchkey__V1__WhitelistWarning message;
    struct typeid other_entry_id;
    char other_cidr[IP_PREFIX_TEXT_MAX + 1];
};

struct draft_block {
    Latchkey__V1__WhitelistDraft message;
    struct typeid draft_id;
    Google__Protobuf__Timestamp created_at;
};

struct refusal_block {
    Latchkey__V1__WhitelistRefusal message;
    struct typeid token_id, member_id;
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
    Google__Protobuf__Timestamp at;
};

Latchkey__V1__Whitelist *whitelist_message_new(const struct whitelist *whitelist, struct arena *arena) {
    struct whitelist_block *block = ARENA_NEW(arena, struct whitelist_block);
    if (!block)
        return NULL;
    Latchkey__V1__Whitelist *message = &block->message;
    latchkey__v1__whitelist__init(message);
    block->company_id = typeid_of(TYPEID_COMPANY, whitelist->company_id);
    etag_format(whitelist->version, block->etag);
    message->company_id = block->company_id.text;
    message->enabled = whitelist->is_enabled;
    message->scope = (Latchkey__V1__WhitelistScope)whitelist->scope;
    message->entry_count = (uint64_t)whitelist->entry_count;
    message->confirm_by = timestamp_fill(&block->confirm_by, whitelist->confirm_by_ms);
    message->unconfirmed = (Latchkey__V1__WhitelistUnconfirmed)whitelist->unconfirmed;
    message->etag = block->etag;
    return message;
}

static void fill_entry(struct entry_block *block, const struct whitelist_entry *entry) {
    Latchkey__V1__WhitelistEntry *message = &block->message;
    latchkey__v1__whitelist_entry__init(message);
    block->entry_id = typeid_of(TYPEID_ENTRY, entry->entry_id);
    etag_format(entry->version, block->etag);
    ip_prefix_format(&entry->prefix, block->cidr);
    message->entry_id = block->entry_id.text;
    message->address = (char *)entry->address;
    message->optional_checking_bits_case =
        LATCHKEY__V1__WHITELIST_ENTRY__OPTIONAL_CHECKING_BITS_CHECKING_BITS;
    message->checking_bits = entry->prefix.bits;
    message->cidr = block->cidr;
    message->note = (char *)entry->note;
    message->owner = (char *)entry->owner;
    message->disabled = entry->is_disabled;
    message->expires_at = timestamp_fill(&block->expires_at, entry->expires_at_ms);
    message->created_at = timestamp_fill(&block->created_at, entry->created_at_ms);
    message->created_by = (char *)entry->created_by;
    message->last_hit_at = timestamp_fill(&block->last_hit_at, entry->last_hit_at_ms);
    message->etag = block->etag;
}

Latchkey__V1__WhitelistEntry *whitelist_message_new_entry(const struct whitelist_entry *entry,
                                                          struct arena *arena) {
    struct entry_block *block = ARENA_NEW(arena, struct entry_block);
    if (!block)
        return NULL;
    fill_entry(block, entry);
    return &block->message;
}

Latchkey__V1__WhitelistEntry **whitelist_message_new_entries(const struct whitelist_entry *entries,
                                                             size_t count, struct arena *arena) {
    struct entry_block *blocks = ARENA_NEW_ARRAY(arena, struct entry_block, count);
    Latchkey__V1__WhitelistEntry **messages = ARENA_NEW_ARRAY(arena, Latchkey__V1__WhitelistEntry *, count);
    if (!blocks || !messages)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_entry(&blocks[i], &entries[i]);
        messages[i] = &blocks[i].message;
    }
    return messages;
}

static void fill_warning(struct warning_block *block, const struct whitelist_warning *warning) {
    Latchkey__V1__WhitelistWarning *message = &block->message;
    latchkey__v1__whitelist_warning__init(message);
    message->index = warning->index;
    message->kind = (Latchkey__V1__WhitelistWarningKind)warning->kind;
    message->detail = (char *)warning->detail;
    if (!warning->other.is_known)
        return;
    ip_prefix_format(&warning->other.prefix, block->other_cidr);
    message->other_cidr = block->other_cidr;
    if (uuid_is_zero(warning->other.entry_id))
        return;
    block->other_entry_id = typeid_of(TYPEID_ENTRY, warning->other.entry_id);
    message->other_entry_id = block->other_entry_id.text;
}

Latchkey__V1__WhitelistWarning **whitelist_message_new_warnings(const struct whitelist_warning *warnings,
                                                                size_t count, struct arena *arena) {
    struct warning_block *blocks = ARENA_NEW_ARRAY(arena, struct warning_block, count);
    Latchkey__V1__WhitelistWarning **messages =
        ARENA_NEW_ARRAY(arena, Latchkey__V1__WhitelistWarning *, count);
    if (!blocks || !messages)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_warning(&blocks[i], &warnings[i]);
        messages[i] = &blocks[i].message;
    }
    return messages;
}

static void fill_draft(struct draft_block *block, const struct whitelist_draft *draft) {
    Latchkey__V1__WhitelistDraft *message = &block->message;
    latchkey__v1__whitelist_draft__init(message);
    block->draft_id = typeid_of(TYPEID_DRAFT, draft->draft_id);
    message->draft_id = block->draft_id.text;
    message->entry_count = (uint64_t)draft->entry_count;
    message->created_at = timestamp_fill(&block->created_at, draft->created_at_ms);
    message->created_by = (char *)draft->created_by;
    message->outdated = draft->is_outdated;
}

Latchkey__V1__WhitelistDraft *whitelist_message_new_draft(const struct whitelist_draft *draft,
                                                          struct arena *arena) {
    struct draft_block *block = ARENA_NEW(arena, struct draft_block);
    if (!block)
        return NULL;
    fill_draft(block, draft);
    return &block->message;
}

Latchkey__V1__WhitelistDraft **whitelist_message_new_drafts(const struct whitelist_draft *drafts,
                                                            size_t count, struct arena *arena) {
    struct draft_block *blocks = ARENA_NEW_ARRAY(arena, struct draft_block, count);
    Latchkey__V1__WhitelistDraft **messages = ARENA_NEW_ARRAY(arena, Latchkey__V1__WhitelistDraft *, count);
    if (!blocks || !messages)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_draft(&blocks[i], &drafts[i]);
        messages[i] = &blocks[i].message;
    }
    return messages;
}

static void fill_refusal(struct refusal_block *block, const struct whitelist_refusal *refusal) {
    Latchkey__V1__WhitelistRefusal *message = &block->message;
    latchkey__v1__whitelist_refusal__init(message);
    block->token_id = typeid_of(TYPEID_TOKEN, refusal->token_id);
    message->token_id = block->token_id.text;
    message->kind = (Latchkey__V1__TokenKind)refusal->kind;
    if (!uuid_is_zero(refusal->member_id)) {
        block->member_id = typeid_of(TYPEID_MEMBER, refusal->member_id);
        message->member_id = block->member_id.text;
    }
    message->label = (char *)refusal->label;
    ip_address_format(&refusal->address, block->client_ip);
    message->client_ip = block->client_ip;
    message->at = timestamp_fill(&block->at, refusal->at_ms);
}

Latchkey__V1__WhitelistRefusal **whitelist_message_new_refusals(const struct whitelist_refusals *refusals,
                                                                struct arena *arena) {
    size_t count = refusals->count;
    struct refusal_block *blocks = ARENA_NEW_ARRAY(arena, struct refusal_block, count);
    Latchkey__V1__WhitelistRefusal **messages =
        ARENA_NEW_ARRAY(arena, Latchkey__V1__WhitelistRefusal *, count);
    if (!blocks || !messages)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        fill_refusal(&blocks[i], &refusals->list[i]);
        messages[i] = &blocks[i].message;
    }
    return messages;
}
