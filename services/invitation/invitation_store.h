// Invitations in the database, within the call's transaction and company; what is returned lives in the
// call's arena. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_STORE_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/db/transaction.h"
#include "services/invitation/invitation.h"

// Whether somebody can be invited under these addresses, as a look (membership_lock()); then for the i-th of
// them: ALREADY_EXISTS (MEMBER_EXISTS, INVITATION_PENDING), and which is the first of those that are the same
// but for case, itself if no earlier one is.
struct db_command invitation_store_look_for_emails(const struct app_call *call, const struct bytes *emails,
                                                   size_t count, struct db_params *params);
MUST_CHECK enum status invitation_store_check_email(struct app_call *call, const struct db_command *look,
                                                    size_t i, const char *email);
size_t invitation_store_get_first_alike(const struct db_command *look, size_t i);

// Fills the fault: ALREADY_EXISTS (INVITATION_PENDING).
MUST_CHECK enum status invitation_store_tell_pending(struct app_call *call, const char *email);

// Makes those whose addresses have been checked, all with the same times and author, and executes `mails`
// behind them in the same round trip. Expired invitations of the same addresses give them up. ABORTED where
// somebody else was quicker.
MUST_CHECK enum status invitation_store_create(struct app_call *call, const struct invitation *invitations,
                                               size_t count, struct db_command mails);

// NOT_FOUND (INVITATION_NOT_FOUND). The second one locks it until the transaction ends: whatever moves it
// comes through here first, or through the same as a look.
MUST_CHECK enum status invitation_store_find(struct app_call *call, struct uuid invitation_id,
                                             struct invitation **ret_invitation);
MUST_CHECK enum status invitation_store_lock(struct app_call *call, struct uuid invitation_id,
                                             struct invitation **ret_invitation);
struct db_command invitation_store_look_locking(const struct app_call *call, struct uuid invitation_id,
                                                struct db_params *params);
MUST_CHECK enum status invitation_store_read(struct app_call *call, const struct db_command *look,
                                             struct uuid invitation_id, struct invitation **ret_invitation);

// Whether an active member has the invitation's address by now, as a look; then ALREADY_EXISTS
// (MEMBER_EXISTS).
struct db_command invitation_store_look_for_member(const struct app_call *call, struct uuid invitation_id,
                                                   struct db_params *params);
MUST_CHECK enum status invitation_store_check_member(struct app_call *call, const struct db_command *look,
                                                     const struct invitation *invitation);

// After `after` (zero = from the start), newest first, at most `limit`; fewer where their lists are long.
MUST_CHECK enum status invitation_store_list(struct app_call *call, enum invitation_state state,
                                             struct uuid after, int32_t limit,
                                             struct invitation_list *ret_list);

// The three moves. What is written is what the structure says after them; the links of an earlier generation,
// and all of one that was deactivated, are forgotten. The first executes `mail` behind it in the same round
// trip: ALREADY_EXISTS as for creation, when an expired invitation's address has been taken meanwhile. The
// other two travel with the commit.
MUST_CHECK enum status invitation_store_resend(struct app_call *call, const struct invitation *invitation,
                                               struct db_command *mail);
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

// Locks what a link was found to be good for, and reads its roles (role_store_look_of_invitation()) in the
// same round trip. *ret_invitation is NULL where the link has died meanwhile: it was sent again, or ended,
// before the lock was had.
MUST_CHECK enum status invitation_store_lock_by_secret(struct app_call *call, struct uuid invitation_id,
                                                       const struct digest *digest, struct db_command *roles,
                                                       struct invitation **ret_invitation);

// The name of the call's company; NULL in *ret_name if it is suspended.
MUST_CHECK enum status invitation_store_find_company_name(struct app_call *call, const char **ret_name);

#endif
