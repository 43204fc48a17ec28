// The fence of a confirmed revocation: from what the leases of the validators look like, read again and
// again, it tells whether a change has reached all who may still admit by the state before it. Pure: rows and
// instants come in, answers go out.
//
// Why it holds. A validator serves for `lease_ms` counted from before it *sent* its last renewal, on its own
// clock that runs on in sleep. Whoever reads the row sees a renewal only after it was committed, so after it
// was sent: once the waiter has seen the same renewal for longer than lease_ms (and 1 % + 100 ms for clocks
// that run apart) on its own monotonic clock, that lease is over, unless a newer renewal was committed
// meanwhile. That is ruled out by deleting the row on the condition that it still holds the renewal that was
// seen; a validator whose renewal finds no row starts over and can't serve before it is at the head again. A
// validator that registers later reads the heads after its registration, so after the change. No wall clock
// takes part.
//
// A validator that does not serve the lane of the change holds nothing of it and admits nobody of it, so
// nobody waits for it. What its row says of that holds as long as the row does: a process serves the same
// lanes all its life, and another process has another row.
#ifndef LATCHKEY_COMMON_APP_FENCE_H
#define LATCHKEY_COMMON_APP_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

#define FENCE_NAME_MAX 255
#define FENCE_NOT_SERVED INT64_MAX

// One validator's row as it was just read.
struct fence_row {
    struct uuid instance;
    struct bytes name; // shown to people; cut at FENCE_NAME_MAX bytes
    int64_t renewal;   // changes with every renewal
    int64_t lease_ms;
    int64_t positions[LANE_COUNT]; // the last change applied, by lane; FENCE_NOT_SERVED = it has no such lane
};

struct fence_validator {
    struct fence_row row;          // without its name,
    char name[FENCE_NAME_MAX + 1]; // which is kept here
    uint64_t seen_ns;              // monotonic, when this renewal was first seen
    bool is_present;               // in the reading under way
};

// Zeroed memory has seen nothing. One thread.
struct fence {
    struct fence_validator *validators;
    size_t count, capacity;
};

struct fence_answer {
    unsigned live;      // validators that may still decide about what is in the lane
    unsigned confirmed; // of those, how many have applied the change
};

void fence_fini(struct fence *fence);

// One whole reading, in any order: begin, each row, end. Validators that are not in it are gone (they stopped
// in order, or their row was deleted). `now_ns` is monotonic and read after the rows arrived.
void fence_begin_reading(struct fence *fence);
MUST_CHECK enum status fence_add_row(struct fence *fence, const struct fence_row *row, uint64_t now_ns);
void fence_end_reading(struct fence *fence);

// True when the renewal of this validator has been the same for longer than its lease and the margin: its row
// may be deleted on the condition that it still holds that renewal.
bool fence_has_run_out(const struct fence_validator *validator, uint64_t now_ns);

bool fence_has_applied(const struct fence_validator *validator, struct revision revision);

struct fence_answer fence_count(const struct fence *fence, struct revision revision);

#endif
