// Members in the database. Every function is one round trip within the call's transaction, and copies what it
// returns to the arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_STORE_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "services/invitation/member.h"

// Inserts the member with its roles, which are there (role_store_look_for_many()). ALREADY_EXISTS
// (EMAIL_IN_USE, SUBJECT_IN_USE, EXTERNAL_ID_IN_USE).
MUST_CHECK enum status member_store_create(struct app_call *call, struct uuid member_id,
                                           const struct member_draft *draft, struct member **ret_member);

// NOT_FOUND (MEMBER_NOT_FOUND) unless the call's company has or had it.
MUST_CHECK enum status member_store_find(struct app_call *call, struct uuid member_id,
                                         struct member **ret_member);

// The same as a look (membership_lock()).
struct db_command member_store_look_for(const struct app_call *call, struct uuid member_id,
                                        struct db_params *params);
MUST_CHECK enum status member_store_read(struct app_call *call, const struct db_command *look,
                                         struct uuid member_id, struct member **ret_member);

// Makes it exactly this. ALREADY_EXISTS as for a creation.
MUST_CHECK enum status member_store_update(struct app_call *call, struct uuid member_id,
                                           const struct member_draft *draft, struct member **ret_member);

// Takes its roles away and keeps the row. Its access tokens go to the member `heir_id`, or to the company
// where that is zero, or end (`heir_id` NULL); its log-ins end.
MUST_CHECK enum status member_store_remove(struct app_call *call, struct uuid member_id,
                                           const struct uuid *heir_id, struct member **ret_member);

// Filters that are set must all hold.
struct member_filter {
    enum member_state state;
    struct bytes name_contains; // in the e-mail address or the name
    struct uuid role_id;        // zero = all
    struct bytes external_id;
};

struct member_list {
    struct member *members;
    size_t count; // at most the limit; fewer where long lists would make the page too large
    bool has_more;
};

// The members after `after` (zero = from the start), newest first, at most `limit`.
MUST_CHECK enum status member_store_list(struct app_call *call, const struct member_filter *filter,
                                         struct uuid after, int32_t limit, struct member_list *ret_list);

#endif
