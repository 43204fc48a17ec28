// Whom a change of the list would refuse, of those who have lately logged in or used a token.
#ifndef LATCHKEY_SERVICES_WHITELIST_WHITELIST_PREVIEW_STORE_H
#define LATCHKEY_SERVICES_WHITELIST_WHITELIST_PREVIEW_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/ip/prefix.h"
#include "services/whitelist/whitelist_store.h"

#define WHITELIST_REFUSALS_MAX 1000
#define WHITELIST_PREVIEW_DAYS 30

struct whitelist_trial {
    struct uuid draft_id;       // zero = the live list
    const struct uuid *removed; // entries as if removed
    size_t removed_count;
    enum whitelist_scope scope; // as if set; NONE = as it is
};

// A use that would have been refused.
struct whitelist_refusal {
    struct uuid token_id, member_id; // member zero = the company's own token
    enum token_kind kind;
    const char *label;
    struct ip_address address; // no family = none was told
    int64_t at_ms;
};

struct whitelist_refusals {
    struct whitelist_refusal *list; // latest first, at most WHITELIST_REFUSALS_MAX
    size_t count;
    int64_t total;
};

struct whitelist_preview {
    struct whitelist_standing standing; // of the list as it would be, with the settings as they are
    struct whitelist_refusals logins, tokens;
};

// NOT_FOUND (DRAFT_NOT_FOUND).
MUST_CHECK enum status whitelist_store_preview(struct app_call *call, const struct whitelist_trial *trial,
                                               struct whitelist_preview *ret_preview);

#endif
