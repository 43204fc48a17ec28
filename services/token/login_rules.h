// Who may log in, and from where. Pure: the decision is that of common/access, made for the login token that
// is not there yet; what is refused is told with the address and the entry that came nearest.
#ifndef LATCHKEY_SERVICES_TOKEN_LOGIN_RULES_H
#define LATCHKEY_SERVICES_TOKEN_LOGIN_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/ip/address.h"
#include "common/ip/ip_set.h"

#define LOGIN_USER_AGENT_MAX 500 // characters; the rest is cut off

// Settings.
struct login_limits {
    int64_t lifetime_ms; // where the company's policy says nothing
};

// As it was typed.
struct login_wish {
    const char *member_id, *email, *issuer, *subject, *client_ip, *user_agent;
    int channel; // number of latchkey.v1.Channel
};

enum login_key { LOGIN_BY_ID, LOGIN_BY_EMAIL, LOGIN_BY_SUBJECT };

// As it is looked up and stored.
struct login_draft {
    enum login_key key;
    struct uuid member_id;        // BY_ID
    struct bytes email;           // BY_EMAIL; BY_SUBJECT: of whom the identity is, "" = not said
    struct bytes issuer, subject; // BY_SUBJECT
    struct ip_address address;    // no family = none was given
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
    struct bytes user_agent;
    uint8_t channel; // enum channel
};

// INVALID names every bad field. Borrows from the wish.
MUST_CHECK enum status login_check_wish(const struct login_wish *wish, struct fault *fault,
                                        struct login_draft *ret_draft);

// The member that is to be logged in, with the lists that apply. Zeroed memory is refused.
struct login_person {
    struct uuid member_id;
    bool is_of_operator;
    bool is_company_suspended;
    bool is_removed;
    bool is_whitelist_enabled;
    uint8_t whitelist_scope;          // enum whitelist_scope
    const struct ip_set *company_ips; // NULL = nobody
    const struct ip_set *member_ips;  // NULL = no restriction
    int64_t lifetime_ms;              // the company's policy; 0 = the deployment's default
};

// REASON_OK, or why this person can't be logged in.
enum reason login_decide(const struct login_person *person, const struct login_draft *draft, int64_t now_ms);

// What a list holds that comes nearest to an address which it does not let in.
struct login_near {
    bool is_there;
    struct ip_prefix prefix;
    bool holds_address; // but it is disabled, or has ended
    unsigned common_bits;
};

// Of a member's own list.
struct login_near login_find_near(const struct ip_set *list, const struct ip_address *address,
                                  int64_t now_ms);

// The refusal in words; returns the fault's status. `reason` is one that login_decide() gives.
enum status login_refuse(struct fault *fault, enum reason reason, const struct login_draft *draft,
                         const struct login_near *near);

#endif
