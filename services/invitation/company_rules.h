// What a new company must be like. Pure: every bad field of a request is named in the fault at once, with a
// sentence that says what to type instead; what passes comes out in the form in which it is stored.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_RULES_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_RULES_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "services/invitation/email_address.h"

// Fixed by the contract, in characters.
#define COMPANY_NAME_MAX 100
#define COMPANY_EXTERNAL_ID_MAX 255

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

#endif
