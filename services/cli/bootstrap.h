// What `latchkey bootstrap` makes, in SQL alone: never an RPC, so that whoever holds the database's password,
// and nobody else, can make an operator.
//
// The operator's company has one member with two roles: the built-in administrator's, and one that holds the
// operator-only permissions. The demo company has an administrator. Each of the two has an access token that
// the token's external id marks as ours, so that a later run finds it.
#ifndef LATCHKEY_SERVICES_CLI_BOOTSTRAP_H
#define LATCHKEY_SERVICES_CLI_BOOTSTRAP_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/uuid.h"
#include "common/crypto/secret.h"
#include "common/db/transaction.h"

#define BOOTSTRAP_TOKEN_EXTERNAL_ID "latchkey:bootstrap"

enum bootstrap_mode {
    BOOTSTRAP_FIRST,  // refuses a database that has an operator
    BOOTSTRAP_ROTATE, // refuses one that has none; new secrets, the old ones dead
};

struct bootstrap_request {
    struct arena *arena;
    enum bootstrap_mode mode;
    bool with_demo;
    const char *brand; // of secrets, two letters
    const char *email; // of a new operator's member
};

// A company, its member, and the member's token with the secret that was just made: wipe it after use.
struct bootstrap_identity {
    struct uuid company_id, member_id, token_id;
    struct secret secret;
};

struct bootstrap_result {
    struct bootstrap_identity operator, demo; // demo only if it was asked for
};

// FAILED_PRECONDITION: BOOTSTRAPPED_ALREADY, NOT_BOOTSTRAPPED, DATABASE_IN_USE. A sql_work but for its
// types.
enum status bootstrap_run(struct db_transaction *transaction, struct fault *fault,
                          const struct bootstrap_request *request, struct bootstrap_result *ret_result);

#endif
