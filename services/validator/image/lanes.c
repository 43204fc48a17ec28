#include "services/validator/image/lanes.h"

#include <stdlib.h>
#include <string.h>

enum status lanes_init(struct lanes *lanes, struct lane_set served) {
    struct positions *positions = calloc(1, sizeof(*positions));
    if (!positions)
        return STATUS_NO_MEMORY;
    lanes->served = served;
    memset(&lanes->next, 0, sizeof(lanes->next));
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        atomic_init(&lanes->floors[lane], INT64_MAX);
    atomic_init(&lanes->positions, positions);
    return STATUS_OK;
}

void lanes_fini(struct lanes *lanes) {
    free((struct positions *)atomic_load_explicit(&lanes->positions, memory_order_relaxed));
}

void lanes_note(struct lanes *lanes, struct revision change) {
    unsigned lane = change.lane;
    // why release: with the positions, which follow, it is what a reader's acquire load pairs with.
    atomic_store_explicit(&lanes->marks[lane][change.seq % LANES_RING], change.mark, memory_order_release);
    if (change.seq < atomic_load_explicit(&lanes->floors[lane], memory_order_relaxed))
        atomic_store_explicit(&lanes->floors[lane], change.seq, memory_order_release);
    lanes->next.seqs[lane] = change.seq;
    lanes->next.marks[lane] = change.mark;
}

static void format_changed(struct positions *next, const struct positions *now) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (now->revisions[lane][0] && next->seqs[lane] == now->seqs[lane] &&
            next->marks[lane] == now->marks[lane])
            continue;
        struct revision revision = {(uint8_t)lane, next->seqs[lane], next->marks[lane]};
        revision_format(revision, next->revisions[lane]);
    }
}

enum status lanes_publish(struct lanes *lanes, uint64_t round, const int64_t heads[LANE_COUNT],
                          struct reclaim *reclaim) {
    struct positions *published = malloc(sizeof(*published));
    if (!published)
        return STATUS_NO_MEMORY;
    const struct positions *now = atomic_load_explicit(&lanes->positions, memory_order_relaxed);
    lanes->next.round = round;
    memcpy(lanes->next.heads, heads, sizeof(lanes->next.heads));
    format_changed(&lanes->next, now);
    *published = lanes->next;
    atomic_store_explicit(&lanes->positions, published, memory_order_release);
    reclaim_add_memory(reclaim, (void *)now);
    return STATUS_OK;
}

static bool is_remembered(const struct lanes *lanes, const struct positions *positions,
                          struct revision revision) {
    return positions->seqs[revision.lane] - revision.seq < LANES_WINDOW &&
           revision.seq >= atomic_load_explicit(&lanes->floors[revision.lane], memory_order_acquire);
}

size_t lanes_list_known(const struct lanes *lanes, unsigned lane, struct revision ret_known[LANES_WINDOW]) {
    const struct positions *positions = lanes_get_positions(lanes);
    size_t count = 0;
    for (int64_t seq = positions->seqs[lane]; seq > 0 && count < LANES_WINDOW; seq--) {
        struct revision change = {(uint8_t)lane, seq, positions->marks[lane]};
        if (count > 0 && !is_remembered(lanes, positions, change))
            break;
        if (count > 0)
            change.mark = lanes_get_mark(lanes, lane, seq);
        ret_known[count++] = change;
    }
    return count;
}

void lanes_raise(const struct lanes *lanes, int64_t seqs[LANE_COUNT], int64_t marks[LANE_COUNT]) {
    const struct positions *applied = lanes_get_positions(lanes);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (!lane_set_has(lanes->served, lane) || applied->seqs[lane] < seqs[lane])
            continue;
        seqs[lane] = applied->seqs[lane];
        marks[lane] = applied->marks[lane];
    }
}

bool lanes_know(const struct lanes *lanes, const struct positions *positions, struct revision revision) {
    if (revision.seq == 0)
        return true;
    return revision.seq <= positions->seqs[revision.lane] && is_remembered(lanes, positions, revision) &&
           lanes_compare(lanes, positions, revision) == LANES_REACHED;
}

enum lanes_relation lanes_compare(const struct lanes *lanes, const struct positions *positions,
                                  struct revision revision) {
    if (!lane_set_has(lanes->served, revision.lane))
        return LANES_NOT_SERVED;
    if (revision.seq > positions->seqs[revision.lane])
        return LANES_AHEAD;
    if (!is_remembered(lanes, positions, revision))
        return LANES_REACHED;
    int64_t mark =
        atomic_load_explicit(&lanes->marks[revision.lane][revision.seq % LANES_RING], memory_order_acquire);
    return mark == revision.mark ? LANES_REACHED : LANES_FOREIGN;
}
