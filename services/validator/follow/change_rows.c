#include "services/validator/follow/change_rows.h"

#include <string.h>

#include "services/validator/image/lanes.h"

static struct revision take_position(struct row_fields *fields) {
    int16_t lane = row_fields_take_int16(fields);
    if (lane < 0 || lane >= LANE_COUNT)
        fields->status = STATUS_MALFORMED;
    int64_t seq = row_fields_take_int64(fields);
    return (struct revision){.lane = (uint8_t)lane, .seq = seq, .mark = row_fields_take_int64(fields)};
}

// NULL and empty arrays name nothing, which means anything.
enum status change_row_parse(struct row_fields *fields, struct change_row *ret_row) {
    struct change_row row = {.position = take_position(fields)};
    struct change *change = &row.change;
    change->kind = row_fields_take_text(fields);
    change->company_id = row_fields_take_uuid_or_zero(fields);
    change->list_id = row_fields_take_uuid_or_zero(fields);
    change->objects = row_fields_take_uuids(fields, &change->object_count);
    change->prefixes = row_fields_take_prefixes(fields, &change->prefix_count);
    if (fields->status == STATUS_OK)
        *ret_row = row;
    return fields->status;
}

struct change_run change_run_from(const int64_t positions[LANE_COUNT]) {
    struct change_run run;
    memcpy(run.from, positions, sizeof(run.from));
    memcpy(run.reached, positions, sizeof(run.reached));
    return run;
}

bool change_run_add(struct change_run *run, const struct revision *position) {
    int64_t *reached = &run->reached[position->lane];
    if (position->seq <= *reached || position->seq - 1 != *reached)
        return false;
    *reached = position->seq;
    return true;
}

bool change_run_is_whole(const struct change_run *run, const int64_t heads[LANE_COUNT]) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (run->reached[lane] < heads[lane] && run->reached[lane] - run->from[lane] < LANES_ROUND_MAX)
            return false;
    return true;
}
