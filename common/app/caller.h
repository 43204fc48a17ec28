// Who makes a management call: the token it presented, whose that is, for which company it acts and what it
// may do. Being admitted is a decision like any other (common/access/decision.h), on channel API and from the
// caller's address, read in the transaction of the call itself, so that a token deactivated a moment ago does
// nothing any more.
#ifndef LATCHKEY_COMMON_APP_CALLER_H
#define LATCHKEY_COMMON_APP_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/access/group_list.h"
#include "common/access/permission.h"
#include "common/app/deployment.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/typeid.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/db/transaction.h"
#include "common/ip/address.h"

// What a call presents, gathered on the loop.
struct caller_credentials {
    struct digest digest; // of the secret, which has the right shape
    struct ip_address address;
    struct bytes company; // metadata latchkey-company; empty = its own
    struct bytes claim;   // caller_claim_find()
};

// Lives in the arena of its call, and no longer than the deployment that it was recognised in is held.
struct caller {
    struct uuid company_id; // for which it acts: its own, or the one that an operator named
    uint8_t lane;           // of company_id
    bool is_acting;         // an operator acts for a company that is not its own

    struct uuid token_id;
    struct uuid member_id;       // zero = the token is owned by the company
    struct uuid home_company_id; // of the token
    bool is_operator_company;    // the token's own company is the operator
    const char *token_label;
    const char *member_email; // "" = owned by the company
    struct digest digest;     // of the secret that it presented
    const char *permission;   // that it was admitted with; NULL = none was needed
    struct ip_address address;
    int64_t now_ms; // the database's time of the transaction

    // The token itself, for "never more than its maker". The subject's IP sets are gone: they were for the
    // decision.
    struct access_subject subject;
    struct ip_prefix *allowed_ips; // none = any
    size_t allowed_ip_count;
    struct bytes *allowed_domains; // none = any
    size_t allowed_domain_count;
    struct ip_prefix *member_ips; // its member's own list; none = any
    size_t member_ip_count;
    struct group_list groups; // that its token and its member both hold

    const struct permission_catalogue *catalogue; // all present names; the deployment's
};

// In which transaction who is looked up, and what for.
struct caller_question {
    struct db_transaction *transaction;
    struct deployment_cache *deployments;
    const struct caller_credentials *credentials;
    const char *permission; // NULL = none is needed
    struct arena *arena;
    struct fault *fault;
};

// Reads the caller in the transaction, decides, and sets the company for row-level security. On failure the
// fault is filled: UNAUTHENTICATED for a secret that is unknown or dead, PERMISSION_DENIED when a good one is
// not of the caller that the call claims (CALLER_MISMATCH), or else with the decision's reason for the rest.
// NOT_FOUND for a company to act for that does not exist. `*ret_deployment` (NULL before) may be held also on
// failure: whoever calls this releases it.
MUST_CHECK enum status caller_authenticate(const struct caller_question *question,
                                           const struct deployment **ret_deployment,
                                           struct caller **ret_caller);

// For a call that waits for a lock: who was changed by whoever held it may be the caller. The look is for the
// same round trip, behind the lock and before anything is changed. ABORTED without a fault where the caller
// would be refused by now, is somebody else's, may do or give something else, from elsewhere or for another
// time than when it was admitted: the frame begins anew, and authentication has the last word.
struct db_command caller_look_again(const struct caller *caller, struct db_params *params,
                                    struct arena *arena);
MUST_CHECK enum status caller_check_again(const struct caller *caller, const struct db_command *look,
                                          struct arena *arena, struct fault *fault);

// For a change that takes its locks itself: the look comes behind it. Where the change has ended the caller's
// own token, that is no reason to refuse it; all others are.
enum caller_end { CALLER_NOT_ENDED, CALLER_ENDED_ITSELF };
MUST_CHECK enum status caller_check_after_change(const struct caller *caller, const struct db_command *look,
                                                 enum caller_end end, struct arena *arena,
                                                 struct fault *fault);

// For rules that depend on the object: what the caller may do now.
bool caller_has_permission(const struct caller *caller, const char *permission);

// PERMISSION_DENIED (PERMISSION_MISSING) unless it has.
MUST_CHECK enum status caller_require(const struct caller *caller, const char *permission,
                                      struct fault *fault);

// Everything that it may do now, for GetCaller and for "never more than its maker". NULL when out of memory.
MUST_CHECK const struct permission_set *caller_get_permissions(const struct caller *caller,
                                                               struct arena *arena);

// Under which id objects and the log name whoever made or changed them: the member, or the token where the
// company owns that.
struct typeid caller_get_author(const struct caller *caller);

#endif
