// Invitations in the database, within the call's transaction and company; what is returned lives in the
// call's arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_STORE_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_STORE_H

#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "services/invitation/invitation.h"

// ALREADY_EXISTS (MEMBER_EXISTS, INVITATION_PENDING), in which case nothing is changed and the transaction is
// still good. An expired invitation of the same address gives that up.
MUST_CHECK enum status invitation_store_create(struct app_call *call, const struct invitation *invitation);

// NOT_FOUND (INVITATION_NOT_FOUND). The second one locks it until the transaction ends: whatever moves it
// comes through here first.
MUST_CHECK enum status invitation_store_find(struct app_call *call, struct uuid invitation_id,
                                             struct invitation **ret_invitation);
MUST_CHECK enum status invitation_store_lock(struct app_call *call, struct uuid invitation_id,
                                             struct invitation **ret_invitation);

// After `after` (zero = from the start), newest first, at most `limit`; fewer where their lists are long.
MUST_CHECK enum status invitation_store_list(struct app_call *call, enum invitation_state state,
                                             struct uuid after, int32_t limit,
                                             struct invitation_list *ret_list);

// The three moves. What is written is what the structure says after them; the links of an earlier generation,
// and all of one that was deactivated, are forgotten. ALREADY_EXISTS as for creation, when an expired
// invitation's address has been taken meanwhile.
MUST_CHECK enum status invitation_store_resend(struct app_call *call, const struct invitation *invitation);
MUST_CHECK enum status invitation_store_deactivate(struct app_call *call,
                                                   const struct invitation *invitation);
MUST_CHECK enum status invitation_store_accept(struct app_call *call, const struct invitation *invitation);

// Deactivates those that are pending and were made by that author (app_call_get_author()), in one round trip.
MUST_CHECK enum status invitation_store_deactivate_of_author(struct app_call *call, const char *author,
                                                             int64_t *ret_count);

// A link that works from the commit on.
MUST_CHECK enum status invitation_store_add_secret(struct app_call *call, const struct invitation *invitation,
                                                   const struct digest *digest);

// What a link is good for, whoever's it is. *ret_found is NULL for a link that is good for nothing: one
// look-up, whatever is wrong with it.
struct invitation_found {
    struct uuid company_id, invitation_id;
    const char *company_name;
    const char *email;
    int64_t expires_at_ms;
};
MUST_CHECK enum status invitation_store_find_by_secret(struct app_call *call, const struct digest *digest,
                                                       struct uuid request_id,
                                                       struct invitation_found **ret_found);

// Locks what a link was found to be good for. *ret_invitation is NULL where the link has died meanwhile: it
// was sent again, or ended, before the lock was had.
MUST_CHECK enum status invitation_store_lock_by_secret(struct app_call *call, struct uuid invitation_id,
                                                       const struct digest *digest,
                                                       struct invitation **ret_invitation);

// The name of the call's company; NULL in *ret_name if it is suspended.
MUST_CHECK enum status invitation_store_find_company_name(struct app_call *call, const char **ret_name);

#endif
