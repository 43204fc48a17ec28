#include "services/invitation/company_message_rpc.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/typeid.h"
#include "common/grpc/timestamp.h"

// Messages with the parts of them that have a fixed size, so that one allocation makes each.
struct company_block {
    Latchkey__V1__Company message;
    Latchkey__V1__CompanyPolicy policy;
    struct typeid company_id;
    char etag[24];
    Google__Protobuf__Timestamp created_at;
    Google__Protobuf__Duration max_token_lifetime, deactivate_unused_after, login_lifetime;
};

struct administrator_block {
    Latchkey__V1__Member message;
    struct typeid member_id, role_id;
    char *role_ids[1];
    char etag[24];
    Google__Protobuf__Timestamp created_at;
};

static void fill_policy(struct company_block *block, const struct company_policy *policy) {
    Latchkey__V1__CompanyPolicy *message = &block->policy;
    latchkey__v1__company_policy__init(message);
    message->max_token_lifetime = duration_fill(&block->max_token_lifetime, policy->max_token_lifetime_ms);
    message->require_expiry = policy->requires_expiry;
    message->deactivate_unused_after =
        duration_fill(&block->deactivate_unused_after, policy->deactivate_unused_ms);
    message->leak_action = (Latchkey__V1__LeakAction)policy->leak_action;
    message->reuse_action = (Latchkey__V1__ReuseAction)policy->reuse_action;
    message->login_lifetime = duration_fill(&block->login_lifetime, policy->login_lifetime_ms);
    block->message.policy = message;
}

Latchkey__V1__Company *company_message_new(const struct company *company, struct arena *arena) {
    struct company_block *block = ARENA_NEW(arena, struct company_block);
    if (!block)
        return NULL;
    Latchkey__V1__Company *message = &block->message;
    latchkey__v1__company__init(message);
    block->company_id = typeid_of(TYPEID_COMPANY, company->company_id);
    snprintf(block->etag, sizeof(block->etag), "%" PRId64, company->version);
    message->company_id = block->company_id.text;
    message->name = (char *)company->name;
    message->external_id = (char *)company->external_id;
    message->state = company->is_suspended ? LATCHKEY__V1__COMPANY_STATE__COMPANY_STATE_SUSPENDED
                                           : LATCHKEY__V1__COMPANY_STATE__COMPANY_STATE_ACTIVE;
    message->created_at = timestamp_fill(&block->created_at, company->created_at_ms);
    message->etag = block->etag;
    fill_policy(block, &company->policy);
    return message;
}

Latchkey__V1__Member *company_message_new_administrator(const struct company_administrator *administrator,
                                                        struct arena *arena) {
    struct administrator_block *block = ARENA_NEW(arena, struct administrator_block);
    if (!block)
        return NULL;
    Latchkey__V1__Member *message = &block->message;
    latchkey__v1__member__init(message);
    block->member_id = typeid_of(TYPEID_MEMBER, administrator->member_id);
    block->role_id = typeid_of(TYPEID_ROLE, administrator->role_id);
    block->role_ids[0] = block->role_id.text;
    snprintf(block->etag, sizeof(block->etag), "%" PRId64, administrator->version);
    message->member_id = block->member_id.text;
    message->email = (char *)administrator->email;
    message->role_ids = block->role_ids;
    message->n_role_ids = ARRAY_LENGTH(block->role_ids);
    message->state = LATCHKEY__V1__MEMBER_STATE__MEMBER_STATE_ACTIVE;
    message->created_at = timestamp_fill(&block->created_at, administrator->created_at_ms);
    message->etag = block->etag;
    return message;
}
