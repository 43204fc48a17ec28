// What an access token must be like, a new one or one that is changed. Pure: every bad field of a request is
// named in the fault at once, with a sentence that says what to type instead; what passes comes out in the
// form in which it is stored.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_RULES_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/prefix.h"
#include "services/token/login_rules.h"
#include "services/token/token.h"

// Fixed by the contract, in characters unless said.
#define TOKEN_LABEL_MAX 100
#define TOKEN_DESCRIPTION_MAX 500
#define TOKEN_EXTERNAL_ID_MAX 255
#define TOKEN_NOTE_MAX 500
#define TOKEN_METADATA_PAIRS_MAX 16
#define TOKEN_METADATA_BYTES_MAX 1024
#define TOKEN_METADATA_KEY_MAX 64

// Settings: what the service does by itself, and when.
struct housekeeping_settings {
    int64_t period_ms;
    int64_t login_kept_ms;        // a log-in in the list, from its end; a refusal, from when it was
    int64_t login_secret_kept_ms; // its secret, told apart from one that never was
    int64_t early_notice_ms;      // before an expiry; 0 = none
    int64_t late_notice_ms;
};

// Settings: what one token may hold, and one company; how long is known what a rotation left.
struct token_limits {
    int64_t permissions;
    int64_t domains;
    int64_t ips;
    int64_t company_tokens;
    int64_t spent_secret_kept_ms;
    int64_t reuse_period_ms;
    int64_t leak_reports; // at once, of one address
    int64_t leak_report_refill_ms;
    struct login_limits logins;
    struct housekeeping_settings housekeeping;
};

struct text_list {
    char *const *texts;
    size_t count;
};

// The fields that an update may name.
enum token_field {
    TOKEN_FIELD_LABEL,
    TOKEN_FIELD_DESCRIPTION,
    TOKEN_FIELD_METADATA,
    TOKEN_FIELD_DOMAINS,
    TOKEN_FIELD_IPS,
    TOKEN_FIELD_PERMISSIONS,
    TOKEN_FIELD_EXPIRY,
    TOKEN_FIELD_COUNT,
};
#define TOKEN_FIELD_BIT(field) (UINT32_C(1) << (field))

// As it was typed. Times that were unreadable have been named in the fault already, and count as unset.
struct token_wish {
    const char *label, *description, *external_id;
    const int *channels; // numbers of latchkey.v1.Channel
    size_t channel_count;
    struct text_list permissions, domains, ips;
    const struct token_pair *metadata;
    size_t metadata_count;
    bool has_not_before, has_expires_at, has_expire_in;
    bool may_have_expired; // one that is taken over from elsewhere
    int64_t not_before_ms, expires_at_ms, expire_in_ms;
};

// What the fields are checked against.
struct token_terms {
    const struct token_limits *limits;
    const struct permission_catalogue *catalogue;
    int64_t now_ms;
};

// As it will be stored.
struct token_draft {
    struct bytes label, description, external_id;
    const struct token_pair *metadata; // borrows from the wish
    size_t metadata_count;
    uint8_t channels;                // CHANNEL_BIT()s
    const struct bytes *permissions; // borrow from the wish
    size_t permission_count;
    const struct bytes *domains; // canonical patterns, in the arena
    size_t domain_count;
    const struct ip_prefix *ips;
    size_t ip_count;
    int64_t not_before_ms; // CLOCK_ALWAYS_MS = none
    int64_t expires_at_ms; // CLOCK_NEVER_MS = none
};

// INVALID with every bad field, or NO_MEMORY; the draft is then of no use. A fault that holds bad fields
// already is added to.
MUST_CHECK enum status token_check_wish(const struct token_wish *wish, const struct token_terms *terms,
                                        struct arena *arena, struct fault *fault,
                                        struct token_draft *ret_draft);

// The token as it stands, as a draft; borrows from it.
struct token_draft token_draft_of(const struct token *token);

// The same as token_check_wish() for the fields of an existing token that `fields` (TOKEN_FIELD_BIT()s) has;
// the others of the draft are the token's.
MUST_CHECK enum status token_check_change(const struct token_wish *wish, uint32_t fields,
                                          const struct token *token, const struct token_terms *terms,
                                          struct arena *arena, struct fault *fault,
                                          struct token_draft *ret_draft);

// What the company says about new tokens.
struct token_policy {
    int64_t max_lifetime_ms; // 0 = no bound
    bool requires_expiry;
    int64_t room; // for so many more beside those that are alive
};

// The lifetime counts from terms->now_ms: for a token that exists, set it to the time of its making.
// FAILED_PRECONDITION (POLICY_REQUIRES_EXPIRY, POLICY_MAX_TOKEN_LIFETIME), RESOURCE_EXHAUSTED
// (COMPANY_TOKENS_LIMIT).
MUST_CHECK enum status token_check_policy(const struct token_draft *draft, const struct token_policy *policy,
                                          const struct token_terms *terms, struct fault *fault);

// Names `field` unless `text` has at most `max` characters.
void token_check_text(const char *text, size_t max, const char *field, struct fault *fault);

// The grants that stand for `permission`: itself, and each group that it belongs to. In the arena; NULL when
// out of memory. An operator-only permission belongs to no group.
MUST_CHECK struct bytes *token_list_grants_of(struct bytes permission,
                                              const struct permission_catalogue *catalogue,
                                              struct arena *arena, size_t *ret_count);

#endif
