// Deadlines by the thousand: arming and disarming cost a few instructions and no allocation, because every
// call arms one and nearly none ever falls due. A hierarchical wheel of 1 ms ticks: four levels of 64 slots,
// so up to 4.6 hours exactly, later ones are looked at again when that time has passed. A timer is due at its
// instant or up to one tick after it, never before.
//
// Pure data structure: it reads no clock. One thread.
#ifndef LATCHKEY_COMMON_NET_TIMER_WHEEL_H
#define LATCHKEY_COMMON_NET_TIMER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_WHEEL_LEVELS 4
#define TIMER_WHEEL_SLOTS 64

// Embedded by its owner, who must disarm it before freeing it. Zeroed memory is a disarmed timer.
struct timer {
    struct timer *next, **link; // slot list; `link` is NULL while disarmed
    uint64_t due_tick;
    uint8_t level, slot;
    void (*on_due)(struct timer *timer); // it is disarmed by then; may arm it again, or free it
};

struct timer_wheel {
    uint64_t tick; // every timer due at or before this tick has been fired
    size_t count;
    uint64_t occupied[TIMER_WHEEL_LEVELS]; // bit per slot
    struct timer *slots[TIMER_WHEEL_LEVELS][TIMER_WHEEL_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);

// `timer->on_due` is set; an armed timer is moved. An instant in the past falls due at the next advance.
void timer_wheel_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ns);

// Does nothing when it is not armed.
void timer_wheel_disarm(struct timer_wheel *wheel, struct timer *timer);

static inline bool timer_is_armed(const struct timer *timer) {
    return timer->link != NULL;
}

// Fires what is due at `now_ns`, in order of ticks. Callbacks may arm and disarm any timer.
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ns);

// When timer_wheel_advance() should be called next: not after the first timer is due, but it may be before
// (then nothing fires). UINT64_MAX when nothing is armed.
uint64_t timer_wheel_get_next_ns(const struct timer_wheel *wheel);

#endif
