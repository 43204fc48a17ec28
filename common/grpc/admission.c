#include "common/grpc/admission.h"

enum {
    REFUSAL_PART = 2, // of what a call costs at least, its refusal
    IDLE_PART = 2,    // of what is to be left, without which the loop has too little to do
};

#define WARY_NS (UINT64_C(10) * 1000000000)

void admission_init(struct admission *admission, uint64_t refused_per_s, uint64_t now_ns) {
    *admission = (struct admission){.refused_per_s = refused_per_s, .period = 1, .from.at_ns = now_ns};
}

static bool is_bad(const struct admission *admission, const struct admission_sample *now) {
    const struct admission_sample *from = &admission->from;
    double refused_max = (double)(now->at_ns - from->at_ns) / 1e9 * (double)admission->refused_per_s;
    return admission->refused_per_s > 0 && (double)(now->refused - from->refused) > refused_max;
}

double admission_get_part(const struct admission *admission, const struct admission_sample *now) {
    if (!admission->was_bad || !is_bad(admission, now))
        return 1;
    const struct admission_sample *from = &admission->from;
    uint64_t calls = now->calls - from->calls, refused = now->refused - from->refused;
    uint64_t answered = calls > refused ? calls - refused : 0;
    return (double)(answered + refused / REFUSAL_PART) / (double)(answered + refused);
}

void admission_list_add(struct admission_list *list, const struct admission *admission, void *owner,
                        const struct admission_share *share) {
    if (share->period != admission->period)
        return;
    list->bytes += share->bytes;
    size_t at = list->count;
    if (at == ADMISSION_SENT_MAX && list->rows[--at].bytes >= share->bytes)
        return;
    for (; at > 0 && list->rows[at - 1].bytes < share->bytes; at--)
        list->rows[at] = list->rows[at - 1];
    list->rows[at] = (struct admission_row){owner, share->bytes};
    if (list->count < ADMISSION_SENT_MAX)
        list->count++;
}

size_t admission_list_count_sent(const struct admission_list *list, double part) {
    uint64_t left = list->bytes, enough = (uint64_t)((double)list->bytes * part);
    size_t sent = 0;
    for (; sent < list->count; sent++) {
        uint64_t bytes = list->rows[sent].bytes;
        // Half of one is as near as it gets.
        if (left <= enough + bytes / 2 || left - bytes < enough / IDLE_PART)
            break;
        left -= bytes;
    }
    return sent;
}

// Who comes is taken to bring as much as those who are here. One more comes to a loop that is never idle and
// has refused nothing: the more it reads at once, the less a call costs.
static size_t count_room(const struct admission_sample *from, const struct admission_sample *to,
                         size_t connections) {
    uint64_t took_ns = to->at_ns - from->at_ns, busy_ns = to->busy_ns - from->busy_ns;
    if (to->refused > from->refused)
        return 0;
    if (busy_ns == 0 || connections == 0)
        return SIZE_MAX;
    return busy_ns < took_ns ? (took_ns - busy_ns) * connections / busy_ns + 1 : 1;
}

void admission_begin_period(struct admission *admission, const struct admission_sample *now, size_t sent,
                            size_t connections) {
    admission->room = sent > 0 ? 0 : count_room(&admission->from, now, connections);
    admission->was_bad = sent == 0 && is_bad(admission, now);
    if (sent > 0)
        admission->wary_until_ns = now->at_ns + WARY_NS;
    else if (now->at_ns >= admission->wary_until_ns)
        admission->wary_until_ns = 0;
    admission->from = *now;
    admission->period++;
}

bool admission_may_come(struct admission *admission) {
    if (admission->wary_until_ns == 0)
        return true;
    if (admission->room == 0)
        return false;
    admission->room--;
    return true;
}
