#include "services/validator/decide/validate_note.h"

#include "common/base/compiler.h"
#include "services/validator/decide/validate_turn.h"

static void note_use(struct validate_loop *mine, const struct use *use) {
    if (use->kind != USE_NONE)
        use_log_note(mine->uses, use);
}

static void note_denial(struct validate_loop *mine, const struct validate_refused *refused) {
    if (mine->denials && !denial_log_note(mine->denials, &refused->key, refused->use.at_ms))
        validate_count(&mine->counters.denials_missed, 1);
}

static void note_all(struct validate_notes *notes) {
    struct validate_loop *mine = CONTAINER_OF(notes, struct validate_loop, notes);
    for (size_t i = 0; i < notes->count; i++) {
        note_use(mine, &notes->refused[i].use);
        note_denial(mine, &notes->refused[i]);
    }
    notes->count = 0;
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
    notes->count = 0;
}

void validate_notes_leave_loop(struct validate_notes *notes) {
    note_all(notes);
}

static uint16_t get_by(const struct validate_turn *turn) {
    const struct validate_asker *asker = &turn->asker;
    return asker->has_bearer ? use_log_get_by(turn->mine->uses, asker->token_id) : USE_BY_LOCAL;
}

// The next that is free; it will be noted.
static struct validate_refused *add(struct validate_loop *mine) {
    struct validate_notes *notes = &mine->notes;
    if (notes->count == VALIDATE_NOTES_MAX)
        note_all(notes);
    if (!notes->is_deferred)
        loop_defer(mine->reading.loop, &notes->end);
    notes->is_deferred = notes->is_first_end = true;
    return &notes->refused[notes->count++];
}

// why without a look at what it is: every refusal is put down in the same time.
static void put_down(const struct validate_turn *turn, const struct validate_question *question,
                     const struct validate_answer *answer) {
    struct validate_refused *refused = add(turn->mine);
    refused->use = answer->use;
    refused->use.by = get_by(turn);
    refused->key.company_id = answer->denied_company_id;
    refused->key.token_id = answer->denied_token_id;
    refused->key.address = answer->use.address;
    refused->key.reason = (uint8_t)answer->true_reason;
    denial_key_set_domain(&refused->key, question->domain);
}

void validate_note_answer(const struct validate_turn *turn, const struct validate_question *question,
                          const struct validate_answer *answer) {
    if (answer->true_reason == REASON_NOT_CURRENT) // nothing was decided
        return;
    if (answer->true_reason != REASON_OK) {
        put_down(turn, question, answer);
        return;
    }
    struct use use = answer->use;
    use.by = get_by(turn);
    note_use(turn->mine, &use);
}

void validate_note_asker(const struct validate_turn *turn) {
    const struct validate_asker *asker = &turn->asker;
    if (!asker->has_bearer)
        return;
    const struct use own = {.digest = asker->digest,
                            .at_ms = turn->view.now_ms,
                            .address = asker->address,
                            .kind = USE_ADMITTED,
                            .by = get_by(turn)};
    note_use(turn->mine, &own);
}
