#include "services/validator/decide/validate_decide.h"

#include "common/base/clock.h"

static void find_ids(const struct permission_catalogue *catalogue, const struct bytes *names, size_t count,
                     uint32_t *ret_ids) {
    for (size_t i = 0; i < count; i++)
        ret_ids[i] = permission_catalogue_find_id(catalogue, names[i]);
}

// No address where it is none.
static void read_address(const struct validate_question *question, struct ip_address *ret_address) {
    if (ip_address_parse(question->client_ip, ret_address) != IP_PARSE_OK)
        *ret_address = (struct ip_address){0};
}

// why field by field: a structure that is put together elsewhere and copied is read before its parts have
// reached the cache, and the CPU waits for them.
void validate_make_request(const struct validate_view *view, const struct validate_question *question,
                           const struct permission_catalogue *catalogue, struct validate_numbers *numbers,
                           struct access_request *ret_request) {
    bool is_channel = question->channel == CHANNEL_API || question->channel == CHANNEL_UI;
    ret_request->now_ms = view->now_ms;
    ret_request->channel = is_channel ? (uint8_t)question->channel : CHANNEL_NONE;
    ret_request->domain = question->domain;
    ret_request->permissions = numbers->permissions;
    ret_request->permission_count = question->permission_count;
    ret_request->any_permissions = numbers->any_permissions;
    ret_request->any_permission_count = question->any_permission_count;
    read_address(question, &ret_request->address);
    find_ids(catalogue, question->permissions, question->permission_count, numbers->permissions);
    find_ids(catalogue, question->any_permissions, question->any_permission_count, numbers->any_permissions);
}

static struct bytes get_revision(const struct validate_view *view, unsigned lane) {
    return bytes_of(view->positions->revisions[lane], REVISION_TEXT_LENGTH);
}

void validate_refuse(const struct validate_view *view, const struct validate_asker *asker, enum reason reason,
                     unsigned lane, struct validate_answer *ret_answer) {
    bool is_folded = view->folds_reasons && !asker->has_detail;
    *ret_answer = (struct validate_answer){.reason = is_folded ? validate_fold_reason(reason) : reason,
                                           .true_reason = reason,
                                           .revision = get_revision(view, lane),
                                           .expires_at_ms = CLOCK_NEVER_MS};
}

static struct bytes get_id(const char *text) {
    return bytes_of(text, VALIDATE_ID_LENGTH);
}

static void tell_token(const struct validate_subject *subject, struct validate_answer *answer) {
    answer->company_id = get_id(subject->company->id_text);
    typeid_format(BYTES_LITERAL(TYPEID_TOKEN), subject->record->token_id, answer->token_id_text.text);
    answer->token_id = get_id(answer->token_id_text.text);
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

// Data NULL when out of memory.
static struct bytes list_held(const struct access_subject *access,
                              const struct permission_catalogue *catalogue, struct arena *arena) {
    const struct permission_set *held = access_find_permissions(access);
    if (held && held->tail)
        return bytes_of(held->tail, held->tail_len);
    held = access_get_permissions(access, permission_catalogue_get_limit(catalogue), arena);
    return held ? permission_tail_make(catalogue, held, arena) : BYTES_EMPTY;
}

static bool tell_allowed(const struct validate_subject *subject, const struct permission_catalogue *catalogue,
                         struct arena *arena, struct validate_answer *answer) {
    const struct token_extra *extra = subject->extra;
    tell_token(subject, answer);
    answer->kind = (enum token_kind)subject->record->kind;
    answer->company_external_id = bytes_of(subject->company->external_id, subject->company->external_id_len);
    if (subject->member)
        answer->member_id = get_id(subject->member->id_text);
    if (extra)
        answer->token_external_id = bytes_of(extra->external_id, extra->external_id_len);
    answer->permissions = list_held(&subject->access, catalogue, arena);
    return answer->permissions.data != NULL;
}

// why without a branch: what was not found takes as long as what was.
static void name_denied(const struct validate_subject *subject, struct validate_answer *answer) {
    static const struct uuid nobody;
    const struct uuid *companies[] = {[false] = &subject->company->company_id, [true] = &nobody};
    const struct uuid *tokens[] = {[false] = &subject->record->token_id, [true] = &nobody};
    answer->denied_company_id = *companies[subject->is_decoy];
    answer->denied_token_id = *tokens[subject->is_decoy];
}

static uint8_t choose_use_kind(enum reason reason) {
    return reason == REASON_OK ? USE_ADMITTED : reason == REASON_EXPIRED ? USE_TOO_LATE : USE_NONE;
}

enum status validate_decide_subject(const struct validate_view *view, const struct validate_asker *asker,
                                    const struct validate_question *question,
                                    const struct validate_subject *subject, struct arena *arena,
                                    struct validate_answer *ret_answer) {
    *ret_answer = (struct validate_answer){.expires_at_ms = CLOCK_NEVER_MS,
                                           .revision = get_revision(view, subject->company->lane)};
    // why after the subject's sets: the writer publishes names before sets, so these names cover them.
    const struct permission_catalogue *catalogue = image_get_catalogue(view->image);
    struct validate_numbers numbers;
    struct access_request request;
    validate_make_request(view, question, catalogue, &numbers, &request);
    bool sees_detail = validate_asker_sees_detail(asker, subject->company->company_id) & !subject->is_decoy;
    bool has_memory = true;
    enum reason reason = access_decide(&subject->access, &request);
    const enum reason reasons[] = {[false] = reason, [true] = REASON_UNKNOWN};
    ret_answer->reason = ret_answer->true_reason = reasons[subject->is_decoy];
    name_denied(subject, ret_answer);
    ret_answer->use.kind = choose_use_kind(ret_answer->reason);
    ret_answer->use.address = request.address;
    ret_answer->use.at_ms = view->now_ms;
    if (ret_answer->reason == REASON_OK) {
        has_memory = tell_allowed(subject, catalogue, arena, ret_answer);
    } else if (sees_detail) {
        tell_token(subject, ret_answer);
        if (ret_answer->reason == REASON_PERMISSION_MISSING)
            has_memory = list_missing(&subject->access, &request, question, arena, ret_answer);
    } else if (view->folds_reasons) {
        ret_answer->reason = validate_fold_reason(ret_answer->reason);
    }
    return has_memory ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status refuse(const struct validate_view *view, const struct validate_asker *asker,
                          const struct validate_question *question, enum reason reason, unsigned lane,
                          struct validate_answer *ret_answer) {
    validate_refuse(view, asker, reason, lane, ret_answer);
    read_address(question, &ret_answer->use.address);
    ret_answer->use.at_ms = view->now_ms;
    return STATUS_OK;
}

enum status validate_decide_by_key(const struct validate_view *view, const struct validate_asker *asker,
                                   const struct validate_question *question, const struct validate_key *key,
                                   struct arena *arena, struct validate_answer *ret_answer) {
    struct validate_subject subject;
    bool is_found;
    if (!key->has_shape)
        return refuse(view, asker, question, REASON_MALFORMED, LANE_DEPLOYMENT, ret_answer);
    if (!image_serves(view->image, key->lane))
        return refuse(view, asker, question, REASON_NOT_CURRENT, key->lane, ret_answer);
    // why without a branch: what is not there, and what is another company's, is decided like what was
    // deactivated, so that the time does not tell them apart (tests/bench/timing.c).
    const struct token_record *record = image_end_probe(view->image, &key->probe, &is_found);
    validate_subject_take(view->image, record, is_found, &subject);
    if (!subject.company)
        return refuse(view, asker, question, REASON_UNKNOWN, key->lane, ret_answer);
    validate_subject_hide(&subject, !validate_asker_sees(asker, subject.company->company_id));
    enum status status = validate_decide_subject(view, asker, question, &subject, arena, ret_answer);
    const unsigned lanes[] = {[false] = subject.company->lane, [true] = key->lane};
    ret_answer->revision = get_revision(view, lanes[subject.is_decoy]);
    ret_answer->use.digest = key->digest;
    return status;
}

enum status validate_decide(const struct validate_view *view, const struct validate_asker *asker,
                            const struct validate_question *question, struct arena *arena,
                            struct validate_answer *ret_answer) {
    struct validate_key key;
    validate_key_make(view, question->token, &key);
    validate_key_advance(view, &key);
    return validate_decide_by_key(view, asker, question, &key, arena, ret_answer);
}
