#include "services/validator/decide/validate_note.h"

#include "common/base/compiler.h"
#include "services/validator/decide/validate_turn.h"

// why the asker's number only now: it is of the table that is noted in, which may be another one by then.
static void note_use(struct validate_loop *mine, struct validate_used *used) {
    if (used->use.kind == USE_NONE)
        return;
    used->use.by = used->has_asker ? use_log_get_by(mine->uses, used->asker_id) : USE_BY_LOCAL;
    use_log_note(mine->uses, &used->use);
}

static void note_denial(struct validate_loop *mine, const struct validate_refused *refused) {
    if (mine->denials && !denial_log_note(mine->denials, &refused->key, refused->used.use.at_ms))
        validate_count(&mine->counters.denials_missed, 1);
}

static void note_admitted(struct validate_loop *mine) {
    struct validate_notes *notes = &mine->notes;
    for (size_t i = 0; i < notes->admitted_count; i++)
        note_use(mine, &notes->admitted[i]);
    notes->admitted_count = 0;
}

static void note_refused(struct validate_loop *mine) {
    struct validate_notes *notes = &mine->notes;
    for (size_t i = 0; i < notes->refused_count; i++) {
        note_use(mine, &notes->refused[i].used);
        note_denial(mine, &notes->refused[i]);
    }
    notes->refused_count = 0;
}

static void note_all(struct validate_notes *notes) {
    struct validate_loop *mine = CONTAINER_OF(notes, struct validate_loop, notes);
    note_admitted(mine);
    note_refused(mine);
}

// why again: behind the writes that were deferred since, those of the answers that are noted.
static void on_end_of_turn(struct loop_task *task) {
    struct validate_notes *notes = CONTAINER_OF(task, struct validate_notes, end);
    struct validate_loop *mine = CONTAINER_OF(notes, struct validate_loop, notes);
    notes->is_deferred = notes->is_first_end;
    notes->is_first_end = false;
    if (notes->is_deferred)
        loop_defer(mine->reading.loop, &notes->end);
    else
        note_all(notes);
}

void validate_notes_enter_loop(struct validate_notes *notes) {
    notes->end.run = on_end_of_turn;
    notes->is_deferred = notes->is_first_end = false;
    notes->admitted_count = notes->refused_count = 0;
}

void validate_notes_leave_loop(struct validate_notes *notes) {
    note_all(notes);
}

static void defer(struct validate_loop *mine) {
    struct validate_notes *notes = &mine->notes;
    if (!notes->is_deferred)
        loop_defer(mine->reading.loop, &notes->end);
    notes->is_deferred = notes->is_first_end = true;
}

static void fill(const struct validate_turn *turn, const struct use *use, struct validate_used *ret_used) {
    ret_used->use = *use;
    ret_used->asker_id = turn->asker.token_id;
    ret_used->has_asker = turn->asker.has_bearer;
}

static void put_down_admitted(const struct validate_turn *turn, const struct use *use) {
    struct validate_notes *notes = &turn->mine->notes;
    if (notes->admitted_count == VALIDATE_NOTES_MAX)
        note_admitted(turn->mine);
    fill(turn, use, &notes->admitted[notes->admitted_count++]);
    use_log_prefetch(turn->mine->uses, use);
    defer(turn->mine);
}

// why without a look at what it is: every refusal is put down in the same time.
static void put_down_refused(const struct validate_turn *turn, const struct validate_question *question,
                             const struct validate_answer *answer) {
    struct validate_notes *notes = &turn->mine->notes;
    if (notes->refused_count == VALIDATE_NOTES_MAX)
        note_refused(turn->mine);
    struct validate_refused *refused = &notes->refused[notes->refused_count++];
    fill(turn, &answer->use, &refused->used);
    refused->key.company_id = answer->denied_company_id;
    refused->key.token_id = answer->denied_token_id;
    refused->key.address = answer->use.address;
    refused->key.reason = (uint8_t)answer->true_reason;
    denial_key_set_domain(&refused->key, question->domain);
    defer(turn->mine);
}

void validate_note_answer(const struct validate_turn *turn, const struct validate_question *question,
                          const struct validate_answer *answer) {
    if (answer->true_reason == REASON_NOT_CURRENT) // nothing was decided
        return;
    if (answer->true_reason == REASON_OK)
        put_down_admitted(turn, &answer->use);
    else
        put_down_refused(turn, question, answer);
}

void validate_note_asker(const struct validate_turn *turn) {
    const struct validate_asker *asker = &turn->asker;
    if (!asker->has_bearer)
        return;
    const struct use own = {
        .digest = asker->digest, .at_ms = turn->view.now_ms, .address = asker->address, .kind = USE_ADMITTED};
    put_down_admitted(turn, &own);
}
