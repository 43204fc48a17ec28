// Companies in the database. Every function is one round trip within the call's transaction, and copies what
// it returns to the arena. All but the list are about the company that the call acts for: whoever means
// another one enters it first. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_COMPANY_STORE_H
#define LATCHKEY_SERVICES_INVITATION_COMPANY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/invitation/company.h"
#include "services/invitation/company_rules.h"
#include "services/invitation/member.h"

// What makes a draft a company: the ids of what comes with it.
struct company_birth {
    struct uuid role_id, member_id, list_id;
};

// Inserts the company with its administrator, an empty whitelist that is switched off and the head of its
// audit log, and reads both back. ALREADY_EXISTS (EXTERNAL_ID_IN_USE).
MUST_CHECK enum status company_store_create(struct app_call *call, const struct company_draft *draft,
                                            const struct company_birth *birth, struct company **ret_company,
                                            struct member *ret_administrator);

// NOT_FOUND (COMPANY_NOT_FOUND).
MUST_CHECK enum status company_store_find(struct app_call *call, struct company **ret_company);

// The same; nobody else changes it before the transaction ends.
MUST_CHECK enum status company_store_lock(struct app_call *call, struct company **ret_company);

// Its name, external_id and policy become these. ALREADY_EXISTS (EXTERNAL_ID_IN_USE).
MUST_CHECK enum status company_store_update(struct app_call *call, const struct company *wanted,
                                            struct company **ret_company);

MUST_CHECK enum status company_store_set_suspended(struct app_call *call, bool is_suspended,
                                                   struct company **ret_company);

// Numbers as latchkey.v1.CompanyState.
enum company_state { COMPANY_STATE_ANY = 0, COMPANY_STATE_ACTIVE = 1, COMPANY_STATE_SUSPENDED = 2 };

// Filters that are set must all hold.
struct company_filter {
    enum company_state state;
    struct bytes name_contains;
    struct bytes external_id;
};

struct company_list {
    struct company *companies;
    size_t count;
    bool has_more;
};

// All that there are, for an operator; else the call's own.
MUST_CHECK enum status company_store_list(struct app_call *call, const struct company_filter *filter,
                                          struct uuid after, int32_t limit, struct company_list *ret_list);

#endif
