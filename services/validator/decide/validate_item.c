#include "services/validator/decide/validate_item.h"

#include "services/validator/decide/validate_wire.h"

enum status validate_item_read(struct bytes message, struct arena *arena, struct validate_item *ret_item) {
    struct fault fault;
    enum status status = validate_wire_read(message, arena, &ret_item->question);
    if (status != STATUS_OK)
        return status;
    fault_init(&fault, arena);
    ret_item->is_bad = validate_question_check(&ret_item->question, &fault, &ret_item->has_revision,
                                               &ret_item->revision) != STATUS_OK;
    return STATUS_OK;
}

void validate_items_look_up(const struct validate_view *view, struct validate_item *items, size_t count) {
    struct validate_keys keys = {0};
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_bad)
            validate_keys_add(&keys, view, items[i].question.token, &items[i].key);
    validate_keys_end(&keys);
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_bad)
            validate_key_advance(view, &items[i].key);
}

enum validate_standing validate_item_judge(const struct validate_view *view, const struct validate_item *item,
                                           uint64_t came_at_round) {
    if (item->is_bad || !item->has_revision)
        return VALIDATE_REACHED;
    return validate_judge_revision(image_get_lanes(view->image), view->positions, item->revision,
                                   came_at_round);
}

enum status validate_item_decide(const struct validate_turn *turn, const struct validate_item *item,
                                 struct arena *arena, struct validate_answer *ret_answer) {
    if (!item->is_bad)
        return validate_turn_decide(turn, &item->question, &item->key, arena, ret_answer);
    validate_turn_refuse(turn, REASON_MALFORMED, LANE_DEPLOYMENT, ret_answer);
    return STATUS_OK;
}

void validate_item_give_up(const struct validate_turn *turn, const struct validate_item *item,
                           struct validate_answer *ret_answer) {
    validate_turn_refuse(turn, REASON_NOT_CURRENT, item->revision.lane, ret_answer);
}
