// What one call decides by until the end of its loop's turn: the image as it is now, fresh enough to decide,
// and who asks. Whoever decides in several turns begins each of them anew: a lease runs out, and the asker's
// own token may have ended meanwhile.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_TURN_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_TURN_H

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/call.h"
#include "services/validator/decide/validate_decide.h"
#include "services/validator/decide/validate_service.h"

struct validate_turn {
    struct validate_loop *mine; // of the call's loop
    struct validate_view view;
    struct validate_asker asker;
};

// Who may ask: whoever may validate, or a bearer only, wherever they ask from.
enum validate_askers { VALIDATE_ANYBODY, VALIDATE_BEARERS };

// Loop thread. UNAVAILABLE: not current. UNAUTHENTICATED, PERMISSION_DENIED: who may not ask. Each counted,
// and the fault filled.
MUST_CHECK enum status validate_turn_begin(const struct validate_service *service,
                                           const struct grpc_call *transport, enum validate_askers askers,
                                           struct fault *fault, struct validate_turn *ret_turn);

// PERMISSION_DENIED, and the fault filled, where the asker is no bearer that holds it.
MUST_CHECK enum status validate_turn_require(const struct validate_turn *turn, const char *permission,
                                             struct fault *fault);

// The same as the two for a method that also a certificate opens (client_rights.h), to whatever company.
MUST_CHECK enum status validate_turn_begin_watching(const struct validate_service *service,
                                                    const struct grpc_call *transport, const char *permission,
                                                    struct fault *fault, struct validate_turn *ret_turn);

// The same where a lost history is no reason to refuse: who might watch by what was known then.
MUST_CHECK enum status validate_turn_begin_reporting(const struct validate_service *service,
                                                     const struct grpc_call *transport,
                                                     const char *permission, struct fault *fault,
                                                     struct validate_turn *ret_turn);

// Decides about one question: counts it, and notes what it used or was refused (validate_note.h). NO_MEMORY.
MUST_CHECK enum status validate_turn_answer(const struct validate_turn *turn,
                                            const struct validate_question *question, struct arena *arena,
                                            struct validate_answer *ret_answer);

// The same of one of many, whose key was made and advanced (validate_decide.h).
MUST_CHECK enum status validate_turn_decide(const struct validate_turn *turn,
                                            const struct validate_question *question,
                                            const struct validate_key *key, struct arena *arena,
                                            struct validate_answer *ret_answer);

// Where the answer of one question is NOT_CURRENT, or its min_revision is of a lane that is not served:
// validate_fail_not_served(), counted.
MUST_CHECK enum status validate_turn_fail_not_served(const struct validate_turn *turn, struct fault *fault);

// validate_refuse(), counted.
void validate_turn_refuse(const struct validate_turn *turn, enum reason reason, unsigned lane,
                          struct validate_answer *ret_answer);

#endif
