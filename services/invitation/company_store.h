// Companies in the database. Every function is one round trip within the call's transaction, and copies what
// it returns to the arena. Row-level security shows one company at a time: each function sets the one it is
// about, and sets the call's own again before it returns. A failure of the database itself leaves the fault
// filled.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_STORE_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_STORE_H

#include "common/app/method.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/invitation/company.h"
#include "services/invitation/company_rules.h"

// What makes a draft a company.
struct company_birth {
    struct uuid company_id, role_id, member_id, list_id;
    const char *created_by;
};

// Inserts the company with its administrator, an empty whitelist that is switched off and the head of its
// audit log, and reads it back. ALREADY_EXISTS (EXTERNAL_ID_IN_USE).
MUST_CHECK enum status company_store_create(struct app_call *call, const struct company_draft *draft,
                                            const struct company_birth *birth, struct company **ret_company,
                                            struct company_administrator *ret_administrator);

// Any company: the caller has checked that it may see it. NOT_FOUND (COMPANY_NOT_FOUND).
MUST_CHECK enum status company_store_find(struct app_call *call, struct uuid company_id,
                                          struct company **ret_company);

#endif
