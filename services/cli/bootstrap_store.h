// The statements of bootstrap.c.
#ifndef LATCHKEY_SERVICES_CLI_BOOTSTRAP_STORE_H
#define LATCHKEY_SERVICES_CLI_BOOTSTRAP_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/db/transaction.h"

// Zero UUIDs stand for what is not there.
struct bootstrap_state {
    struct uuid operator_company, demo_company;
    int64_t foreign_companies;
};

enum bootstrap_kind { BOOTSTRAP_OPERATOR, BOOTSTRAP_DEMO };

struct bootstrap_member {
    struct uuid company_id, member_id;
    const char *email, *display_name;
};

struct bootstrap_token {
    struct uuid company_id, member_id, token_id;
    const char *label;
    enum bootstrap_kind kind; // the operator's is granted the operator-only permissions, too
};

struct bootstrap_store {
    struct db_transaction *transaction;
    struct arena *arena;
    struct app_call call; // as which it stands in the audit log
};

void bootstrap_store_init(struct bootstrap_store *store, struct db_transaction *transaction,
                          struct fault *fault, struct arena *arena);

// Notes an event in the company's audit log; `after` is JSON. Written with the commit by
// bootstrap_store_end().
MUST_CHECK enum status bootstrap_store_note(struct bootstrap_store *store, struct uuid company_id,
                                            const char *action, const char *object_id, const char *after);
MUST_CHECK enum status bootstrap_store_end(struct bootstrap_store *store);

// Waits for its turn and says what is there.
MUST_CHECK enum status bootstrap_store_begin(struct bootstrap_store *store,
                                             struct bootstrap_state *ret_state);

// The company with its built-in role and an empty whitelist, which is off.
MUST_CHECK enum status bootstrap_store_add_company(struct bootstrap_store *store, struct uuid company_id,
                                                   const char *name, enum bootstrap_kind kind);

// The role of the operator-only permissions as they are now: made, or brought up to date.
MUST_CHECK enum status bootstrap_store_put_operator_role(struct bootstrap_store *store,
                                                         struct uuid company_id);

// With the roles of an administrator, and in the operator's company of the operator.
MUST_CHECK enum status bootstrap_store_add_member(struct bootstrap_store *store,
                                                  const struct bootstrap_member *member);

// The company's first administrator, rather one who has the operator's role too; the zero UUID if there is
// none.
MUST_CHECK enum status bootstrap_store_find_member(struct bootstrap_store *store, struct uuid company_id,
                                                   struct uuid *ret_member_id);

// Gives it what it lacks of the roles of a new one; how many those were.
MUST_CHECK enum status bootstrap_store_give_roles(struct bootstrap_store *store, struct uuid company_id,
                                                  struct uuid member_id, int64_t *ret_count);

// Our token of that member if it still can be used, granted everything that there is now, its secrets gone;
// or the zero UUID, after one that can't be used has been deactivated.
MUST_CHECK enum status bootstrap_store_renew_token(struct bootstrap_store *store,
                                                   const struct bootstrap_token *token,
                                                   struct uuid *ret_token_id);

MUST_CHECK enum status bootstrap_store_add_token(struct bootstrap_store *store,
                                                 const struct bootstrap_token *token);
MUST_CHECK enum status bootstrap_store_add_secret(struct bootstrap_store *store,
                                                  const struct bootstrap_token *token,
                                                  const struct digest *digest, const char *hint);

#endif
