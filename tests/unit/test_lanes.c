// Where a revision stands: against a plain table of everything that was ever noted; and what the answer to a
// renewal means.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/follow/renewal.h"
#include "services/validator/image/lanes.h"
#include "services/validator/image/quiescence.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { SEQS = 6000, LANES = 3, FIRST_SEQ = 1000 };

struct history {
    int64_t marks[LANES][SEQS]; // by seq
    int64_t noted[LANES], published[LANES];
    int64_t floors[LANES];
};

struct stage {
    struct lanes *lanes;
    struct reclaim reclaim;
    int64_t heads[LANE_COUNT];
    struct history history;
};

static struct stage *new_stage(void) {
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->lanes = calloc(1, sizeof(*stage->lanes));
    assert_non_null(stage->lanes);
    assert_int_equal(lanes_init(stage->lanes, LANE_SET_ALL), STATUS_OK);
    return stage;
}

static void free_stage(struct stage *stage) {
    lanes_fini(stage->lanes);
    reclaim_fini(&stage->reclaim);
    free(stage->lanes);
    free(stage);
}

static void note(struct stage *stage, unsigned lane, int64_t seq, int64_t mark) {
    lanes_note(stage->lanes, (struct revision){(uint8_t)lane, seq, mark});
    stage->history.marks[lane][seq] = mark;
    stage->history.noted[lane] = seq;
    if (stage->history.floors[lane] == 0)
        stage->history.floors[lane] = seq;
}

static void publish(struct stage *stage, uint64_t round) {
    memcpy(stage->history.published, stage->history.noted, sizeof(stage->history.published));
    assert_int_equal(lanes_publish(stage->lanes, round, stage->heads, &stage->reclaim), STATUS_OK);
    assert_int_equal(lanes_get_positions(stage->lanes)->round, round);
    reclaim_run(&stage->reclaim);
}

static enum lanes_relation compare(const struct stage *stage, unsigned lane, int64_t seq, int64_t mark) {
    return lanes_compare(stage->lanes, lanes_get_positions(stage->lanes),
                         (struct revision){(uint8_t)lane, seq, mark});
}

static enum lanes_relation expect(const struct history *history, unsigned lane, int64_t seq, int64_t mark) {
    if (seq > history->published[lane])
        return LANES_AHEAD;
    bool is_known = seq >= history->floors[lane] && history->published[lane] - seq < LANES_WINDOW;
    return is_known && history->marks[lane][seq] != mark ? LANES_FOREIGN : LANES_REACHED;
}

static void check_random_revisions(struct seed *seed, struct stage *stage, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        unsigned lane = (unsigned)seed_next_below(seed, LANES);
        int64_t seq = (int64_t)seed_next_below(seed, (uint64_t)stage->history.published[lane] + 100);
        if (seed_next_below(seed, 2) && stage->history.published[lane] > 3)
            seq = stage->history.published[lane] - 3 + (int64_t)seed_next_below(seed, 7);
        int64_t mark = stage->history.marks[lane][seq < SEQS ? seq : 0] + (int64_t)seed_next_below(seed, 2);
        assert_int_equal(compare(stage, lane, seq, mark), expect(&stage->history, lane, seq, mark));
    }
}

static void revisions_stand_where_the_history_says(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct stage *stage = new_stage();
    uint64_t round = 0;
    for (unsigned lane = 0; lane < LANES; lane++)
        note(stage, lane, FIRST_SEQ + lane, (int64_t)seed_next(&seed));
    publish(stage, ++round);
    while (stage->history.noted[0] + LANES_ROUND_MAX < SEQS) {
        for (unsigned lane = 0; lane < LANES; lane++) {
            int64_t count = (int64_t)seed_next_below(&seed, seed_next_below(&seed, 4) ? 5 : LANES_ROUND_MAX);
            count = count < SEQS - 1 - stage->history.noted[lane] ? count : 0;
            for (int64_t i = 0; i < count; i++)
                note(stage, lane, stage->history.noted[lane] + 1, (int64_t)seed_next(&seed));
        }
        check_random_revisions(&seed, stage, 200); // what was noted is not seen yet
        publish(stage, ++round);
        check_random_revisions(&seed, stage, 200);
    }
    free_stage(stage);
}

static void the_window_ends_where_the_ring_may_be_written(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    for (int64_t seq = 1; seq <= 3000; seq++)
        note(stage, 0, seq, seq * 7);
    publish(stage, 1);
    assert_int_equal(compare(stage, 0, 3001, 0), LANES_AHEAD);
    assert_int_equal(compare(stage, 0, 3000, 1), LANES_FOREIGN);
    assert_int_equal(compare(stage, 0, 3000 - LANES_WINDOW + 1, 1), LANES_FOREIGN);
    assert_int_equal(compare(stage, 0, 3000 - LANES_WINDOW, 1), LANES_REACHED);
    assert_int_equal(compare(stage, 0, 0, 1), LANES_REACHED);
    // A whole round is noted beyond the positions that readers hold: their window still holds.
    for (int64_t seq = 3001; seq <= 3000 + LANES_ROUND_MAX; seq++)
        note(stage, 0, seq, seq * 7);
    for (int64_t seq = 3000 - LANES_WINDOW + 1; seq <= 3000; seq++)
        assert_int_equal(compare(stage, 0, seq, seq * 7), LANES_REACHED);
    free_stage(stage);
}

static void a_lane_in_which_nothing_happened_is_at_zero(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    assert_int_equal(compare(stage, 0, 0, 123), LANES_REACHED);
    assert_int_equal(compare(stage, 0, 1, 123), LANES_AHEAD);
    publish(stage, 1);
    assert_int_equal(compare(stage, 2, INT64_MAX, 0), LANES_AHEAD);
    assert_int_equal(compare(stage, 2, 0, 0), LANES_REACHED);
    free_stage(stage);
}

static void positions_carry_their_revisions_as_text(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    note(stage, 1, 5, -9);
    stage->heads[1] = 8;
    publish(stage, 1);
    for (unsigned round = 2; round < 4; round++) {
        const struct positions *positions = lanes_get_positions(stage->lanes);
        assert_int_equal(positions->heads[1], 8);
        for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
            struct revision revision;
            assert_true(revision_parse(bytes_of_text(positions->revisions[lane]), &revision));
            assert_int_equal(revision.lane, lane);
            assert_int_equal(revision.seq, positions->seqs[lane]);
            assert_int_equal(revision.mark, positions->marks[lane]);
        }
        note(stage, 2, round, (int64_t)round * 11);
        publish(stage, round);
    }
    free_stage(stage);
}

static void a_publication_that_failed_is_made_up_for_by_the_next(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    note(stage, 0, 1, 10);
    publish(stage, 1);
    const struct positions *before = lanes_get_positions(stage->lanes);
    note(stage, 0, 2, 20);
    note(stage, 1, 7, 70);
    allocation_failure_begin(1);
    enum status status = lanes_publish(stage->lanes, 2, stage->heads, &stage->reclaim);
    allocation_failure_end();
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_ptr_equal(lanes_get_positions(stage->lanes), before);
    assert_int_equal(compare(stage, 0, 2, 20), LANES_AHEAD);
    note(stage, 0, 3, 30);
    publish(stage, 3);
    assert_int_equal(compare(stage, 0, 2, 20), LANES_REACHED);
    assert_int_equal(compare(stage, 0, 2, 21), LANES_FOREIGN);
    assert_int_equal(compare(stage, 1, 7, 71), LANES_FOREIGN);
    struct revision revision;
    assert_true(revision_parse(bytes_of_text(lanes_get_positions(stage->lanes)->revisions[1]), &revision));
    assert_int_equal(revision.mark, 70);
    free_stage(stage);
}

// ---- beside readers ----

enum { READERS = 2, ROUNDS = 60 };

// Marks tell their own seq, so that a reader knows what it must see.
static int64_t get_mark(int64_t seq) {
    return seq * 7;
}

struct audience {
    const struct lanes *lanes;
    _Atomic bool is_over;
};

static void *compare_along(void *context) {
    struct audience *audience = context;
    size_t failures = 0;
    quiescence_enter_thread();
    for (int64_t turn = 0; !atomic_load(&audience->is_over); turn++) {
        quiescence_go_online();
        const struct positions *positions = lanes_get_positions(audience->lanes);
        int64_t seq = positions->seqs[0];
        for (int64_t back = 0; back < LANES_WINDOW && back < seq; back += 1 + turn % 13) {
            struct revision right = {0, seq - back, get_mark(seq - back)}, wrong = right;
            wrong.mark++;
            failures += lanes_compare(audience->lanes, positions, right) != LANES_REACHED;
            failures += lanes_compare(audience->lanes, positions, wrong) != LANES_FOREIGN;
        }
        quiescence_go_offline();
    }
    quiescence_leave_thread();
    return (void *)failures;
}

static void readers_trust_their_window_while_the_ring_is_written(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    struct audience audience = {.lanes = stage->lanes};
    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, compare_along, &audience), 0);
    int64_t seq = 0;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (int64_t end = seq + LANES_ROUND_MAX; seq < end; seq++)
            lanes_note(stage->lanes, (struct revision){0, seq + 1, get_mark(seq + 1)});
        assert_int_equal(lanes_publish(stage->lanes, round, stage->heads, &stage->reclaim), STATUS_OK);
        reclaim_run(&stage->reclaim); // waits for the readers, as the follower does after each round
    }
    atomic_store(&audience.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        void *failures;
        assert_int_equal(pthread_join(readers[i], &failures), 0);
        assert_null(failures);
    }
    free_stage(stage);
}

// ---- renewal ----

static void each_lane_is_judged_by_the_change_at_the_own_position(void **state) {
    (void)state;
    static const struct {
        int64_t seq, mark, head;
        bool has_mark;
        int64_t found_mark;
        enum renewal_verdict verdict;
    } cases[] = {
        {0, 0, 0, false, 0, RENEWAL_AT_HEAD},       {0, 0, 0, true, 0, RENEWAL_AT_HEAD},
        {5, 50, 5, true, 50, RENEWAL_AT_HEAD},      {5, 50, 5, false, 0, RENEWAL_AT_HEAD},
        {5, 50, 9, true, 50, RENEWAL_BEHIND},       {5, 50, 9, false, 0, RENEWAL_LOG_TOO_HIGH},
        {5, 50, 5, true, 51, RENEWAL_HISTORY_LOST}, {5, 50, 9, true, 51, RENEWAL_HISTORY_LOST},
        {5, 50, 4, false, 0, RENEWAL_HISTORY_LOST}, {5, 50, 4, true, 50, RENEWAL_HISTORY_LOST},
        {5, 50, 0, false, 0, RENEWAL_HISTORY_LOST},
    };
    struct renewal renewal;
    struct positions *positions = calloc(1, sizeof(*positions));
    assert_non_null(positions);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (unsigned lane = 0; lane < LANE_COUNT; lane += 16) {
            renewal = (struct renewal){0};
            memset(positions, 0, sizeof(*positions));
            positions->seqs[lane] = cases[i].seq;
            positions->marks[lane] = cases[i].mark;
            renewal.heads[lane] = cases[i].head;
            renewal.has_position_mark[lane] = cases[i].has_mark;
            renewal.position_marks[lane] = cases[i].found_mark;
            unsigned about = 99;
            assert_int_equal(renewal_judge(&renewal, positions, &about), cases[i].verdict);
            assert_int_equal(about, cases[i].verdict == RENEWAL_AT_HEAD ? 0 : lane);
        }
    free(positions);
}

static void the_worst_lane_speaks_for_all(void **state) {
    (void)state;
    struct renewal renewal = {0};
    struct positions *positions = calloc(1, sizeof(*positions));
    assert_non_null(positions);
    unsigned about;
    positions->seqs[3] = 1;
    renewal.heads[3] = 2;
    renewal.has_position_mark[3] = true; // behind
    assert_int_equal(renewal_judge(&renewal, positions, &about), RENEWAL_BEHIND);
    renewal.heads[40] = 1; // too high
    assert_int_equal(renewal_judge(&renewal, positions, &about), RENEWAL_LOG_TOO_HIGH);
    assert_int_equal(about, 40);
    positions->seqs[20] = 4;
    renewal.heads[20] = 3; // lost
    assert_int_equal(renewal_judge(&renewal, positions, &about), RENEWAL_HISTORY_LOST);
    assert_int_equal(about, 20);
    free(positions);
}

static void the_clock_is_corrected_by_what_is_proved_alone(void **state) {
    (void)state;
    static const struct {
        int64_t sent, received, database, correction;
    } cases[] = {
        {1000, 1010, 1005, 0}, {1000, 1010, 1000, 0}, {1000, 1010, 1010, 0},
        {1000, 1010, 1011, 1}, {1000, 1010, 999, -1}, {1000, 1010, 6010, 5000},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct renewal renewal = {.sent_realtime_ms = cases[i].sent,
                                  .received_realtime_ms = cases[i].received,
                                  .database_now_ms = cases[i].database};
        assert_int_equal(renewal_get_clock_correction_ms(&renewal), cases[i].correction);
        renewal.sent_boottime_ns = UINT64_C(7000999999);
        assert_int_equal(renewal_get_boottime_to_utc_ms(&renewal),
                         cases[i].sent + cases[i].correction - 7000);
    }
}

// ---- what is known for sure ----

static void what_is_remembered_is_listed_from_the_newest_without_gaps(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    struct revision known[LANES_WINDOW];
    assert_int_equal(lanes_list_known(stage->lanes, 1, known), 0);
    for (int64_t seq = FIRST_SEQ; seq < FIRST_SEQ + 5; seq++)
        note(stage, 1, seq, seq * 7);
    publish(stage, 1);
    note(stage, 1, FIRST_SEQ + 5, 1); // not published: nobody decides by it
    assert_int_equal(lanes_list_known(stage->lanes, 1, known), 5);
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(known[i].lane, 1);
        assert_int_equal(known[i].seq, FIRST_SEQ + 4 - i);
        assert_int_equal(known[i].mark, known[i].seq * 7);
    }
    for (int64_t seq = FIRST_SEQ + 6; seq < FIRST_SEQ + LANES_RING; seq++)
        note(stage, 1, seq, seq * 7);
    publish(stage, 2);
    assert_int_equal(lanes_list_known(stage->lanes, 1, known), LANES_WINDOW);
    assert_int_equal(known[LANES_WINDOW - 1].seq, FIRST_SEQ + LANES_RING - LANES_WINDOW);
    free_stage(stage);
}

static void only_what_is_remembered_with_its_mark_is_known(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    for (int64_t seq = FIRST_SEQ; seq < FIRST_SEQ + 5; seq++)
        note(stage, 1, seq, seq * 7);
    publish(stage, 1);
    const struct {
        int64_t seq, mark;
        bool is_known;
    } cases[] = {
        {FIRST_SEQ, FIRST_SEQ * 7, true},
        {FIRST_SEQ + 4, (FIRST_SEQ + 4) * 7, true},
        {FIRST_SEQ + 4, 1, false}, // of another history
        {FIRST_SEQ + 5, 1, false}, // ahead
        {FIRST_SEQ - 1, 1, false}, // older than what is remembered
        {0, 0, true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct revision revision = {1, cases[i].seq, cases[i].mark};
        assert_int_equal(lanes_know(stage->lanes, lanes_get_positions(stage->lanes), revision),
                         cases[i].is_known);
    }
    free_stage(stage);
}

static void a_lane_that_is_not_served_is_told_of_by_nobody(void **state) {
    (void)state;
    struct stage *stage = new_stage();
    stage->lanes->served = (struct lane_set){1 << 1};
    note(stage, 1, FIRST_SEQ, 7);
    note(stage, 2, FIRST_SEQ, 7); // as one that is fed does
    publish(stage, 1);
    const struct positions *positions = lanes_get_positions(stage->lanes);
    const struct revision served = {1, FIRST_SEQ, 7}, elsewhere = {2, FIRST_SEQ, 7}, none = {63, 1, 7};
    assert_int_equal(lanes_compare(stage->lanes, positions, served), LANES_REACHED);
    assert_int_equal(lanes_compare(stage->lanes, positions, elsewhere), LANES_NOT_SERVED);
    assert_int_equal(lanes_compare(stage->lanes, positions, none), LANES_NOT_SERVED);
    assert_int_equal(lanes_compare(stage->lanes, positions, (struct revision){LANE_DEPLOYMENT, 1, 7}),
                     LANES_AHEAD);
    assert_false(lanes_know(stage->lanes, positions, elsewhere));
    free_stage(stage);
}

static void what_happens_in_other_lanes_has_no_part_in_a_judgement(void **state) {
    (void)state;
    const struct positions positions = {.seqs = {[3] = 5}, .marks = {[3] = 50}};
    struct renewal renewal = {.heads = {[3] = 5, [40] = 9}, .floors = {[40] = 4}};
    unsigned about;
    renewal.has_position_mark[3] = true;
    renewal.position_marks[3] = 50;
    assert_int_equal(renewal_judge(&renewal, &positions, &about), RENEWAL_LOG_TOO_HIGH);
    renewal_keep_lanes(&renewal, (struct lane_set){1 << 3});
    assert_int_equal(renewal_judge(&renewal, &positions, &about), RENEWAL_AT_HEAD);
    assert_true(renewal_is_reached(&renewal, &positions));
    assert_true(renewal_has_position(&renewal, &positions, 40));
    renewal.heads[3] = 4;
    renewal_keep_lanes(&renewal, (struct lane_set){1 << 3});
    assert_int_equal(renewal_judge(&renewal, &positions, &about), RENEWAL_HISTORY_LOST);
    renewal.heads[3] = 5;
    renewal.heads[LANE_DEPLOYMENT] = 1; // everybody's
    renewal_keep_lanes(&renewal, (struct lane_set){1 << 3});
    assert_int_equal(renewal_judge(&renewal, &positions, &about), RENEWAL_LOG_TOO_HIGH);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_in_which_nothing_happened_is_at_zero),
        cmocka_unit_test(the_window_ends_where_the_ring_may_be_written),
        cmocka_unit_test(positions_carry_their_revisions_as_text),
        cmocka_unit_test(a_publication_that_failed_is_made_up_for_by_the_next),
        cmocka_unit_test(revisions_stand_where_the_history_says),
        cmocka_unit_test(readers_trust_their_window_while_the_ring_is_written),
        cmocka_unit_test(what_is_remembered_is_listed_from_the_newest_without_gaps),
        cmocka_unit_test(only_what_is_remembered_with_its_mark_is_known),
        cmocka_unit_test(each_lane_is_judged_by_the_change_at_the_own_position),
        cmocka_unit_test(the_worst_lane_speaks_for_all),
        cmocka_unit_test(the_clock_is_corrected_by_what_is_proved_alone),
        cmocka_unit_test(a_lane_that_is_not_served_is_told_of_by_nobody),
        cmocka_unit_test(what_happens_in_other_lanes_has_no_part_in_a_judgement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
