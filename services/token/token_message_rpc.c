#include "services/token/token_message_rpc.h"

#include <assert.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/etag.h"
#include "common/protobuf/timestamp.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "numbers of the contract")
SAME(TOKEN_STATE_ACTIVE, LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_ACTIVE);
SAME(TOKEN_STATE_SUSPENDED, LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_SUSPENDED);
SAME(TOKEN_STATE_DEACTIVATED, LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_DEACTIVATED);
SAME(TOKEN_STATE_EXPIRED, LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_EXPIRED);
SAME(TOKEN_STATE_NOT_YET_VALID, LATCHKEY__V1__TOKEN_STATE__TOKEN_STATE_NOT_YET_VALID);
SAME(DEACTIVATE_REASON_LEAKED, LATCHKEY__V1__DEACTIVATE_REASON__DEACTIVATE_REASON_LEAKED);
SAME(DEACTIVATE_REASON_POLICY, LATCHKEY__V1__DEACTIVATE_REASON__DEACTIVATE_REASON_POLICY);
SAME(DEACTIVATE_REASON_OTHER, LATCHKEY__V1__DEACTIVATE_REASON__DEACTIVATE_REASON_OTHER);
SAME(CHANNEL_API, LATCHKEY__V1__CHANNEL__CHANNEL_API);
SAME(CHANNEL_UI, LATCHKEY__V1__CHANNEL__CHANNEL_UI);

// A message with the parts of it that have a fixed size, so that one allocation makes it.
struct token_block {
    Latchkey__V1__AccessToken message;
    struct typeid token_id, company_id, member_id;
    char etag[ETAG_MAX + 1];
    Latchkey__V1__Channel channels[2];
    Google__Protobuf__Timestamp not_before, expires_at, suspended_until, last_used_at, created_at,
        deactivated_at;
};

struct secret_block {
    Latchkey__V1__AccessTokenSecret message;
    Google__Protobuf__Timestamp created_at, expires_at, last_used_at;
};

static void fill_ids(struct token_block *block, const struct token *token) {
    block->token_id = typeid_of(TYPEID_TOKEN, token->token_id);
    block->company_id = typeid_of(TYPEID_COMPANY, token->company_id);
    block->message.token_id = block->token_id.text;
    block->message.company_id = block->company_id.text;
    if (!uuid_is_zero(token->member_id)) {
        block->member_id = typeid_of(TYPEID_MEMBER, token->member_id);
        block->message.member_id = block->member_id.text;
    }
    etag_format(token->version, block->etag);
    block->message.etag = block->etag;
}

static void fill_texts(Latchkey__V1__AccessToken *message, const struct token *token) {
    message->external_id = (char *)token->external_id;
    message->label = (char *)token->label;
    message->description = (char *)token->description;
    message->last_used_ip = (char *)token->last_used_ip;
    message->last_used_by = (char *)token->last_used_by;
    message->created_by = (char *)token->created_by;
    message->deactivate_note = (char *)token->deactivate_note;
}

static void fill_state(struct token_block *block, const struct token *token, int64_t now_ms) {
    Latchkey__V1__AccessToken *message = &block->message;
    message->state = (Latchkey__V1__TokenState)token_get_state(token, now_ms);
    message->deactivate_reason = (Latchkey__V1__DeactivateReason)token->deactivate_reason;
    message->not_before = timestamp_fill(&block->not_before, token->not_before_ms);
    message->expires_at = timestamp_fill(&block->expires_at, token->expires_at_ms);
    message->suspended_until = timestamp_fill(&block->suspended_until, token->suspended_until_ms);
    message->last_used_at = timestamp_fill(&block->last_used_at, token->last_used_at_ms);
    message->created_at = timestamp_fill(&block->created_at, token->created_at_ms);
    message->deactivated_at = timestamp_fill(&block->deactivated_at, token->deactivated_at_ms);
}

static void fill_channels(struct token_block *block, const struct token *token) {
    block->message.channels = block->channels;
    for (int channel = CHANNEL_API; channel <= CHANNEL_UI; channel++)
        if (token->channels & CHANNEL_BIT(channel))
            block->channels[block->message.n_channels++] = (Latchkey__V1__Channel)channel;
}

// Texts of the domain are NUL-terminated: the store made them.
static bool fill_list(char ***list, size_t *list_count, const struct bytes *texts, size_t count,
                      struct arena *arena) {
    *list = ARENA_NEW_ARRAY(arena, char *, count);
    for (size_t i = 0; *list && i < count; i++)
        (*list)[i] = (char *)texts[i].data;
    *list_count = *list ? count : 0;
    return *list != NULL;
}

static bool fill_ips(Latchkey__V1__AccessToken *message, const struct token *token, struct arena *arena) {
    message->allowed_ips = ARENA_NEW_ARRAY(arena, char *, token->allowed_ip_count);
    for (size_t i = 0; message->allowed_ips && i < token->allowed_ip_count; i++) {
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&token->allowed_ips[i], text);
        message->allowed_ips[i] = arena_copy_text(arena, text);
        if (!message->allowed_ips[i])
            return false;
    }
    message->n_allowed_ips = token->allowed_ip_count;
    return message->allowed_ips != NULL;
}

static bool fill_metadata(Latchkey__V1__AccessToken *message, const struct token *token,
                          struct arena *arena) {
    size_t count = token->metadata_count;
    Latchkey__V1__AccessToken__MetadataEntry *entries =
        ARENA_NEW_ARRAY(arena, Latchkey__V1__AccessToken__MetadataEntry, count);
    message->metadata = ARENA_NEW_ARRAY(arena, Latchkey__V1__AccessToken__MetadataEntry *, count);
    if (!entries || !message->metadata)
        return false;
    for (size_t i = 0; i < count; i++) {
        latchkey__v1__access_token__metadata_entry__init(&entries[i]);
        entries[i].key = (char *)token->metadata[i].key.data;
        entries[i].value = (char *)token->metadata[i].value.data;
        message->metadata[i] = &entries[i];
    }
    message->n_metadata = count;
    return true;
}

static void fill_secret(struct secret_block *block, const struct token_secret *secret) {
    latchkey__v1__access_token_secret__init(&block->message);
    block->message.hint = (char *)secret->hint;
    block->message.created_at = timestamp_fill(&block->created_at, secret->created_at_ms);
    block->message.expires_at = timestamp_fill(&block->expires_at, secret->expires_at_ms);
    block->message.last_used_at = timestamp_fill(&block->last_used_at, secret->last_used_at_ms);
    block->message.last_used_ip = (char *)secret->last_used_ip;
}

static bool fill_secrets(Latchkey__V1__AccessToken *message, const struct token *token, struct arena *arena) {
    struct secret_block *blocks = ARENA_NEW_ARRAY(arena, struct secret_block, token->secret_count);
    message->secrets = ARENA_NEW_ARRAY(arena, Latchkey__V1__AccessTokenSecret *, token->secret_count);
    if (!blocks || !message->secrets)
        return false;
    for (size_t i = 0; i < token->secret_count; i++) {
        fill_secret(&blocks[i], &token->secrets[i]);
        message->secrets[i] = &blocks[i].message;
    }
    message->n_secrets = token->secret_count;
    return true;
}

Latchkey__V1__AccessToken *token_message_new(const struct token *token, int64_t now_ms, struct arena *arena) {
    struct token_block *block = ARENA_NEW(arena, struct token_block);
    if (!block)
        return NULL;
    Latchkey__V1__AccessToken *message = &block->message;
    latchkey__v1__access_token__init(message);
    fill_ids(block, token);
    fill_texts(message, token);
    fill_state(block, token, now_ms);
    fill_channels(block, token);
    bool is_complete = fill_list(&message->permissions, &message->n_permissions, token->permissions,
                                 token->permission_count, arena) &&
                       fill_list(&message->allowed_domains, &message->n_allowed_domains,
                                 token->allowed_domains, token->allowed_domain_count, arena) &&
                       fill_ips(message, token, arena) && fill_metadata(message, token, arena) &&
                       fill_secrets(message, token, arena);
    return is_complete ? message : NULL;
}
