// One question of many: what ValidateBatch and ValidateStream do with each. All of a portion are read, then
// the tokens of all are looked for, then one after the other is decided (validate_key.h).
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ITEM_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_ITEM_H

#include "services/validator/decide/validate_turn.h"

struct validate_item {
    struct validate_question question; // borrows from its message and the arena
    struct validate_key key;
    struct revision revision;
    bool has_revision;
    bool is_bad; // alone it would be INVALID_ARGUMENT; here it is refused as malformed
};

// `message` is a ValidateRequest. MALFORMED, NO_MEMORY.
MUST_CHECK enum status validate_item_read(struct bytes message, struct arena *arena,
                                          struct validate_item *ret_item);

// Of all that were read.
void validate_items_look_up(const struct validate_view *view, struct validate_item *items, size_t count);

// Where its min_revision stands. `came_at_round`: validate_judge_revision().
enum validate_standing validate_item_judge(const struct validate_view *view, const struct validate_item *item,
                                           uint64_t came_at_round);

// The answer once its token was looked for and its revision is reached. NO_MEMORY.
MUST_CHECK enum status validate_item_decide(const struct validate_turn *turn,
                                            const struct validate_item *item, struct arena *arena,
                                            struct validate_answer *ret_answer);

// The answer where it is not: NOT_CURRENT.
void validate_item_give_up(const struct validate_turn *turn, const struct validate_item *item,
                           struct validate_answer *ret_answer);

#endif
