#include "services/validator/validate_decide.h"

#include "common/base/clock.h"
#include "services/validator/validate_subject.h"

// The question in the catalogue's numbers. why on the stack: 2 KiB, and only what is asked for is written.
struct numbers {
    uint32_t permissions[VALIDATE_PERMISSIONS_MAX];
    uint32_t any_permissions[VALIDATE_PERMISSIONS_MAX];
};

static void find_ids(const struct permission_catalogue *catalogue, const struct bytes *names, size_t count,
                     uint32_t *ret_ids) {
    for (size_t i = 0; i < count; i++)
        ret_ids[i] = permission_catalogue_find_id(catalogue, names[i]);
}

static struct access_request make_request(const struct validate_view *view,
                                          const struct validate_question *question,
                                          const struct permission_catalogue *catalogue,
                                          struct numbers *numbers) {
    struct access_request request = {.now_ms = view->now_ms,
                                     .domain = question->domain,
                                     .permissions = numbers->permissions,
                                     .permission_count = question->permission_count,
                                     .any_permissions = numbers->any_permissions,
                                     .any_permission_count = question->any_permission_count};
    if (question->channel == CHANNEL_API || question->channel == CHANNEL_UI)
        request.channel = (uint8_t)question->channel;
    if (ip_address_parse(question->client_ip, &request.address) != IP_PARSE_OK)
        request.address.family = IP_FAMILY_NONE;
    find_ids(catalogue, question->permissions, question->permission_count, numbers->permissions);
    find_ids(catalogue, question->any_permissions, question->any_permission_count, numbers->any_permissions);
    return request;
}

static struct bytes get_revision(const struct validate_view *view, unsigned lane) {
    return bytes_of(view->positions->revisions[lane], REVISION_TEXT_LENGTH);
}

void validate_refuse(const struct validate_view *view, const struct validate_asker *asker, enum reason reason,
                     unsigned lane, struct validate_answer *ret_answer) {
    bool is_folded = view->folds_reasons && !asker->has_detail;
    *ret_answer = (struct validate_answer){.reason = is_folded ? validate_fold_reason(reason) : reason,
                                           .revision = get_revision(view, lane),
                                           .expires_at_ms = CLOCK_NEVER_MS};
}

static void tell_token(const struct validate_subject *subject, struct validate_answer *answer) {
    answer->company_id = bytes_of_text(subject->company->id_text);
    answer->token_id_text = typeid_of(TYPEID_TOKEN, subject->record->token_id);
    answer->token_id = bytes_of(answer->token_id_text.text, sizeof(answer->token_id_text.text) - 1);
    answer->expires_at_ms = token_record_get_expires_at_ms(subject->record);
}

static bool list_missing(const struct access_subject *access, const struct access_request *request,
                         const struct validate_question *question, struct arena *arena,
                         struct validate_answer *answer) {
    struct bytes *missing =
        ARENA_NEW_ARRAY(arena, struct bytes, question->permission_count + question->any_permission_count);
    size_t count = 0;
    if (!missing)
        return false;
    for (size_t i = 0; i < question->permission_count; i++)
        if (!access_has_permission(access, request->permissions[i]))
            missing[count++] = question->permissions[i];
    if (!access_has_any_permission(access, request))
        for (size_t i = 0; i < question->any_permission_count; i++)
            missing[count++] = question->any_permissions[i];
    answer->missing = missing;
    answer->missing_count = count;
    return true;
}

static bool tell_allowed(const struct validate_subject *subject, const struct permission_catalogue *catalogue,
                         struct arena *arena, struct validate_answer *answer) {
    const struct token_extra *extra = subject->extra;
    tell_token(subject, answer);
    answer->kind = (enum token_kind)subject->record->kind;
    answer->company_external_id = bytes_of(subject->company->external_id, subject->company->external_id_len);
    if (subject->member)
        answer->member_id = bytes_of_text(subject->member->id_text);
    if (extra)
        answer->token_external_id = bytes_of(extra->external_id, extra->external_id_len);
    const struct permission_set *held =
        access_get_permissions(&subject->access, permission_catalogue_get_limit(catalogue), arena);
    return held &&
           permission_catalogue_list(catalogue, held, arena, &answer->permissions, &answer->permission_count);
}

static uint8_t choose_use_kind(enum reason reason) {
    return reason == REASON_OK ? USE_ADMITTED : reason == REASON_EXPIRED ? USE_TOO_LATE : USE_NONE;
}

static enum status decide_subject(const struct validate_view *view, const struct validate_asker *asker,
                                  const struct validate_question *question, struct arena *arena,
                                  const struct validate_subject *subject, struct validate_answer *answer) {
    // why after the subject's sets: the writer publishes names before sets, so these names cover them.
    const struct permission_catalogue *catalogue = image_get_catalogue(view->image);
    struct numbers numbers;
    struct access_request request = make_request(view, question, catalogue, &numbers);
    bool sees_detail = validate_asker_sees_detail(asker, subject->company->company_id) & !subject->is_decoy;
    bool has_memory = true;
    enum reason reason = access_decide(&subject->access, &request);
    const enum reason reasons[] = {[false] = reason, [true] = REASON_UNKNOWN};
    answer->reason = reasons[subject->is_decoy];
    answer->use.kind = choose_use_kind(answer->reason);
    answer->use.address = request.address;
    answer->use.at_ms = view->now_ms;
    if (answer->reason == REASON_OK) {
        has_memory = tell_allowed(subject, catalogue, arena, answer);
    } else if (sees_detail) {
        tell_token(subject, answer);
        if (answer->reason == REASON_PERMISSION_MISSING)
            has_memory = list_missing(&subject->access, &request, question, arena, answer);
    } else if (view->folds_reasons) {
        answer->reason = validate_fold_reason(answer->reason);
    }
    return has_memory ? STATUS_OK : STATUS_NO_MEMORY;
}

void validate_key_make(const struct validate_view *view, struct bytes token, struct validate_key *ret_key) {
    ret_key->has_shape = bearer_has_shape(token, view->shape, &ret_key->lane);
    if (ret_key->has_shape)
        digest_sha256(token, &ret_key->digest);
}

enum status validate_decide_by_key(const struct validate_view *view, const struct validate_asker *asker,
                                   const struct validate_question *question, const struct validate_key *key,
                                   struct arena *arena, struct validate_answer *ret_answer) {
    struct validate_subject subject;
    if (!key->has_shape) {
        validate_refuse(view, asker, REASON_MALFORMED, LANE_DEPLOYMENT, ret_answer);
        return STATUS_OK;
    }
    // why without a branch: what is not there, and what is another company's, is decided like what was
    // deactivated, so that the time does not tell them apart (tests/bench/timing.c).
    (void)!validate_subject_find(view->image, &key->digest, &subject);
    if (!subject.company) {
        validate_refuse(view, asker, REASON_UNKNOWN, key->lane, ret_answer);
        return STATUS_OK;
    }
    *ret_answer = (struct validate_answer){.expires_at_ms = CLOCK_NEVER_MS, .use.digest = key->digest};
    validate_subject_hide(&subject, !validate_asker_sees(asker, subject.company->company_id));
    const unsigned lanes[] = {[false] = subject.company->lane, [true] = key->lane};
    ret_answer->revision = get_revision(view, lanes[subject.is_decoy]);
    return decide_subject(view, asker, question, arena, &subject, ret_answer);
}

enum status validate_decide(const struct validate_view *view, const struct validate_asker *asker,
                            const struct validate_question *question, struct arena *arena,
                            struct validate_answer *ret_answer) {
    struct validate_key key;
    validate_key_make(view, question->token, &key);
    return validate_decide_by_key(view, asker, question, &key, arena, ret_answer);
}
