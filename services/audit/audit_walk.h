// A walk along the chain of hashes: fed with events in their order, it stops at the first link that does not
// hold. Pure.
//
//   WALKING --an event, or the end, that does not fit--> BROKEN
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_WALK_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/audit/audit_record.h"

struct audit_walk {
    int64_t next_number;    // of the event that is to come
    struct digest previous; // hash of the one before it

    const struct audit_head *known; // borrows; what the reader kept, ascending; those passed are dropped
    size_t known_count;

    int64_t checked; // events, the broken one included
    struct buffer scratch;

    bool is_broken;
    int64_t broken_number;
    struct uuid broken_event; // zero = it is missing
    const char *detail;       // static
};

// From the event `from` on, behind one with the hash `previous` (zero for the first).
void audit_walk_init(struct audit_walk *walk, int64_t from, const struct digest *previous,
                     const struct audit_head *known, size_t known_count);
void audit_walk_fini(struct audit_walk *walk);

// NO_MEMORY; else look at walk->is_broken.
MUST_CHECK enum status audit_walk_feed(struct audit_walk *walk, const struct audit_record *record);

// There is no event `next_number`, though the chain goes on to `head`.
void audit_walk_miss(struct audit_walk *walk);

// Every event up to the head has been fed: it must be the head, with nothing behind it.
void audit_walk_finish(struct audit_walk *walk, const struct audit_head *head, int64_t last_number);

#endif
