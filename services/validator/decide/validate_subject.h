// From a digest to the token that has it, with its owner and company, put together for one decision. Pure:
// reads the image. Reader thread, online; all that is found is good until the thread goes offline
// (quiescence.h).
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_SUBJECT_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_SUBJECT_H

#include <stdbool.h>

#include "common/access/decision.h"
#include "common/base/compiler.h"
#include "services/validator/image/image.h"

struct validate_subject {
    const struct token_record *record;
    const struct token_extra *extra; // NULL = nothing of it
    const struct company_facts *company;
    const struct member_facts *member; // NULL = owned by the company, or removed with its row
    struct access_subject access;      // what access_decide() goes by
    bool is_decoy;                     // another token than the one that was asked about
};

// False where no token has the digest, or its company is not known. `ret` is then a decoy, deactivated: who
// goes on with it all the same takes as long as with a token that is. Without any other one, its company is
// NULL.
MUST_CHECK bool validate_subject_find(const struct image *image, const struct digest *digest,
                                      struct validate_subject *ret);

// The same once the record was looked up; `is_found` false: it is a decoy, or NULL. Of NULL
// nothing else is looked at.
void validate_subject_take(const struct image *image, const struct token_record *record, bool is_found,
                           struct validate_subject *ret);

// The token is there, but for whoever asks it must not be, if `is_hidden`.
void validate_subject_hide(struct validate_subject *subject, bool is_hidden);

#endif
