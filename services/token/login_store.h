// Log-ins in the database: the person, the token, the refusal, the list of both. Every function is one round
// trip within the call's transaction, and copies what it returns to the arena. A failure of the database
// itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_TOKEN_LOGIN_STORE_H
#define LATCHKEY_SERVICES_TOKEN_LOGIN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "services/token/login.h"
#include "services/token/login_rules.h"
#include "services/token/token_mint.h"

// One that has been removed is found where no present member is (a round trip more, but for an id, and one
// for an e-mail address beside an identity). Waits for whoever is removing the member, and keeps others from
// doing so until the call has ended. NOT_FOUND (MEMBER_NOT_FOUND).
MUST_CHECK enum status login_store_find_person(struct app_call *call, const struct login_draft *draft,
                                               struct login_person *ret_person);

// The company's entry that comes nearest to an address which no live one holds.
MUST_CHECK enum status login_store_find_near(struct app_call *call, const struct ip_address *address,
                                             struct login_near *ret_near);

// The login token with its secret; travels with the commit, until which `minted` must live.
MUST_CHECK enum status login_store_create(struct app_call *call, const struct login *login,
                                          const struct token_minted *minted);

// One more of its kind in this minute. A member's addresses beyond LOGIN_REFUSED_ADDRESSES_MAX in a minute
// are counted without telling them apart.
#define LOGIN_REFUSED_ADDRESSES_MAX 20
MUST_CHECK enum status login_store_add_refusal(struct app_call *call, struct uuid member_id,
                                               const struct login_draft *draft, enum reason reason);

// `*ret_login` NULL: the call's company has no such login token.
MUST_CHECK enum status login_store_find(struct app_call *call, struct uuid token_id,
                                        struct login **ret_login);

// Ends it, unless it has ended.
MUST_CHECK enum status login_store_deactivate(struct app_call *call, struct uuid token_id,
                                              bool *ret_has_changed);

// All of a member; how many were active. NOT_FOUND (MEMBER_NOT_FOUND).
MUST_CHECK enum status login_store_deactivate_all(struct app_call *call, struct uuid member_id,
                                                  int64_t *ret_count);

struct authentication_list {
    struct authentication *rows;
    size_t count;
    bool has_more;
};

// Log-ins and refusals after `after` (zero = from the start), newest first, at most `limit`; of one member,
// or with zero of all.
MUST_CHECK enum status login_store_list(struct app_call *call, struct uuid member_id, struct uuid after,
                                        int32_t limit, struct authentication_list *ret_list);

#endif
