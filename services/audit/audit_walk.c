#include "services/audit/audit_walk.h"

#include "common/base/bytes.h"

void audit_walk_init(struct audit_walk *walk, int64_t from, const struct digest *previous,
                     const struct audit_head *known, size_t known_count) {
    *walk = (struct audit_walk){
        .next_number = from, .previous = *previous, .known = known, .known_count = known_count};
    for (; walk->known_count > 0 && walk->known->number < from; walk->known_count--)
        walk->known++;
}

void audit_walk_fini(struct audit_walk *walk) {
    buffer_fini(&walk->scratch);
}

static void break_off(struct audit_walk *walk, int64_t number, struct uuid event_id, const char *detail) {
    walk->is_broken = true;
    walk->broken_number = number;
    walk->broken_event = event_id;
    walk->detail = detail;
}

static bool is_same(const struct digest *a, const struct digest *b) {
    return digest_is_equal(a, b);
}

// What does not hold about the event itself; NULL if all does.
static enum status judge(struct audit_walk *walk, const struct audit_record *record,
                         const char **ret_detail) {
    struct digest person, content, hash;
    enum status status = audit_event_hash(&record->event, &walk->scratch, &content);
    if (status == STATUS_OK && record->is_person_there)
        status = audit_person_hash(&record->person, &walk->scratch, &person);
    if (status != STATUS_OK)
        return status;
    audit_chain_hash(&record->previous_hash, record->number, record->at_us, &content, &hash);
    *ret_detail = NULL;
    if (!is_same(&record->previous_hash, &walk->previous))
        *ret_detail = "the event does not follow the one before it";
    else if (!is_same(&hash, &record->hash))
        *ret_detail = "the event was edited: its hash is not that of what it says";
    else if (record->is_person_there &&
             (!record->event.has_person || !is_same(&person, &record->event.person)))
        *ret_detail = "what stands beside the event about a person is not what was written there";
    return STATUS_OK;
}

// Against the heads that the reader kept.
static const char *compare_known(struct audit_walk *walk, const struct audit_record *record) {
    const char *detail = NULL;
    for (; walk->known_count > 0 && walk->known->number == record->number; walk->known_count--, walk->known++)
        if (!is_same(&walk->known->hash, &record->hash))
            detail = "the event has another hash than when its head was kept: the chain was written anew";
    return detail;
}

enum status audit_walk_feed(struct audit_walk *walk, const struct audit_record *record) {
    if (record->number != walk->next_number) {
        audit_walk_miss(walk);
        return STATUS_OK;
    }
    const char *detail;
    enum status status = judge(walk, record, &detail);
    if (status != STATUS_OK)
        return status;
    walk->checked++;
    if (!detail)
        detail = compare_known(walk, record);
    if (detail)
        break_off(walk, record->number, record->event.event_id, detail);
    walk->next_number++;
    walk->previous = record->hash;
    return STATUS_OK;
}

void audit_walk_miss(struct audit_walk *walk) {
    break_off(walk, walk->next_number, (struct uuid){{0}}, "the event is missing");
}

void audit_walk_finish(struct audit_walk *walk, const struct audit_head *head, int64_t last_number) {
    const struct uuid none = {{0}};
    if (last_number > head->number)
        break_off(walk, head->number + 1, none, "there are events behind the head of the chain");
    else if (walk->next_number > head->number + 1)
        break_off(walk, walk->next_number - 1, none, "the chain ends before the event from which to go on");
    else if (!is_same(&walk->previous, &head->hash))
        break_off(walk, head->number, none, "the head of the chain is not its last event");
    else if (walk->known_count > 0)
        break_off(walk, walk->known->number, none, "the chain is shorter than when its head was kept");
}
