#include "services/validator/follow/renewal.h"

static enum renewal_verdict judge_lane(const struct renewal *renewal, const struct positions *positions,
                                       unsigned lane) {
    int64_t seq = positions->seqs[lane];
    if (renewal->heads[lane] < seq)
        return RENEWAL_HISTORY_LOST;
    if (renewal->has_position_mark[lane] && renewal->position_marks[lane] != positions->marks[lane])
        return RENEWAL_HISTORY_LOST;
    if (renewal->heads[lane] == seq)
        return RENEWAL_AT_HEAD;
    // Without the change at the own position there is no telling that what follows is its sequel.
    return renewal->has_position_mark[lane] ? RENEWAL_BEHIND : RENEWAL_LOG_TOO_HIGH;
}

void renewal_keep_lanes(struct renewal *renewal, struct lane_set served) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        if (lane_set_has(served, lane))
            continue;
        renewal->heads[lane] = renewal->floors[lane] = 0;
        renewal->has_position_mark[lane] = true;
        renewal->position_marks[lane] = 0;
    }
}

enum renewal_verdict renewal_judge(const struct renewal *renewal, const struct positions *positions,
                                   unsigned *ret_lane) {
    enum renewal_verdict worst = RENEWAL_AT_HEAD;
    *ret_lane = 0;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        enum renewal_verdict verdict = judge_lane(renewal, positions, lane);
        if (verdict <= worst)
            continue;
        worst = verdict;
        *ret_lane = lane;
    }
    return worst;
}

bool renewal_has_position(const struct renewal *renewal, const struct positions *positions, unsigned lane) {
    return renewal->has_position_mark[lane] && renewal->position_marks[lane] == positions->marks[lane];
}

bool renewal_is_reached(const struct renewal *renewal, const struct positions *positions) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (positions->seqs[lane] < renewal->heads[lane])
            return false;
    return true;
}

int64_t renewal_get_clock_correction_ms(const struct renewal *renewal) {
    if (renewal->database_now_ms > renewal->received_realtime_ms)
        return renewal->database_now_ms - renewal->received_realtime_ms;
    if (renewal->database_now_ms < renewal->sent_realtime_ms)
        return renewal->database_now_ms - renewal->sent_realtime_ms;
    return 0;
}

int64_t renewal_get_boottime_to_utc_ms(const struct renewal *renewal) {
    return renewal->sent_realtime_ms + renewal_get_clock_correction_ms(renewal) -
           (int64_t)(renewal->sent_boottime_ns / 1000000);
}
