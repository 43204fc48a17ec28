// A decision and how it came about: what Validate answers, and every check with the values it compared. Pure,
// and without a trace: nothing is counted, no use is noted. Reader thread, online, or the writer's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_EXPLAIN_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_EXPLAIN_H

#include "common/access/explain.h"
#include "services/validator/decide/validate_decide.h"

struct validate_explanation {
    struct validate_answer answer;
    bool has_shape; // else nothing was looked up, and that is all there is to tell
    struct access_explanation access;
};

// About the token that the question presents. `asker` is told about its own company's tokens only: another's
// is as good as none. Borrows as an answer does. NO_MEMORY.
MUST_CHECK enum status validate_explain(const struct validate_view *view, const struct validate_asker *asker,
                                        const struct validate_question *question, struct arena *arena,
                                        struct validate_explanation *ret_explanation);

// About one that was looked up, which the asker may be told about.
MUST_CHECK enum status validate_explain_subject(const struct validate_view *view,
                                                const struct validate_asker *asker,
                                                const struct validate_question *question,
                                                const struct validate_subject *subject, struct arena *arena,
                                                struct validate_explanation *ret_explanation);

#endif
