#include "services/validator/follow/follower_status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"

void follower_status_init(struct follower_status *status, const struct validator *validator,
                          const struct clock *clock) {
    status->validator = validator;
    status->clock = clock;
    pthread_mutex_init(&status->lock, NULL);
}

void follower_status_fini(struct follower_status *status) {
    pthread_mutex_destroy(&status->lock);
}

// --- trouble ---

// True if it was another before.
static bool replace_trouble(struct follower_status *status, const char *trouble) {
    pthread_mutex_lock(&status->lock);
    bool is_new = strcmp(status->trouble, trouble) != 0;
    status->is_in_trouble = trouble[0] != '\0';
    snprintf(status->trouble, sizeof(status->trouble), "%s", trouble);
    pthread_mutex_unlock(&status->lock);
    return is_new;
}

void follower_status_set_trouble(struct follower_status *status, const char *format, ...) {
    char trouble[FOLLOWER_TROUBLE_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(trouble, sizeof(trouble), format, args);
    va_end(args);
    if (replace_trouble(status, trouble))
        log_event(LOG_LEVEL_WARNING, "the validator can't follow", LOG_TEXT("why", trouble));
}

void follower_status_clear_trouble(struct follower_status *status) {
    if (replace_trouble(status, ""))
        log_event(LOG_LEVEL_INFO, "the validator follows again");
}

void follower_status_begin_load(struct follower_status *status) {
    pthread_mutex_lock(&status->lock);
    status->is_in_trouble = false;
    pthread_mutex_unlock(&status->lock);
}

// --- for operators ---

static enum lease_state get_state(const struct follower_status *status) {
    return lease_get_state(&status->validator->lease, clock_get_boottime_ns(status->clock));
}

static void write_progress(const struct follower_status *status, struct buffer *to) {
    int percent = snapshot_progress_get_percent(&status->progress);
    if (percent >= 0)
        buffer_append_format(to, " (%d %%)", percent);
}

// Where they are all there is nothing to tell.
static void write_lanes(const struct follower_status *status, struct buffer *to) {
    char text[LANE_SET_TEXT_MAX + 1];
    lane_set_format(status->lanes, text);
    if (!lane_set_is_all(status->lanes))
        buffer_append_format(to, " of lanes %s", text);
}

void follower_status_write_unready(struct follower_status *status, struct buffer *to) {
    enum lease_state state = get_state(status);
    if (state == LEASE_SERVING)
        return;
    buffer_append_text(to, "validator");
    write_lanes(status, to);
    buffer_append_format(to, ": %s", lease_state_get_name(state));
    if (state == LEASE_LOADING)
        write_progress(status, to);
    pthread_mutex_lock(&status->lock);
    if (status->is_in_trouble)
        buffer_append_format(to, ": %s", status->trouble);
    pthread_mutex_unlock(&status->lock);
    buffer_append_text(to, "\n");
}

// --- metrics ---

void follower_status_note_image(struct follower_status *status, const struct image *image) {
    struct image_statistics now = image_get_statistics(image);
    const struct positions *positions = lanes_get_positions(image_get_lanes(image));
    uint64_t behind = 0;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (positions->heads[lane] > positions->seqs[lane])
            behind += (uint64_t)(positions->heads[lane] - positions->seqs[lane]);
    atomic_store_explicit(&status->behind, behind, memory_order_relaxed);
    atomic_store_explicit(&status->tokens, now.tokens, memory_order_relaxed);
    atomic_store_explicit(&status->companies, now.companies, memory_order_relaxed);
    atomic_store_explicit(&status->members, now.members, memory_order_relaxed);
    atomic_store_explicit(&status->roles, now.roles, memory_order_relaxed);
    atomic_store_explicit(&status->policies, now.policies, memory_order_relaxed);
    atomic_store_explicit(&status->token_bytes, now.token_bytes, memory_order_relaxed);
    atomic_store_explicit(&status->list_bytes, now.list_bytes, memory_order_relaxed);
}

struct number {
    const char *name, *help;
    size_t offset; // of an _Atomic uint64_t in struct follower_status
};

static const struct number counters[] = {
    {"latchkey_follower_rounds_total", "Renewals of the lease that were answered.",
     offsetof(struct follower_status, rounds)},
    {"latchkey_follower_changes_total", "Changes of the log that were applied.",
     offsetof(struct follower_status, changes)},
    {"latchkey_follower_loads_total", "Snapshots that were loaded.", offsetof(struct follower_status, loads)},
    {"latchkey_follower_failures_total", "Turns that failed and were tried again.",
     offsetof(struct follower_status, failures)},
};

static const struct number gauges[] = {
    {"latchkey_follower_load_rows", "Rows that the load under way, or the last one, has read.",
     offsetof(struct follower_status, progress.loaded_rows)},
    {"latchkey_follower_load_expected_rows", "About how many rows that load has; 0: not known.",
     offsetof(struct follower_status, progress.expected_rows)},
    {"latchkey_follower_behind_changes", "Changes in the log that were not applied at the last look.",
     offsetof(struct follower_status, behind)},
    {"latchkey_image_tokens", "Secrets of tokens held in memory.", offsetof(struct follower_status, tokens)},
    {"latchkey_image_companies", "Companies held in memory.", offsetof(struct follower_status, companies)},
    {"latchkey_image_members", "Members held in memory.", offsetof(struct follower_status, members)},
    {"latchkey_image_roles", "Roles held in memory.", offsetof(struct follower_status, roles)},
    {"latchkey_image_policies", "Different policies of tokens held in memory.",
     offsetof(struct follower_status, policies)},
    {"latchkey_image_token_bytes", "Memory of tokens, their table and policies.",
     offsetof(struct follower_status, token_bytes)},
    {"latchkey_image_list_bytes", "Memory of lists of addresses, domains and permissions, equal ones once.",
     offsetof(struct follower_status, list_bytes)},
};

static uint64_t get_number(struct follower_status *status, const struct number *number) {
    _Atomic uint64_t *value = (void *)((char *)status + number->offset);
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void write_lease(struct metrics_writer *writer, const struct follower_status *status) {
    static const enum lease_state states[] = {LEASE_LOADING, LEASE_SERVING, LEASE_STALE, LEASE_HISTORY_LOST};
    static const char *const labels[] = {"state=\"loading\"", "state=\"serving\"", "state=\"stale\"",
                                         "state=\"history_lost\""};
    enum lease_state state = get_state(status);
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        metrics_write_gauge(writer, "latchkey_follower_state", "1 for the state of the lease.", labels[i],
                            states[i] == state);
    uint64_t left_ns = lease_get_left_ns(&status->validator->lease, clock_get_boottime_ns(status->clock));
    metrics_write_gauge(writer, "latchkey_follower_lease_seconds", "For how long it may still serve.", NULL,
                        (double)left_ns / 1e9);
    int64_t correction_ms =
        atomic_load_explicit(&status->validator->clock_correction_ms, memory_order_relaxed);
    metrics_write_gauge(writer, "latchkey_follower_clock_correction_seconds",
                        "What is added to the clock to agree with the database's.", NULL,
                        (double)correction_ms / 1e3);
}

// Summed up over all validators it tells the lanes that nobody decides about.
static void write_serving(struct metrics_writer *writer, const struct follower_status *status) {
    bool is_serving = get_state(status) == LEASE_SERVING;
    for (unsigned lane = 0; lane < LANE_DEPLOYMENT; lane++) {
        char label[32];
        snprintf(label, sizeof(label), "lane=\"%u\"", lane);
        metrics_write_gauge(writer, "latchkey_validator_lane_serving",
                            "1 for each lane of companies that it decides about now (--lanes).", label,
                            is_serving && lane_set_has(status->lanes, lane));
    }
}

void follower_status_write_metrics(struct metrics_writer *writer, struct follower_status *status) {
    write_lease(writer, status);
    write_serving(writer, status);
    for (size_t i = 0; i < ARRAY_LENGTH(counters); i++)
        metrics_write_counter(writer, counters[i].name, counters[i].help, NULL,
                              get_number(status, &counters[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(gauges); i++)
        metrics_write_gauge(writer, gauges[i].name, gauges[i].help, NULL,
                            (double)get_number(status, &gauges[i]));
    metrics_write_gauge(writer, "latchkey_follower_load_seconds", "How long the last load took.", NULL,
                        (double)atomic_load_explicit(&status->load_ns, memory_order_relaxed) / 1e9);
    metrics_write_histogram(writer, "latchkey_follower_round_duration_seconds",
                            "From sending a renewal until all that it told of was published.", NULL,
                            &status->round_duration);
}
