#include "services/validator/decide/validate_counters.h"

#include <stdio.h>

static uint64_t read(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_each(_Atomic uint64_t *to, const _Atomic uint64_t *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        validate_count(&to[i], (int64_t)read(&from[i]));
}

void validate_counters_add(struct validate_counters *to, const struct validate_counters *from) {
    add_each(to->decisions, from->decisions, ARRAY_LENGTH(to->decisions));
    add_each(to->not_current, from->not_current, ARRAY_LENGTH(to->not_current));
    add_each(&to->not_served, &from->not_served, 1);
    add_each(&to->refused_askers, &from->refused_askers, 1);
    add_each(to->waits, from->waits, ARRAY_LENGTH(to->waits));
    add_each(&to->parked, &from->parked, 1);
    add_each(&to->denials_missed, &from->denials_missed, 1);
}

static void write_decisions(const struct validate_counters *sums, struct metrics_writer *writer) {
    for (int reason = REASON_OK; reason < REASON_COUNT; reason++) {
        char label[64];
        snprintf(label, sizeof(label), "reason=\"%s\"", reason_get_name((enum reason)reason));
        metrics_write_counter(writer, "latchkey_validate_decisions_total",
                              "Decisions, by the reason that the caller was told.", label,
                              read(&sums->decisions[reason]));
    }
}

static void write_not_current(const struct validate_counters *sums, struct metrics_writer *writer) {
    static const char *const labels[] = {[LEASE_LOADING] = "state=\"loading\"",
                                         [LEASE_STALE] = "state=\"stale\"",
                                         [LEASE_HISTORY_LOST] = "state=\"history_lost\""};
    for (size_t state = 0; state < ARRAY_LENGTH(labels); state++)
        if (labels[state])
            metrics_write_counter(writer, "latchkey_validate_not_current_total",
                                  "Calls answered UNAVAILABLE because the validator was not current.",
                                  labels[state], read(&sums->not_current[state]));
}

static void write_waits(const struct validate_counters *sums, struct metrics_writer *writer) {
    static const char *const labels[] = {
#define LABEL(name, text) "end=\"" text "\"",
        VALIDATE_WAIT_TABLE(LABEL)
#undef LABEL
    };
    for (size_t i = 0; i < ARRAY_LENGTH(labels); i++)
        metrics_write_counter(writer, "latchkey_validate_waits_total",
                              "Calls that had to wait for their min_revision, by how that ended.", labels[i],
                              read(&sums->waits[i]));
}

void validate_counters_write(const struct validate_counters *sums, struct metrics_writer *writer) {
    write_decisions(sums, writer);
    write_not_current(sums, writer);
    metrics_write_counter(writer, "latchkey_validate_not_served_total",
                          "Calls answered UNAVAILABLE because their token or revision is of a lane that is "
                          "served elsewhere.",
                          NULL, read(&sums->not_served));
    metrics_write_counter(writer, "latchkey_validate_refused_callers_total",
                          "Calls by somebody who may not ask.", NULL, read(&sums->refused_askers));
    write_waits(sums, writer);
    metrics_write_gauge(writer, "latchkey_validate_parked_calls",
                        "Calls that wait for their min_revision now.", NULL, (double)read(&sums->parked));
    metrics_write_counter(writer, "latchkey_validate_denials_missed_total",
                          "Refusals that ListDenials does not show, because it was copying at that moment.",
                          NULL, read(&sums->denials_missed));
}
