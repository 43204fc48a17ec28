#include "services/invitation/member_message_rpc.h"

#include <assert.h>

#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(MEMBER_STATE_ACTIVE, LATCHKEY__V1__MEMBER_STATE__MEMBER_STATE_ACTIVE);
SAME(MEMBER_STATE_REMOVED, LATCHKEY__V1__MEMBER_STATE__MEMBER_STATE_REMOVED);

// A message with the parts of it that have a fixed size, so that one allocation makes it.
struct member_block {
    Latchkey__V1__Member message;
    struct typeid member_id;
    char etag[ETAG_MAX + 1];
    Google__Protobuf__Timestamp created_at, removed_at;
};

static void fill_texts(struct member_block *block, const struct member *member) {
    Latchkey__V1__Member *message = &block->message;
    block->member_id = typeid_of(TYPEID_MEMBER, member->member_id);
    etag_format(member->version, block->etag);
    message->member_id = block->member_id.text;
    message->email = (char *)member->is.email;
    message->display_name = (char *)member->is.display_name;
    message->issuer = (char *)member->is.issuer;
    message->subject = (char *)member->is.subject;
    message->external_id = (char *)member->is.external_id;
    message->etag = block->etag;
}

static bool fill_lists(Latchkey__V1__Member *message, const struct member_draft *is, struct arena *arena) {
    message->role_ids = typeid_list_format(TYPEID_ROLE, is->roles.ids, is->roles.count, arena);
    message->allowed_ips = prefix_list_format(&is->allowed_ips, arena);
    message->n_role_ids = is->roles.count;
    message->n_allowed_ips = is->allowed_ips.count;
    return message->role_ids && message->allowed_ips;
}

Latchkey__V1__Member *member_message_new(const struct member *member, struct arena *arena) {
    struct member_block *block = ARENA_NEW(arena, struct member_block);
    if (!block)
        return NULL;
    Latchkey__V1__Member *message = &block->message;
    latchkey__v1__member__init(message);
    fill_texts(block, member);
    message->state = member_is_removed(member) ? LATCHKEY__V1__MEMBER_STATE__MEMBER_STATE_REMOVED
                                               : LATCHKEY__V1__MEMBER_STATE__MEMBER_STATE_ACTIVE;
    message->created_at = timestamp_fill(&block->created_at, member->created_at_ms);
    message->removed_at = timestamp_fill(&block->removed_at, member->removed_at_ms);
    return fill_lists(message, &member->is, arena) ? message : NULL;
}
