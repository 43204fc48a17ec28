// What a company must be like. Pure: every bad field of a request is named in the fault at once, with a
// sentence that says what to type instead; what passes comes out in the form in which it is stored.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_RULES_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_RULES_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "services/invitation/company.h"
#include "services/invitation/email_address.h"

// Fixed by the contract, in characters.
#define COMPANY_NAME_MAX 100
#define COMPANY_EXTERNAL_ID_MAX 255
// What is said about a suspension, in characters.
#define COMPANY_NOTE_MAX 500

// As it was typed.
struct company_wish {
    const char *name, *external_id, *administrator_email;
};

// As it will be stored; the texts borrow from the wish.
struct company_draft {
    struct bytes name, external_id;
    struct email_address administrator_email;
};

// INVALID with every bad field, or NO_MEMORY; the draft is then of no use.
MUST_CHECK enum status company_check_wish(const struct company_wish *wish, struct fault *fault,
                                          struct company_draft *ret_draft);

// The fields that an update may name; `policy` is all of those behind it.
enum company_field {
    COMPANY_NAME,
    COMPANY_EXTERNAL_ID,
    COMPANY_POLICY,
    COMPANY_MAX_TOKEN_LIFETIME,
    COMPANY_REQUIRE_EXPIRY,
    COMPANY_DEACTIVATE_UNUSED_AFTER,
    COMPANY_LEAK_ACTION,
    COMPANY_REUSE_ACTION,
    COMPANY_LOGIN_LIFETIME,
    COMPANY_FIELD_COUNT
};

// What an update wishes. A span that is none, or shorter than the milliseconds it is kept in, is negative.
struct company_change {
    uint32_t fields; // bits by enum company_field: the others are not looked at
    const char *name, *external_id;
    struct company_policy policy;
};

// Puts the wished fields into the company. INVALID with every bad field; the company is then of no use.
MUST_CHECK enum status company_check_change(const struct company_change *change, struct fault *fault,
                                            struct company *company);

#endif
