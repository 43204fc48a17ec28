#include "services/validator/feed/feed_holds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN_MS = 100, MARGIN_DIVISOR = 100 };

void feed_holds_fini(struct feed_holds *holds) {
    while (holds->first) {
        struct feed_hold *hold = holds->first;
        holds->first = hold->next;
        free(hold);
    }
}

struct feed_hold *feed_holds_open(struct feed_holds *holds, struct uuid instance_id, struct bytes name) {
    struct feed_hold *hold = holds->first;
    while (hold && !uuid_is_equal(hold->instance_id, instance_id))
        hold = hold->next;
    if (!hold) {
        hold = calloc(1, sizeof(*hold));
        if (!hold)
            return NULL;
        hold->instance_id = instance_id;
        memcpy(hold->name, name.data, name.len < FEED_NAME_MAX ? name.len : FEED_NAME_MAX);
        hold->next = holds->first;
        holds->first = hold;
    }
    hold->users++;
    return hold;
}

void feed_holds_close(struct feed_hold *hold) {
    assert(hold->users > 0);
    hold->users--;
}

void feed_hold_extend(struct feed_hold *hold, uint64_t now_ns, uint64_t valid_ns) {
    uint64_t until_ns = now_ns + valid_ns + valid_ns / MARGIN_DIVISOR + MARGIN_MS * UINT64_C(1000000);
    if (until_ns > hold->until_ns)
        hold->until_ns = until_ns;
}

void feed_holds_expire(struct feed_holds *holds, uint64_t now_ns) {
    for (struct feed_hold **link = &holds->first, *hold; (hold = *link);) {
        if (hold->users > 0 || hold->until_ns > now_ns) {
            link = &hold->next;
            continue;
        }
        *link = hold->next;
        free(hold);
    }
}

void feed_holds_lower(const struct feed_holds *holds, uint64_t now_ns, int64_t seqs[LANE_COUNT]) {
    for (const struct feed_hold *hold = holds->first; hold; hold = hold->next) {
        if (hold->until_ns <= now_ns)
            continue;
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            if (hold->seqs[lane] < seqs[lane])
                seqs[lane] = hold->seqs[lane];
    }
}

static bool is_lower(const struct feed_hold *hold, const int64_t seqs[LANE_COUNT]) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (hold->seqs[lane] < seqs[lane])
            return true;
    return false;
}

// A name that has no room is left out.
static size_t add_name(char names[FEED_LAGGING_MAX + 1], size_t len, const char *name) {
    const char *separator = len > 0 ? ", " : "";
    size_t separator_len = strlen(separator), name_len = strlen(name);
    if (len + separator_len + name_len > FEED_LAGGING_MAX)
        return len;
    memcpy(names + len, separator, separator_len);
    memcpy(names + len + separator_len, name, name_len + 1);
    return len + separator_len + name_len;
}

void feed_holds_name_lagging(const struct feed_holds *holds, uint64_t now_ns, const int64_t seqs[LANE_COUNT],
                             char ret_names[FEED_LAGGING_MAX + 1]) {
    size_t len = 0;
    ret_names[0] = '\0';
    for (const struct feed_hold *hold = holds->first; hold; hold = hold->next)
        if (hold->until_ns > now_ns && is_lower(hold, seqs))
            len = add_name(ret_names, len, hold->name);
}

bool feed_holds_any(const struct feed_holds *holds, uint64_t now_ns) {
    for (const struct feed_hold *hold = holds->first; hold; hold = hold->next)
        if (hold->until_ns > now_ns)
            return true;
    return false;
}
