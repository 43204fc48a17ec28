// Who makes a management call: the token it presented, whose it is, for which company it acts and what it may
// do. Being admitted is a decision like any other (common/access/decision.h) over channel API and the
// caller's address, read in the transaction of the call itself, so that a token deactivated a moment ago does
// nothing any more.
#ifndef LATCHKEY_COMMON_APP_CALLER_H
#define LATCHKEY_COMMON_APP_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"
#include "common/db/transaction.h"
#include "common/ip/address.h"

// Lives in the arena of its call.
struct caller {
    struct uuid company_id; // that it acts for: its own, or the one an operator named
    struct uuid home_company_id;
    struct uuid token_id;
    struct uuid member_id; // zero = the token is owned by the company
    struct access_subject subject;
    struct permission_catalogue *catalogue; // present names, in the call's arena
    struct ip_address address;
    uint8_t lane;     // of company_id
    bool is_operator; // acts for another company by latchkey.operate
};

// What a call presents, gathered on the loop.
struct caller_credentials {
    struct digest digest;
    struct ip_address address;
    struct bytes company; // metadata latchkey-company; empty = its own
};

#endif
