#include "services/validator/decide/validate_wait.h"

#include <assert.h>

// The first round that surely began after a call that came at `round`.
#define ROUND_AFTER(round) ((round) + 2)

enum validate_standing validate_judge_revision(const struct lanes *lanes, const struct positions *positions,
                                               struct revision revision, uint64_t came_at_round) {
    switch (lanes_compare(lanes, positions, revision)) {
    case LANES_REACHED: return VALIDATE_REACHED;
    case LANES_FOREIGN: return VALIDATE_OF_ANOTHER_HISTORY;
    case LANES_NOT_SERVED: return VALIDATE_NOT_SERVED;
    case LANES_AHEAD: break;
    }
    bool is_above = revision.seq > positions->heads[revision.lane];
    bool is_just_read = positions->round >= ROUND_AFTER(came_at_round);
    return is_above && is_just_read ? VALIDATE_OF_ANOTHER_HISTORY : VALIDATE_NOT_YET;
}

static void link_to(struct validate_wait *wait, struct validate_wait **first) {
    wait->next = *first;
    wait->link = first;
    if (wait->next)
        wait->next->link = &wait->next;
    *first = wait;
}

static void unlink_wait(struct validate_wait *wait) {
    *wait->link = wait->next;
    if (wait->next)
        wait->next->link = wait->link;
    wait->link = NULL;
}

void validate_waits_leave(struct validate_wait *wait) {
    if (!wait->link)
        return;
    unlink_wait(wait);
    wait->waits->count--;
    loop_disarm_timer(wait->waits->loop, &wait->timer);
}

static void resume(struct validate_wait *wait) {
    validate_waits_leave(wait);
    wait->resume(wait);
}

static void on_due(struct timer *timer) {
    struct validate_wait *wait = CONTAINER_OF(timer, struct validate_wait, timer);
    wait->is_over = true;
    resume(wait);
}

// One more round is worth asking for: nobody has read a head yet that tells.
static void ask_for_round(struct validate_waits *waits, uint64_t round) {
    waits->asked_round = round;
    waits->options.wake_follower(waits->options.context);
}

enum status validate_waits_park(struct validate_waits *waits, struct validate_wait *wait, uint64_t due_ns) {
    assert(!wait->link);
    if (waits->count >= waits->options.max)
        return STATUS_EXHAUSTED;
    wait->waits = waits;
    wait->timer.on_due = on_due;
    link_to(wait, &waits->lanes[wait->revision.lane]);
    waits->count++;
    loop_arm_timer(waits->loop, &wait->timer, due_ns);
    ask_for_round(waits, wait->came_at_round);
    return STATUS_OK;
}

static void move_ready(struct validate_waits *waits, const struct lanes *lanes,
                       const struct positions *positions, unsigned lane) {
    struct validate_wait *next;
    for (struct validate_wait *wait = waits->lanes[lane]; wait; wait = next) {
        next = wait->next;
        if (validate_judge_revision(lanes, positions, wait->revision, wait->came_at_round) ==
            VALIDATE_NOT_YET)
            continue;
        unlink_wait(wait);
        link_to(wait, &waits->ready);
    }
}

// The round of the positions that it was done by.
static uint64_t move_all_ready(struct validate_waits *waits) {
    reading_begin(waits->options.reading);
    const struct image *image = validator_get_image(waits->options.validator);
    const struct positions *positions = image ? lanes_get_positions(image_get_lanes(image)) : NULL;
    uint64_t round = positions ? positions->round : 0;
    for (unsigned lane = 0; positions && lane < LANE_COUNT; lane++)
        move_ready(waits, image_get_lanes(image), positions, lane);
    return round;
}

static void look_again(struct validate_waits *waits) {
    if (waits->count == 0)
        return;
    uint64_t round = move_all_ready(waits);
    while (waits->ready)
        resume(waits->ready);
    // why only after a new round: while the database is away there is none, and asking again would not end.
    if (waits->count > 0 && round > waits->asked_round)
        ask_for_round(waits, round);
}

// ---- between the follower and the loop ----

// Returns whether the loop is still to be served.
static bool take_task(struct validate_waits *waits) {
    pthread_mutex_lock(&waits->lock);
    waits->is_posted = false;
    bool is_open = waits->is_open;
    pthread_mutex_unlock(&waits->lock);
    return is_open;
}

static void on_told(struct loop_task *task) {
    struct validate_waits *waits = CONTAINER_OF(task, struct validate_waits, task);
    if (take_task(waits))
        look_again(waits);
    else
        loop_release(waits->loop);
}

void validate_waits_tell(struct validate_waits *waits) {
    pthread_mutex_lock(&waits->lock);
    if (waits->is_open && !waits->is_posted) {
        waits->is_posted = true;
        loop_post(waits->loop, &waits->task);
    }
    pthread_mutex_unlock(&waits->lock);
}

void validate_waits_enter_loop(struct validate_waits *waits, struct loop *loop) {
    loop_hold(loop);
    pthread_mutex_lock(&waits->lock);
    waits->loop = loop;
    waits->is_open = true;
    pthread_mutex_unlock(&waits->lock);
}

static void end_all(struct validate_waits *waits) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        while (waits->lanes[lane]) {
            waits->lanes[lane]->is_over = true;
            resume(waits->lanes[lane]);
        }
}

// With a task on its way the loop stays held until that has run.
void validate_waits_leave_loop(struct validate_waits *waits) {
    end_all(waits);
    pthread_mutex_lock(&waits->lock);
    waits->is_open = false;
    bool is_posted = waits->is_posted;
    pthread_mutex_unlock(&waits->lock);
    if (!is_posted)
        loop_release(waits->loop);
}

void validate_waits_init(struct validate_waits *waits, const struct validate_waits_options *options) {
    *waits = (struct validate_waits){.options = *options, .task.run = on_told};
    pthread_mutex_init(&waits->lock, NULL);
}

void validate_waits_fini(struct validate_waits *waits) {
    pthread_mutex_destroy(&waits->lock);
}
