#include "services/token/token_rules.h"

#include "common/access/decision.h"
#include "common/access/domain.h"
#include "common/access/grant_list.h"
#include "common/base/clock.h"
#include "common/ip/prefix_list.h"

// A thousand years: what lies beyond is a typing error, and beyond the times that the contract can tell.
#define EXPIRE_IN_MAX_MS (INT64_C(365000) * 24 * 60 * 60 * 1000)

// ---- texts ----

void token_check_text(const char *text, size_t max, const char *field, struct fault *fault) {
    if (bytes_count_code_points(bytes_of_text(text)) > max)
        fault_add_field(fault, field, "type at most %zu characters", max);
}

static void check_label(const char *label, struct fault *fault) {
    size_t length = bytes_count_code_points(bytes_of_text(label));
    if (length == 0 || length > TOKEN_LABEL_MAX)
        fault_add_field(fault, "label", "type a name of 1 to %d characters by which people know the token",
                        TOKEN_LABEL_MAX);
}

static void check_metadata(const struct token_wish *wish, struct fault *fault) {
    size_t total = 0;
    for (size_t i = 0; i < wish->metadata_count; i++) {
        struct bytes key = wish->metadata[i].key;
        size_t length = bytes_count_code_points(key);
        total += key.len + wish->metadata[i].value.len;
        if (length == 0 || length > TOKEN_METADATA_KEY_MAX)
            fault_add_field(fault, "metadata", "type keys of 1 to %d characters", TOKEN_METADATA_KEY_MAX);
    }
    if (wish->metadata_count > TOKEN_METADATA_PAIRS_MAX)
        fault_add_field(fault, "metadata", "type at most %d pairs", TOKEN_METADATA_PAIRS_MAX);
    if (total > TOKEN_METADATA_BYTES_MAX)
        fault_add_field(fault, "metadata", "type at most %d bytes, keys and values together",
                        TOKEN_METADATA_BYTES_MAX);
}

// ---- where it may be presented ----

static uint8_t check_channels(const struct token_wish *wish, struct fault *fault) {
    uint8_t channels = 0;
    for (size_t i = 0; i < wish->channel_count; i++) {
        if (wish->channels[i] == CHANNEL_API || wish->channels[i] == CHANNEL_UI)
            channels |= (uint8_t)CHANNEL_BIT(wish->channels[i]);
        else
            fault_add_field(fault, fault_path(fault, "channels[%zu]", i),
                            "type CHANNEL_API or CHANNEL_UI, or leave the list empty for CHANNEL_API");
    }
    return wish->channel_count ? channels : CHANNEL_BIT(CHANNEL_API);
}

// ---- lists ----

// A list that is too long is refused as a whole: its elements are not looked at.
static bool check_count(size_t count, int64_t max, const char *field, struct fault *fault) {
    if (count <= (size_t)max)
        return true;
    fault_add_field(fault, field, "type at most %lld, not %zu", (long long)max, count);
    return false;
}

static void check_permissions(const struct token_wish *wish, const struct token_terms *terms,
                              struct arena *arena, struct fault *fault, struct token_draft *draft) {
    struct grant_list_terms list_terms = {terms->catalogue, terms->limits->permissions, "permissions"};
    struct grant_list list;
    grant_list_parse(wish->permissions.texts, wish->permissions.count, &list_terms, arena, fault, &list);
    draft->permissions = list.grants;
    draft->permission_count = list.count;
}

// Returns the pattern as it is stored.
static struct bytes check_domain(const char *text, size_t index, struct arena *arena, struct fault *fault) {
    struct domain_pattern pattern;
    enum domain_parse_result result = domain_pattern_parse(bytes_of_text(text), &pattern);
    if (result == DOMAIN_PARSE_OK) {
        char canonical[DOMAIN_PATTERN_TEXT_MAX + 1];
        domain_pattern_format(&pattern, canonical);
        char *copy = arena_copy_text(arena, canonical);
        if (copy)
            return bytes_of_text(copy);
    }
    if (result == DOMAIN_PARSE_OK || result == DOMAIN_PARSE_NO_MEMORY)
        fault_set_no_memory(fault);
    else
        fault_add_field(fault, fault_path(fault, "allowed_domains[%zu]", index), "%s",
                        domain_parse_result_get_text(result));
    return BYTES_EMPTY;
}

static void check_domains(const struct token_wish *wish, const struct token_terms *terms, struct arena *arena,
                          struct fault *fault, struct token_draft *draft) {
    size_t count = wish->domains.count;
    if (!check_count(count, terms->limits->domains, "allowed_domains", fault))
        return;
    if (count > 0 && !(draft->channels & CHANNEL_BIT(CHANNEL_UI)))
        fault_add_field(fault, "allowed_domains",
                        "leave it empty, or add CHANNEL_UI to channels: domains count on that channel only");
    struct bytes *domains = ARENA_NEW_ARRAY(arena, struct bytes, count);
    if (!domains) {
        fault_set_no_memory(fault);
        return;
    }
    draft->domains = domains;
    draft->domain_count = count;
    for (size_t i = 0; i < count; i++)
        domains[i] = check_domain(wish->domains.texts[i], i, arena, fault);
}

static void check_ips(const struct token_wish *wish, const struct token_terms *terms, struct arena *arena,
                      struct fault *fault, struct token_draft *draft) {
    struct prefix_list list;
    prefix_list_parse(wish->ips.texts, wish->ips.count, terms->limits->ips, "allowed_ips", arena, fault,
                      &list);
    draft->ips = list.prefixes;
    draft->ip_count = list.count;
}

// ---- times ----

static int64_t check_expiry(const struct token_wish *wish, int64_t now_ms, struct fault *fault) {
    if (wish->has_expires_at && wish->has_expire_in) {
        fault_add_field(fault, "expire_in", "type expires_at or expire_in, not both");
        return CLOCK_NEVER_MS;
    }
    if (wish->has_expires_at) {
        if (wish->expires_at_ms <= now_ms && !wish->may_have_expired)
            fault_add_field(fault, "expires_at", "type a time in the future");
        return wish->expires_at_ms;
    }
    if (!wish->has_expire_in)
        return CLOCK_NEVER_MS;
    if (wish->expire_in_ms <= 0 || wish->expire_in_ms > EXPIRE_IN_MAX_MS) {
        fault_add_field(fault, "expire_in", "type a duration above 0 and of at most 1000 years");
        return CLOCK_NEVER_MS;
    }
    return now_ms + wish->expire_in_ms;
}

static void check_times(const struct token_wish *wish, int64_t now_ms, struct fault *fault,
                        struct token_draft *draft) {
    draft->not_before_ms = wish->has_not_before ? wish->not_before_ms : CLOCK_ALWAYS_MS;
    draft->expires_at_ms = check_expiry(wish, now_ms, fault);
    if (draft->not_before_ms >= draft->expires_at_ms)
        fault_add_field(fault, "not_before", "type a time before the token expires");
}

// ---- public ----

enum status token_check_wish(const struct token_wish *wish, const struct token_terms *terms,
                             struct arena *arena, struct fault *fault, struct token_draft *ret_draft) {
    struct token_draft draft = {.label = bytes_of_text(wish->label),
                                .description = bytes_of_text(wish->description),
                                .external_id = bytes_of_text(wish->external_id),
                                .metadata = wish->metadata,
                                .metadata_count = wish->metadata_count};
    check_label(wish->label, fault);
    token_check_text(wish->description, TOKEN_DESCRIPTION_MAX, "description", fault);
    token_check_text(wish->external_id, TOKEN_EXTERNAL_ID_MAX, "external_id", fault);
    check_metadata(wish, fault);
    draft.channels = check_channels(wish, fault);
    check_permissions(wish, terms, arena, fault, &draft);
    check_times(wish, terms->now_ms, fault, &draft);
    check_domains(wish, terms, arena, fault, &draft);
    check_ips(wish, terms, arena, fault, &draft);
    if (fault->status != STATUS_OK)
        return fault->status;
    *ret_draft = draft;
    return STATUS_OK;
}

struct token_draft token_draft_of(const struct token *token) {
    return (struct token_draft){
        .label = bytes_of_text(token->label),
        .description = bytes_of_text(token->description),
        .external_id = bytes_of_text(token->external_id),
        .metadata = token->metadata,
        .metadata_count = token->metadata_count,
        .channels = token->channels,
        .permissions = token->permissions,
        .permission_count = token->permission_count,
        .domains = token->allowed_domains,
        .domain_count = token->allowed_domain_count,
        .ips = token->allowed_ips,
        .ip_count = token->allowed_ip_count,
        .not_before_ms = token->not_before_ms,
        .expires_at_ms = token->expires_at_ms,
    };
}

static void change_texts(const struct token_wish *wish, uint32_t fields, struct fault *fault,
                         struct token_draft *draft) {
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_LABEL)) {
        check_label(wish->label, fault);
        draft->label = bytes_of_text(wish->label);
    }
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_DESCRIPTION)) {
        token_check_text(wish->description, TOKEN_DESCRIPTION_MAX, "description", fault);
        draft->description = bytes_of_text(wish->description);
    }
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_METADATA)) {
        check_metadata(wish, fault);
        draft->metadata = wish->metadata;
        draft->metadata_count = wish->metadata_count;
    }
}

static void change_expiry(const struct token_wish *wish, int64_t now_ms, struct fault *fault,
                          struct token_draft *draft) {
    draft->expires_at_ms = check_expiry(wish, now_ms, fault);
    if (draft->expires_at_ms > now_ms && draft->not_before_ms >= draft->expires_at_ms)
        fault_add_field(fault, "expires_at", "type a time after the token's not_before");
}

enum status token_check_change(const struct token_wish *wish, uint32_t fields, const struct token *token,
                               const struct token_terms *terms, struct arena *arena, struct fault *fault,
                               struct token_draft *ret_draft) {
    struct token_draft draft = token_draft_of(token);
    change_texts(wish, fields, fault, &draft);
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_PERMISSIONS))
        check_permissions(wish, terms, arena, fault, &draft);
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_EXPIRY))
        change_expiry(wish, terms->now_ms, fault, &draft);
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_DOMAINS))
        check_domains(wish, terms, arena, fault, &draft);
    if (fields & TOKEN_FIELD_BIT(TOKEN_FIELD_IPS))
        check_ips(wish, terms, arena, fault, &draft);
    if (fault->status != STATUS_OK)
        return fault->status;
    *ret_draft = draft;
    return STATUS_OK;
}

enum status token_check_policy(const struct token_draft *draft, const struct token_policy *policy,
                               const struct token_terms *terms, struct fault *fault) {
    if (policy->requires_expiry && draft->expires_at_ms == CLOCK_NEVER_MS)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "POLICY_REQUIRES_EXPIRY",
                         "the company's policy wants every token to expire; type expires_at or expire_in");
    // One that never expires lives longer than any bound.
    if (policy->max_lifetime_ms > 0 && draft->expires_at_ms - terms->now_ms > policy->max_lifetime_ms) {
        fault_add_detail(fault, "maxTokenLifetimeMs", "%lld", (long long)policy->max_lifetime_ms);
        return fault_set(
            fault, STATUS_FAILED_PRECONDITION, "POLICY_MAX_TOKEN_LIFETIME",
            "the company's policy lets a token live for %lld seconds at most; type such an expires_at or "
            "expire_in",
            (long long)(policy->max_lifetime_ms / 1000));
    }
    if (policy->room <= 0)
        return fault_set(
            fault, STATUS_EXHAUSTED, "COMPANY_TOKENS_LIMIT",
            "the company has reached its limit of %lld tokens; deactivate some that nobody needs",
            (long long)terms->limits->company_tokens);
    return STATUS_OK;
}

struct bytes *token_list_grants_of(struct bytes permission, const struct permission_catalogue *catalogue,
                                   struct arena *arena, size_t *ret_count) {
    // One group for each dot, and the permission itself.
    struct bytes *grants = ARENA_NEW_ARRAY(arena, struct bytes, permission.len + 1);
    if (!grants)
        return NULL;
    size_t count = 0;
    grants[count++] = permission;
    uint32_t id = permission_catalogue_find_id(catalogue, permission);
    for (size_t i = 0; i < permission.len; i++) {
        if (permission.data[i] != '.')
            continue;
        const char *group = arena_format(arena, "%.*s.*", (int)i, (const char *)permission.data);
        struct permission_set *covered =
            permission_set_new_in_arena(arena, permission_catalogue_get_limit(catalogue));
        if (!group || !covered)
            return NULL;
        bool covers_any = permission_catalogue_expand(catalogue, bytes_of_text(group), covered);
        // A name that the catalogue has lost may still be granted, by itself and by groups.
        if (id == PERMISSION_ID_NONE || (covers_any && permission_set_has(covered, id)))
            grants[count++] = bytes_of_text(group);
    }
    *ret_count = count;
    return grants;
}
