// Which of a loop's connections have to go when it refuses too many calls, and who may come then. To refuse a
// call costs half of what the cheapest cost to answer, so that beyond a certain load a loop would do nothing
// else; a client without a connection costs it nothing. Who brings most goes first, and others come as the
// loop has time for them. One loop's; no clock, no system call.
//
//     open --too many refused, twice in a row: some are sent away--> wary
//      ^                                                              |
//      +-------------- for ten seconds nobody was sent away ----------+
#ifndef LATCHKEY_COMMON_GRPC_ADMISSION_H
#define LATCHKEY_COMMON_GRPC_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How long it is counted, and then looked at.
#define ADMISSION_PERIOD_NS (UINT64_C(100) * 1000000)

// Sent away in one period at most.
#define ADMISSION_SENT_MAX 256

// What a loop had done at a moment.
struct admission_sample {
    uint64_t at_ns, busy_ns;
    uint64_t calls, refused; // refused ones are calls, too
};

struct admission {
    uint64_t refused_per_s;       // calls, which are not too many; 0 = any number
    uint64_t period;              // the number of the present one
    struct admission_sample from; // its beginning
    uint64_t wary_until_ns;       // 0 = not wary
    size_t room;                  // connections that may come in this period, while wary
    bool was_bad;                 // too many were refused in the last period, and nobody was sent away
};

// What a connection has brought.
struct admission_share {
    uint64_t period, bytes; // in that period
};

// Those that have brought most in this period, most first. Zeroed memory is empty.
struct admission_list {
    struct admission_row {
        void *owner; // borrows
        uint64_t bytes;
    } rows[ADMISSION_SENT_MAX];
    size_t count;
    uint64_t bytes; // of all, on the list or not
};

void admission_init(struct admission *admission, uint64_t refused_per_s, uint64_t now_ns);

static inline void admission_note_bytes(const struct admission *admission, struct admission_share *share,
                                        size_t bytes) {
    if (share->period != admission->period)
        *share = (struct admission_share){.period = admission->period};
    share->bytes += bytes;
}

// Whether the period is over.
static inline bool admission_is_due(const struct admission *admission, uint64_t now_ns) {
    return now_ns - admission->from.at_ns >= ADMISSION_PERIOD_NS;
}

// What part of what it was asked for may stay: what the loop can keep up with, at least a half. 1 = all, as
// not too many were refused, or for the first time: by a burst, or because of what those have left behind
// who were sent away.
double admission_get_part(const struct admission *admission, const struct admission_sample *now);

void admission_list_add(struct admission_list *list, const struct admission *admission, void *owner,
                        const struct admission_share *share);

// How many of the first have to go so that no more than that part is left: nobody without whom the loop would
// have too little to do.
size_t admission_list_count_sent(const struct admission_list *list, double part);

// The next period begins, with so many connections that stay.
void admission_begin_period(struct admission *admission, const struct admission_sample *now, size_t sent,
                            size_t connections);

// One more would come.
bool admission_may_come(struct admission *admission);

#endif
