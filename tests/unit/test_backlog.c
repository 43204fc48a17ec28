// The backlog on a real loop: what others wait for it, and whose turn it is.
#include <string.h>

#include "common/base/clock.h"
#include "services/validator/decide/backlog.h"
#include "tests/unit/unit.h"

enum { JOBS_MAX = 1000 };

struct job {
    struct backlog_job job;
    size_t left; // pieces
    size_t runs;
    size_t done_at; // the order in which jobs have ended; 0 = not yet
};

static struct {
    struct loop_group *loops;
    struct loop_task begin, turn, leave;
    struct backlog backlog;
    struct job jobs[JOBS_MAX];
    size_t count, ended;
    size_t pieces, pieces_at_last_turn, most_in_a_turn;
} scene;

static size_t run(struct backlog_job *backlog_job) {
    struct job *job = CONTAINER_OF(backlog_job, struct job, job);
    size_t pieces = job->left < BACKLOG_PORTION ? job->left : BACKLOG_PORTION;
    job->left -= pieces;
    job->runs++;
    scene.pieces += pieces;
    if (job->left > 0)
        backlog_add(&scene.backlog, backlog_job);
    else
        job->done_at = ++scene.ended;
    return pieces;
}

// Stands for whatever else a turn does: it is posted anew each turn until all is done.
static void on_turn(struct loop_task *task) {
    size_t pieces = scene.pieces - scene.pieces_at_last_turn;
    scene.pieces_at_last_turn = scene.pieces;
    if (pieces > scene.most_in_a_turn)
        scene.most_in_a_turn = pieces;
    if (scene.ended == scene.count)
        loop_release(loop_group_get_loop(scene.loops, 0));
    else
        loop_post(loop_group_get_loop(scene.loops, 0), task);
}

static void on_begin(struct loop_task *task) {
    (void)task;
    struct loop *loop = loop_group_get_loop(scene.loops, 0);
    backlog_enter_loop(&scene.backlog, loop);
    for (size_t i = 0; i < scene.count; i++)
        backlog_add(&scene.backlog, &scene.jobs[i].job);
    loop_hold(loop);
    loop_post(loop, &scene.turn);
}

static void add(const char *connection, size_t pieces) {
    struct job *job = &scene.jobs[scene.count++];
    *job = (struct job){.job = {.connection = connection, .run = run}, .left = pieces};
}

static void run_all(void) {
    scene.begin.run = on_begin;
    scene.turn.run = on_turn;
    assert_int_equal(loop_group_new(1, clock_get_system(), &scene.loops), STATUS_OK);
    loop_post(loop_group_get_loop(scene.loops, 0), &scene.begin);
    assert_int_equal(loop_group_start(scene.loops), STATUS_OK);
    loop_group_stop(scene.loops);
    loop_group_free(scene.loops);
}

static int set_up(void **state) {
    (void)state;
    memset(&scene, 0, sizeof(scene));
    return 0;
}

static const char connections[JOBS_MAX];

static void a_turn_does_a_bounded_number_of_pieces_however_many_there_are(void **state) {
    (void)state;
    for (size_t i = 0; i < 50; i++)
        add(&connections[i], 1000);
    run_all();
    assert_int_equal(scene.ended, 50);
    assert_int_equal(scene.pieces, 50 * 1000);
    assert_true(scene.most_in_a_turn > 0);
    // The last one may have begun with one piece left in the turn; and a turn may have begun between two of
    // the test's own.
    assert_true(scene.most_in_a_turn <= 2 * (BACKLOG_TURN + BACKLOG_PORTION));
}

static void jobs_without_pieces_are_bounded_as_well(void **state) {
    (void)state;
    for (size_t i = 0; i < JOBS_MAX; i++)
        add(&connections[i], 0);
    run_all();
    assert_int_equal(scene.ended, JOBS_MAX);
}

static void one_batch_of_another_connection_goes_between_those_of_a_busy_one(void **state) {
    (void)state;
    for (size_t i = 0; i < 500; i++)
        add(&connections[0], 1000);
    // why several: a connection may share the queue of the busy one, but not all of them do.
    for (size_t i = 1; i <= 20; i++)
        add(&connections[i], 100);
    run_all();
    size_t early = 0;
    for (size_t i = 500; i < 520; i++)
        early += scene.jobs[i].done_at < 100;
    assert_true(early >= 10);
}

static void jobs_of_one_connection_are_done_in_their_order(void **state) {
    (void)state;
    for (size_t i = 0; i < 100; i++)
        add(&connections[0], 10);
    run_all();
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(scene.jobs[i].done_at, i + 1);
}

static void what_was_removed_is_not_run(void **state) {
    (void)state;
    struct backlog backlog;
    struct backlog_job first = {.connection = &connections[0]}, second = first, third = first;
    assert_int_equal(loop_group_new(1, clock_get_system(), &scene.loops), STATUS_OK);
    backlog_enter_loop(&backlog, loop_group_get_loop(scene.loops, 0));
    backlog.is_deferred = true; // as if: this loop has no turns
    backlog_remove(&backlog, &first);
    backlog_add(&backlog, &first);
    backlog_add(&backlog, &second);
    backlog_add(&backlog, &second);
    backlog_add(&backlog, &third);
    backlog_remove(&backlog, &third);
    backlog_remove(&backlog, &first);
    backlog_add(&backlog, &first);
    backlog_remove(&backlog, &second);
    backlog_remove(&backlog, &first);
    assert_int_equal(backlog.filled, 0);
    loop_group_free(scene.loops);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_turn_does_a_bounded_number_of_pieces_however_many_there_are, set_up),
        cmocka_unit_test_setup(jobs_without_pieces_are_bounded_as_well, set_up),
        cmocka_unit_test_setup(one_batch_of_another_connection_goes_between_those_of_a_busy_one, set_up),
        cmocka_unit_test_setup(jobs_of_one_connection_are_done_in_their_order, set_up),
        cmocka_unit_test_setup(what_was_removed_is_not_run, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
