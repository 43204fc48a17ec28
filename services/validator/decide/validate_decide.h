// The answer to one question over one image: shape of the secret, look-up, decision, and what the asker may
// see of it. Pure: no I/O, no clock; nothing is allocated but the list of permissions in the arena. Reader
// thread, online.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_DECIDE_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/app/use_table.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/typeid.h"
#include "services/validator/decide/validate_asker.h"
#include "services/validator/decide/validate_key.h"
#include "services/validator/decide/validate_question.h"
#include "services/validator/decide/validate_subject.h"
#include "services/validator/image/permission_tail.h"

// Of the ids of tokens, companies and members.
#define VALIDATE_ID_LENGTH (sizeof(((struct typeid *)0)->text) - 1)

// As it goes to the asker: what they may not see is not in it. Borrows from the image, the question and the
// arena, so it is written out before the thread goes offline. `token_id` points into the answer itself, which
// does not move.
struct validate_answer {
    enum reason reason; // REASON_OK, and nothing else, admits
    struct bytes revision;
    struct bytes company_id;
    struct bytes token_id;
    struct bytes member_id;
    struct bytes company_external_id;
    struct bytes token_external_id;
    enum token_kind kind;
    int64_t expires_at_ms;    // CLOCK_NEVER_MS = not told, or never
    struct bytes permissions; // permission_tail.h
    const struct bytes *missing;
    size_t missing_count;
    struct typeid token_id_text;

    // Not for the asker: what to note of it. Of a refusal the reason in truth, and whose token it was; zero
    // where no token was found that the asker may know of.
    struct use use; // kind USE_NONE = nothing but the question's address and when it was asked
    enum reason true_reason;
    struct uuid denied_company_id, denied_token_id;
};

// The question in the catalogue's numbers. why a memory of its own: 2 KiB, and only what is asked for is
// written.
struct validate_numbers {
    uint32_t permissions[VALIDATE_PERMISSIONS_MAX];
    uint32_t any_permissions[VALIDATE_PERMISSIONS_MAX];
};

// What access_decide() takes; borrows from `question` and `numbers`.
void validate_make_request(const struct validate_view *view, const struct validate_question *question,
                           const struct permission_catalogue *catalogue, struct validate_numbers *numbers,
                           struct access_request *ret_request);

// `question` has passed validate_question_check(). NO_MEMORY when the arena has run out.
MUST_CHECK enum status validate_decide(const struct validate_view *view, const struct validate_asker *asker,
                                       const struct validate_question *question, struct arena *arena,
                                       struct validate_answer *ret_answer);

// The same once the key of its token was made and advanced.
MUST_CHECK enum status validate_decide_by_key(const struct validate_view *view,
                                              const struct validate_asker *asker,
                                              const struct validate_question *question,
                                              const struct validate_key *key, struct arena *arena,
                                              struct validate_answer *ret_answer);

// The same once the token was looked up; its company is there.
MUST_CHECK enum status validate_decide_subject(const struct validate_view *view,
                                               const struct validate_asker *asker,
                                               const struct validate_question *question,
                                               const struct validate_subject *subject, struct arena *arena,
                                               struct validate_answer *ret_answer);

// The answer where no token is looked up: a refusal, or NOT_CURRENT.
//
// A secret that names a lane which is not served here is NOT_CURRENT, whoever decides and asks: whether there
// is such a token others know.
void validate_refuse(const struct validate_view *view, const struct validate_asker *asker, enum reason reason,
                     unsigned lane, struct validate_answer *ret_answer);

#endif
