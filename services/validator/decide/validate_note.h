// What decisions leave behind on their loop: which secrets were used, and what was refused.
//
// Both are noted at the end of the loop's turn. Refusals, because the answers have left by then: how long it
// takes to note one depends on whose token it was, and on whether there was one. Uses, because the memory was
// asked for their places meanwhile.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_NOTE_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_NOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/use_table.h"
#include "common/net/loop.h"
#include "services/validator/decide/denial_log.h"

struct validate_answer;
struct validate_question;
struct validate_turn;

enum { VALIDATE_NOTES_MAX = 32 }; // of a turn, of each kind; what is more is noted before its end

// What is to be noted; a part of the loop's own (validate_service.h).
struct validate_notes {
    struct loop_task end;
    bool is_deferred;  // `end` stands in this turn's queue,
    bool is_first_end; // and will do so once more
    size_t admitted_count, refused_count;
    struct validate_used {
        struct use use; // but for `by`; kind USE_NONE: it was none
        struct uuid asker_id;
        bool has_asker; // else somebody on this machine
    } admitted[VALIDATE_NOTES_MAX];
    struct validate_refused {
        struct validate_used used;
        struct denial_key key;
    } refused[VALIDATE_NOTES_MAX];
};

// On the loop's thread. Leaving notes what is left.
void validate_notes_enter_loop(struct validate_notes *notes);
void validate_notes_leave_loop(struct validate_notes *notes);

void validate_note_answer(const struct validate_turn *turn, const struct validate_question *question,
                          const struct validate_answer *answer);

// That the asker has asked: who asks all day is not unused.
void validate_note_asker(const struct validate_turn *turn);

#endif
