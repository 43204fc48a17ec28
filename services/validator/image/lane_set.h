// Which lanes of companies a validator serves; it holds the rows of their companies and of nobody else. The
// deployment's lane is everybody's.
//
//     --lanes 0-31,47        a list of lanes and ranges of them, in any order; lanes may be named twice
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_LANE_SET_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_LANE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

// Zeroed memory serves no company.
struct lane_set {
    uint64_t companies; // bit n = lane n
};

#define LANE_SET_ALL ((struct lane_set){UINT64_MAX})

// The longest text, "0-1,3-4,...,60-61,63", has 121 characters.
#define LANE_SET_TEXT_MAX 128

static inline bool lane_set_has(struct lane_set set, unsigned lane) {
    return lane == LANE_DEPLOYMENT || (lane < LANE_DEPLOYMENT && set.companies >> lane & 1);
}

static inline bool lane_set_is_all(struct lane_set set) {
    return set.companies == UINT64_MAX;
}

static inline bool lane_set_includes(struct lane_set set, struct lane_set part) {
    return (part.companies & ~set.companies) == 0;
}

// False, and the set untouched, where the text is no such list, or empty.
MUST_CHECK bool lane_set_parse(struct bytes text, struct lane_set *ret_set);

// The shortest list, ascending: "0-31,47".
void lane_set_format(struct lane_set set, char ret_text[LANE_SET_TEXT_MAX + 1]);

unsigned lane_set_count(struct lane_set set);

#endif
