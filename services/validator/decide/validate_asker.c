#include "services/validator/decide/validate_asker.h"

#include "common/app/caller_claim.h"
#include "common/app/refusal.h"
#include "common/base/typeid.h"
#include "services/validator/decide/validate_subject.h"

enum { RETRY_AFTER_MS = 1000 };

static bool holds(const struct access_subject *access, const struct permission_catalogue *catalogue,
                  const char *permission) {
    return access_has_permission(access, permission_catalogue_find_id(catalogue, bytes_of_text(permission)));
}

// why asked first: hardly anybody claims anything, and an id is not to be written for all others.
static enum status check_claim(struct bytes claim, const struct validate_subject *subject,
                               struct fault *fault) {
    if (!claim.data)
        return STATUS_OK;
    if (subject->member)
        return caller_claim_check(claim, subject->member->id_text, fault);
    return caller_claim_check(claim, typeid_of(TYPEID_TOKEN, subject->record->token_id).text, fault);
}

enum status validate_fail_not_served(struct fault *fault) {
    fault_set_retry_after_ms(fault, RETRY_AFTER_MS);
    return fault_set(fault, STATUS_UNAVAILABLE, "LANE_NOT_SERVED",
                     "this validator does not serve the lane of this token or revision: ask one that does");
}

static enum status admit_bearer(const struct image *image, const struct bearer_shape *shape, int64_t now_ms,
                                const struct validate_presence *presence, struct fault *fault,
                                struct validate_asker *asker) {
    const struct access_request request = {
        .now_ms = now_ms, .address = presence->address, .channel = CHANNEL_API};
    unsigned lane;
    enum status status = bearer_check(presence->secret, shape, fault, &asker->digest, &lane);
    if (status != STATUS_OK)
        return status;
    if (!image_serves(image, lane))
        return validate_fail_not_served(fault);
    struct validate_subject subject;
    bool is_found = validate_subject_find(image, &asker->digest, &subject);
    // why without a branch: as in validate_decide_by_key().
    const enum reason reasons[] = {
        [false] = REASON_UNKNOWN, [true] = access_decide(&subject.access, &request)};
    enum reason reason = reasons[is_found];
    if (reason_is_of_use(reason))
        status = check_claim(presence->claim, &subject, fault);
    if (status != STATUS_OK)
        return status;
    if (reason != REASON_OK)
        return refusal_set(fault, presence->folds_reasons ? validate_fold_reason(reason) : reason,
                           &presence->address, NULL);

    const struct permission_catalogue *catalogue = image_get_catalogue(image);
    asker->has_bearer = true;
    asker->company_id = subject.company->company_id;
    asker->token_id = subject.record->token_id;
    asker->has_any |= holds(&subject.access, catalogue, "latchkey.validate.any");
    asker->has_detail |= holds(&subject.access, catalogue, "latchkey.validate.detail");
    return STATUS_OK;
}

enum status validate_asker_identify(const struct image *image, const struct bearer_shape *shape,
                                    int64_t now_ms, const struct validate_presence *presence,
                                    struct fault *fault, struct validate_asker *ret_asker) {
    *ret_asker =
        (struct validate_asker){.address = presence->address,
                                .is_local = presence->is_local,
                                .has_any = presence->client_rights & CLIENT_RIGHT_VALIDATE_ANY,
                                .has_detail = presence->client_rights & CLIENT_RIGHT_VALIDATE_DETAIL};
    if (!presence->is_local && !ret_asker->has_any)
        return admit_bearer(image, shape, now_ms, presence, fault, ret_asker);
    if (presence->secret.len == 0)
        return STATUS_OK;
    // why in an arena of its own: a stream's would grow with each time that its asker is looked at.
    struct arena arena;
    struct fault ignored;
    arena_init(&arena, 0);
    fault_init(&ignored, &arena);
    (void)!admit_bearer(image, shape, now_ms, presence, &ignored, ret_asker);
    arena_fini(&arena);
    return STATUS_OK;
}

bool validate_asker_holds(const struct image *image, const struct validate_asker *asker,
                          const char *permission) {
    struct validate_subject subject;
    return asker->has_bearer && validate_subject_find(image, &asker->digest, &subject) &&
           holds(&subject.access, image_get_catalogue(image), permission);
}

static bool is_own(const struct validate_asker *asker, struct uuid company_id) {
    return asker->has_bearer & uuid_is_equal(asker->company_id, company_id);
}

// why without a branch: the time does not tell whose token it is.
bool validate_asker_sees(const struct validate_asker *asker, struct uuid company_id) {
    return asker->is_local | asker->has_any | is_own(asker, company_id);
}

bool validate_asker_sees_detail(const struct validate_asker *asker, struct uuid company_id) {
    return asker->has_detail && (asker->has_any || is_own(asker, company_id));
}
