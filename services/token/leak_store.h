// Reported secrets in the database.
#ifndef LATCHKEY_SERVICES_TOKEN_LEAK_STORE_H
#define LATCHKEY_SERVICES_TOKEN_LEAK_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "services/token/leak_rules.h"

// Whose secret it is; all zero = nobody's.
struct leak_owner {
    struct uuid company_id;
    struct uuid token_id, invitation_id; // one of them
};

// The only look-up that every report has. Needs no company.
MUST_CHECK enum status leak_store_find(struct app_call *call, const struct digest *digest,
                                       struct leak_owner *ret_owner);

struct leak {
    struct leaked_token token;
    const char *hint;    // of the secret
    const char **emails; // of its owner, or of the administrators where the company owns it
    size_t email_count;
};

// Locks the token and reads it, in the call's company.
MUST_CHECK enum status leak_store_lock(struct app_call *call, struct uuid token_id,
                                       const struct digest *digest, struct leak *ret_leak);

// Does what was decided to the token that is locked; not IGNORED.
MUST_CHECK enum status leak_store_apply(struct app_call *call, struct uuid token_id,
                                        enum leak_outcome outcome);

// Ends an invitation that is pending, links and all.
MUST_CHECK enum status leak_store_end_invitation(struct app_call *call, struct uuid invitation_id,
                                                 bool *ret_has_changed);

struct leak_letter {
    const char *company, *label; // "" = a log-in, which has none
};

// What a mail about the token says; false in `ret_is_there` where it is gone.
MUST_CHECK enum status leak_store_read_letter(struct app_call *call, struct uuid token_id, bool *ret_is_there,
                                              struct leak_letter *ret_letter);

#endif
