#include "services/validator/decide/validate_explain.h"

// NULL: nobody.
static enum status explain_access(const struct validate_view *view, const struct validate_question *question,
                                  const struct validate_subject *subject, struct arena *arena,
                                  struct validate_explanation *explanation) {
    const struct permission_catalogue *catalogue = image_get_catalogue(view->image);
    struct validate_numbers numbers;
    struct access_request request;
    validate_make_request(view, question, catalogue, &numbers, &request);
    explanation->has_shape = true;
    return access_explain(subject ? &subject->access : NULL, &request, catalogue, arena,
                          &explanation->access);
}

// For whom other companies are not there, wherever they ask from.
static struct validate_asker confine(const struct validate_asker *asker) {
    struct validate_asker confined = *asker;
    confined.is_local = confined.has_any = false;
    return confined;
}

enum status validate_explain(const struct validate_view *view, const struct validate_asker *asker,
                             const struct validate_question *question, struct arena *arena,
                             struct validate_explanation *ret_explanation) {
    const struct validate_asker confined = confine(asker);
    struct validate_subject subject;
    struct validate_key key;
    validate_key_make(view, question->token, &key);
    validate_key_advance(view, &key);
    enum status status =
        validate_decide_by_key(view, &confined, question, &key, arena, &ret_explanation->answer);
    ret_explanation->has_shape = key.has_shape;
    if (status != STATUS_OK || !key.has_shape || ret_explanation->answer.reason == REASON_NOT_CURRENT)
        return status;
    bool is_told = validate_subject_find(view->image, &key.digest, &subject) &&
                   validate_asker_sees(&confined, subject.company->company_id);
    return explain_access(view, question, is_told ? &subject : NULL, arena, ret_explanation);
}

enum status validate_explain_subject(const struct validate_view *view, const struct validate_asker *asker,
                                     const struct validate_question *question,
                                     const struct validate_subject *subject, struct arena *arena,
                                     struct validate_explanation *ret_explanation) {
    const struct validate_asker confined = confine(asker);
    enum status status =
        validate_decide_subject(view, &confined, question, subject, arena, &ret_explanation->answer);
    if (status != STATUS_OK)
        return status;
    return explain_access(view, question, subject, arena, ret_explanation);
}
