// Rows of the change log as latchkey.changes_since() gives them: what each is about, and whether none is
// missing. Pure.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_ROWS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_CHANGE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/follow/change_set.h"
#include "services/validator/image/row_fields.h"

// lane, seq, mark, kind, company_id, list_id, objects, prefixes
#define CHANGE_ROW_COLUMNS 8

struct change_row {
    struct revision position;
    struct change change;
};

// Borrows from the row and the fields' arena. MALFORMED or NO_MEMORY.
MUST_CHECK enum status change_row_parse(struct row_fields *fields, struct change_row *ret_row);

// How far the log has been read, lane by lane.
struct change_run {
    int64_t from[LANE_COUNT], reached[LANE_COUNT];
};

struct change_run change_run_from(const int64_t positions[LANE_COUNT]);

// False: it does not follow on the last one of its lane.
MUST_CHECK bool change_run_add(struct change_run *run, const struct revision *position);

// After the last row: whether all that there were up to `heads` have come, or the most that is read of a
// lane.
MUST_CHECK bool change_run_is_whole(const struct change_run *run, const int64_t heads[LANE_COUNT]);

#endif
