// A token never exceeds its maker: it may do nothing that the maker may not do, from nowhere the maker may
// not be, and no longer. Pure.
//
// But it may be good on a channel that the maker is not: that is where a secret is used, no right. Whoever
// makes tokens calls on channel API, and all of the first ones are good on that alone.
//
// What changes by itself bounds it too. A group covers what the catalogue gets later, so it is given by who
// holds the group, not by who holds all its names of today. And the own list of the maker's member binds a
// token of that same member at each decision, whatever it becomes; any other token needs it written down.
//
// A login token stands for a person whose own time has no end, so it bounds everything but the expiry: what a
// person makes outlives the log-in.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_GRANT_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_GRANT_H

#include <stddef.h>
#include <stdint.h>

#include "common/access/group_list.h"
#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/prefix_list.h"
#include "services/token/token_rules.h"

// Who makes the token, as the token that it presented says.
struct token_maker {
    const struct permission_catalogue *catalogue;
    const struct permission_set *permissions; // what it may do now
    struct group_list groups;                 // and of what comes
    struct prefix_list ips;                   // reduced (prefix_list_reduce()); none = any
    struct uuid member_id;                    // whose it is; zero = the company's
    struct prefix_list member_ips;            // of that member, reduced; none = any
    const struct bytes *domains;              // canonical patterns; none = any
    size_t domain_count;
    int64_t expires_at_ms; // CLOCK_NEVER_MS also for a login token
};

// PERMISSION_DENIED (GRANT_EXCEEDS_CALLER) with everything that is too much among the details; NO_MEMORY.
// `owner_id`: the member who is to own the token, zero = the company.
MUST_CHECK enum status token_check_grant(const struct token_draft *draft, struct uuid owner_id,
                                         const struct token_maker *maker, struct arena *arena,
                                         struct fault *fault);

#endif
