// What the logs of all loops hold of some companies, as one list: what is alike is added up, the latest comes
// first. Pure, but for the moment in which each log is copied.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIAL_LIST_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_DENIAL_LIST_H

#include "common/base/arena.h"
#include "services/validator/decide/denial_log.h"

// Where a denial stands in the list: a page begins behind one.
struct denial_place {
    int64_t last_at_ms;
    uint64_t id; // made of its key: of those of one moment, and to know it again
};

struct denial_row {
    struct denial denial;
    struct denial_place place;
};

struct denial_list {
    struct denial_row *rows; // in the arena
    size_t count;
};

// Any thread. NO_MEMORY.
MUST_CHECK enum status denial_list_gather(struct denial_log *const *logs, size_t log_count,
                                          const struct uuid *companies, size_t company_count,
                                          struct arena *arena, struct denial_list *ret_list);

// Whether `row` stands behind `place`; what has been refused again meanwhile has gone in front of it.
bool denial_row_is_behind(const struct denial_row *row, const struct denial_place *place);

#endif
