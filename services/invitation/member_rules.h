// What a member must be like. Pure: every bad field of a request is named in the fault at once, with a
// sentence that says what to type instead; what passes comes out in the form in which it is stored.
#ifndef LATCHKEY_SERVICES_INVITATION_MEMBER_RULES_H
#define LATCHKEY_SERVICES_INVITATION_MEMBER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/caller.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/ip/address.h"
#include "services/invitation/member.h"

// Fixed by the contract, in characters unless said.
#define MEMBER_NAME_MAX 100
#define MEMBER_EXTERNAL_ID_MAX 255
#define MEMBER_ISSUER_BYTES_MAX 255
#define MEMBER_IPS_MAX 10000

// The fields that an update may name.
enum member_field {
    MEMBER_EMAIL,
    MEMBER_DISPLAY_NAME,
    MEMBER_ROLE_IDS,
    MEMBER_ALLOWED_IPS,
    MEMBER_ISSUER,
    MEMBER_SUBJECT,
    MEMBER_EXTERNAL_ID,
    MEMBER_FIELD_COUNT
};
#define MEMBER_FIELDS_ALL ((UINT32_C(1) << MEMBER_FIELD_COUNT) - 1)

// As it was typed.
struct member_wish {
    uint32_t fields;  // bits by enum member_field: the others are not looked at
    const char *path; // before the names of fields: "" or "member."
    const char *email, *display_name, *issuer, *subject, *external_id;
    char *const *role_ids;
    size_t role_id_count;
    char *const *allowed_ips;
    size_t allowed_ip_count;
};

// Puts the wished fields into the draft. INVALID with every bad field, or NO_MEMORY; the draft is then of no
// use.
MUST_CHECK enum status member_check_wish(const struct member_wish *wish, struct arena *arena,
                                         struct fault *fault, struct member_draft *draft);

// Issuer and subject stand together or not at all.
MUST_CHECK enum status member_check_identity(const struct member_draft *draft, const char *path,
                                             struct fault *fault);

// FAILED_PRECONDITION (LOCKS_OUT_CALLER) if the caller's own new list does not hold the caller's address.
MUST_CHECK enum status member_check_lock_out(const struct member_draft *draft,
                                             const struct ip_address *caller, struct fault *fault);

// A list that reaches further than the one before makes secrets that are there good from elsewhere. So what
// is added must lie in every list that bounds the caller, its token's and its own as a member: nobody lets
// himself in from elsewhere, nor anybody from where he may not be. PERMISSION_DENIED (GRANT_EXCEEDS_CALLER),
// NO_MEMORY.
MUST_CHECK enum status member_check_let_in(const struct prefix_list *after, const struct prefix_list *before,
                                           const struct caller *caller, struct arena *arena,
                                           struct fault *fault);

// Whether somebody else would be this member: another address, or another person at an identity provider.
bool member_is_other_person(const struct member_draft *a, const struct member_draft *b);

bool member_draft_is_equal(const struct member_draft *a, const struct member_draft *b);

#endif
