#include "services/invitation/invitation_message_rpc.h"

#include "common/base/typeid.h"
#include "common/protobuf/timestamp.h"

// A message with the parts of it that have a fixed size, so that one allocation makes all.
struct block {
    Latchkey__V1__Invitation message;
    struct typeid invitation_id, member_id;
    Google__Protobuf__Timestamp expires_at, created_at, accepted_at;
};

static Latchkey__V1__Delivery get_delivery(char stored) {
    switch (stored) {
    case 'q': return LATCHKEY__V1__DELIVERY__DELIVERY_QUEUED;
    case 's': return LATCHKEY__V1__DELIVERY__DELIVERY_SENT;
    case 'f':
    case 'd': return LATCHKEY__V1__DELIVERY__DELIVERY_FAILED;
    default: return LATCHKEY__V1__DELIVERY__DELIVERY_UNSPECIFIED;
    }
}

static void fill_times(struct block *block, const struct invitation *invitation) {
    Latchkey__V1__Invitation *message = &block->message;
    message->expires_at = timestamp_fill(&block->expires_at, invitation->expires_at_ms);
    message->created_at = timestamp_fill(&block->created_at, invitation->created_at_ms);
    message->accepted_at = timestamp_fill(&block->accepted_at, invitation->accepted_at_ms);
}

Latchkey__V1__Invitation *invitation_message_new(const struct invitation *invitation, struct arena *arena) {
    struct block *block = ARENA_NEW(arena, struct block);
    if (!block)
        return NULL;
    Latchkey__V1__Invitation *message = &block->message;
    latchkey__v1__invitation__init(message);
    block->invitation_id = typeid_of(TYPEID_INVITATION, invitation->invitation_id);
    message->invitation_id = block->invitation_id.text;
    message->email = (char *)invitation->email;
    message->role_ids = typeid_list_format(TYPEID_ROLE, invitation->role_ids, invitation->role_count, arena);
    message->n_role_ids = invitation->role_count;
    message->allowed_ips = prefix_list_format(&invitation->ips, arena);
    message->n_allowed_ips = invitation->ips.count;
    message->state = (Latchkey__V1__InvitationState)invitation->state;
    message->delivery = get_delivery(invitation->delivery);
    message->delivery_detail = (char *)invitation->delivery_detail;
    message->created_by = (char *)invitation->created_by;
    message->resent_count = (uint32_t)invitation->resent_count;
    if (!uuid_is_zero(invitation->member_id)) {
        block->member_id = typeid_of(TYPEID_MEMBER, invitation->member_id);
        message->member_id = block->member_id.text;
    }
    fill_times(block, invitation);
    return message->role_ids && message->allowed_ips ? message : NULL;
}
