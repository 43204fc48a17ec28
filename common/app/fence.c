#include "common/app/fence.h"

#include <stdlib.h>
#include <string.h>

enum { MARGIN_MS = 100, MARGIN_DIVISOR = 100 };

void fence_fini(struct fence *fence) {
    free(fence->validators);
    *fence = (struct fence){0};
}

void fence_begin_reading(struct fence *fence) {
    for (size_t i = 0; i < fence->count; i++)
        fence->validators[i].is_present = false;
}

static struct fence_validator *find_validator(struct fence *fence, struct uuid instance) {
    for (size_t i = 0; i < fence->count; i++)
        if (uuid_is_equal(fence->validators[i].row.instance, instance))
            return &fence->validators[i];
    return NULL;
}

static struct fence_validator *add_validator(struct fence *fence) {
    if (fence->count == fence->capacity) {
        size_t capacity = fence->capacity ? fence->capacity * 2 : 8;
        struct fence_validator *grown = realloc(fence->validators, capacity * sizeof(*grown));
        if (!grown)
            return NULL;
        fence->validators = grown;
        fence->capacity = capacity;
    }
    struct fence_validator *validator = &fence->validators[fence->count++];
    *validator = (struct fence_validator){0};
    return validator;
}

enum status fence_add_row(struct fence *fence, const struct fence_row *row, uint64_t now_ns) {
    struct fence_validator *validator = find_validator(fence, row->instance);
    bool is_new = !validator;
    if (is_new && !(validator = add_validator(fence)))
        return STATUS_NO_MEMORY;

    if (is_new || validator->row.renewal != row->renewal)
        validator->seen_ns = now_ns;
    validator->row = *row;
    validator->is_present = true;

    size_t len = row->name.len < FENCE_NAME_MAX ? row->name.len : FENCE_NAME_MAX;
    if (len)
        memcpy(validator->name, row->name.data, len);
    validator->name[len] = '\0';
    validator->row.name = BYTES_EMPTY; // why: elements move when the array grows, so nothing points into them
    return STATUS_OK;
}

void fence_end_reading(struct fence *fence) {
    size_t kept = 0;
    for (size_t i = 0; i < fence->count; i++)
        if (fence->validators[i].is_present)
            fence->validators[kept++] = fence->validators[i];
    fence->count = kept;
}

bool fence_has_run_out(const struct fence_validator *validator, uint64_t now_ns) {
    int64_t lease_ms = validator->row.lease_ms;
    uint64_t enough_ms = (uint64_t)(lease_ms + lease_ms / MARGIN_DIVISOR + MARGIN_MS);
    return now_ns - validator->seen_ns > enough_ms * 1000000;
}

bool fence_has_applied(const struct fence_validator *validator, struct revision revision) {
    return validator->row.positions[revision.lane] >= revision.seq;
}

static bool serves(const struct fence_validator *validator, struct revision revision) {
    return validator->row.positions[revision.lane] != FENCE_NOT_SERVED;
}

struct fence_answer fence_count(const struct fence *fence, struct revision revision) {
    struct fence_answer answer = {0};
    for (size_t i = 0; i < fence->count; i++) {
        if (!serves(&fence->validators[i], revision))
            continue;
        answer.live++;
        answer.confirmed += fence_has_applied(&fence->validators[i], revision);
    }
    return answer;
}
