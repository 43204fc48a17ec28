// Ids of clients are odd. Only the latest gap is remembered: clients count by two and leave none.
#include "common/grpc/stream_history.h"

#include <stdbool.h>
#include <string.h>

static uint64_t *word_of(struct stream_history *history, int32_t id) {
    return &history->ended[((uint32_t)id >> 1) % STREAM_HISTORY_IDS / 64];
}

static uint64_t bit_of(int32_t id) {
    return UINT64_C(1) << (((uint32_t)id >> 1) % 64);
}

void stream_history_init(struct stream_history *history) {
    memset(history, 0, sizeof(*history));
    history->last_id = -1;
}

static bool is_remembered(const struct stream_history *history, int32_t id) {
    return id > history->last_id - 2 * STREAM_HISTORY_IDS;
}

static void open_next(struct stream_history *history, int32_t id) {
    int64_t expected = (int64_t)history->last_id + 2; // behind the last one that there can be, too
    if (id > expected) {
        history->gap_first = (int32_t)expected;
        history->gap_last = id - 2;
    }
    history->last_id = id;
    *word_of(history, id) &= ~bit_of(id);
}

enum stream_standing stream_history_note_headers(struct stream_history *history, int32_t id) {
    if (id > history->last_id) {
        open_next(history, id);
        return STREAM_NEW;
    }
    if (id >= history->gap_first && id <= history->gap_last)
        return STREAM_SKIPPED;
    bool has_ended = is_remembered(history, id) && *word_of(history, id) & bit_of(id);
    return has_ended ? STREAM_ENDED : STREAM_KNOWN;
}

void stream_history_note_ended(struct stream_history *history, int32_t id) {
    if (is_remembered(history, id))
        *word_of(history, id) |= bit_of(id);
}
