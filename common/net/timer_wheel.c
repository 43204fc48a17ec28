// Why a hierarchy: an expiry far away sits in a coarse slot and is sorted into finer ones ("cascades") when
// the wheel gets near it, so that arming never searches and advancing skips empty slots by the bitmaps.
//
// Invariant: a timer at level L in slot s has a tick t, its due tick or for those beyond the wheel the last
// one that fits, with (t >> 6L) & 63 == s and 1 <= (t >> 6L) - (tick >> 6L) <= 64. So each slot holds ticks
// of one round only, and the next occupied slot of a level is found by one rotation and one count of zeros.
#include "common/net/timer_wheel.h"

#include <assert.h>
#include <string.h>

enum { SLOT_BITS = 6, SLOT_MASK = TIMER_WHEEL_SLOTS - 1 };

#define TICK_NS 1000000u
#define HORIZON ((1ull << (SLOT_BITS * TIMER_WHEEL_LEVELS)) - 1)
#define NEVER UINT64_MAX

static_assert(TIMER_WHEEL_SLOTS == 1 << SLOT_BITS,
              "a slot number is SLOT_BITS wide and a bitmap is one word");

static void link_at(struct timer_wheel *wheel, struct timer *timer, unsigned level, unsigned slot) {
    struct timer **head = &wheel->slots[level][slot];
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    timer->next = *head;
    timer->link = head;
    if (timer->next)
        timer->next->link = &timer->next;
    *head = timer;
    wheel->occupied[level] |= 1ull << slot;
}

static void unlink_timer(struct timer_wheel *wheel, struct timer *timer) {
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    if (!wheel->slots[timer->level][timer->slot])
        wheel->occupied[timer->level] &= ~(1ull << timer->slot);
    timer->next = NULL;
    timer->link = NULL;
}

// `timer->due_tick` is after `wheel->tick`.
static void place(struct timer_wheel *wheel, struct timer *timer) {
    uint64_t distance = timer->due_tick - wheel->tick;
    if (distance > HORIZON)
        distance = HORIZON;
    unsigned level = 0;
    while (distance >> (SLOT_BITS * (level + 1)))
        level++;
    uint64_t tick = wheel->tick + distance;
    link_at(wheel, timer, level, (unsigned)(tick >> (SLOT_BITS * level)) & SLOT_MASK);
}

// The first tick after the present one at which a slot of `level` is reached.
static uint64_t find_next_tick_of_level(const struct timer_wheel *wheel, unsigned level) {
    uint64_t occupied = wheel->occupied[level];
    if (!occupied)
        return NEVER;
    uint64_t position = wheel->tick >> (SLOT_BITS * level);
    unsigned first = (unsigned)(position + 1) & SLOT_MASK;
    uint64_t rotated = first ? occupied >> first | occupied << (TIMER_WHEEL_SLOTS - first) : occupied;
    return (position + 1 + (unsigned)__builtin_ctzll(rotated)) << (SLOT_BITS * level);
}

static uint64_t find_next_tick(const struct timer_wheel *wheel) {
    uint64_t next = NEVER;
    for (unsigned level = 0; level < TIMER_WHEEL_LEVELS; level++) {
        uint64_t tick = find_next_tick_of_level(wheel, level);
        if (tick < next)
            next = tick;
    }
    return next;
}

// Sorts the slot of `level` that begins at the present tick into finer ones.
static void cascade(struct timer_wheel *wheel, unsigned level) {
    unsigned slot = (unsigned)(wheel->tick >> (SLOT_BITS * level)) & SLOT_MASK;
    struct timer *timer = wheel->slots[level][slot];
    wheel->slots[level][slot] = NULL;
    wheel->occupied[level] &= ~(1ull << slot);
    while (timer) {
        struct timer *next = timer->next;
        if (timer->due_tick <= wheel->tick)
            link_at(wheel, timer, 0, (unsigned)wheel->tick & SLOT_MASK);
        else
            place(wheel, timer);
        timer = next;
    }
}

static void fire_present_tick(struct timer_wheel *wheel) {
    for (unsigned level = TIMER_WHEEL_LEVELS - 1; level > 0; level--) {
        uint64_t within = wheel->tick & ((1ull << (SLOT_BITS * level)) - 1);
        if (within == 0)
            cascade(wheel, level);
    }
    // One at a time from the head: a callback may disarm any other.
    struct timer **head = &wheel->slots[0][wheel->tick & SLOT_MASK];
    while (*head) {
        struct timer *timer = *head;
        timer_wheel_disarm(wheel, timer);
        timer->on_due(timer);
    }
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns) {
    memset(wheel, 0, sizeof(*wheel));
    wheel->tick = now_ns / TICK_NS;
}

void timer_wheel_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ns) {
    assert(timer->on_due);
    timer_wheel_disarm(wheel, timer);
    uint64_t tick = due_ns / TICK_NS + (due_ns % TICK_NS != 0);
    timer->due_tick = tick > wheel->tick ? tick : wheel->tick + 1;
    place(wheel, timer);
    wheel->count++;
}

void timer_wheel_disarm(struct timer_wheel *wheel, struct timer *timer) {
    if (!timer_is_armed(timer))
        return;
    unlink_timer(wheel, timer);
    wheel->count--;
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ns) {
    uint64_t now = now_ns / TICK_NS;
    while (wheel->tick < now) {
        uint64_t next = find_next_tick(wheel);
        wheel->tick = next < now ? next : now;
        if (next <= now)
            fire_present_tick(wheel);
    }
}

uint64_t timer_wheel_get_next_ns(const struct timer_wheel *wheel) {
    uint64_t tick = find_next_tick(wheel);
    return tick == NEVER ? UINT64_MAX : tick * TICK_NS;
}
