#include "common/app/database_probe.h"

#include "common/app/revision.h"
#include "common/db/transaction.h"

enum { PERIOD_S = 2, TIMEOUT_S = 2 };

#define S_NS UINT64_C(1000000000)

static enum status query(struct db_connection *connection, uint64_t deadline_ns) {
    static const struct db_statement nothing = {"database_probe", "SELECT 1"};
    struct arena arena;
    arena_init(&arena, 0);
    struct db_begin_options options = {.arena = &arena, .deadline_ns = deadline_ns};
    struct db_command command = {&nothing, NULL, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    arena_fini(&arena);
    return status;
}

// A lease that fails leaves the reason with the pool, or only means that everybody is busy.
static void run(struct worker_job *job) {
    struct database_probe *probe = CONTAINER_OF(job, struct database_probe, job);
    uint64_t deadline_ns = clock_get_monotonic_ns(probe->clock) + TIMEOUT_S * S_NS;
    bool is_silent = false;
    struct db_connection *connection;
    if (db_pool_lease(probe->database, deadline_ns, NULL, &connection) == STATUS_OK) {
        is_silent = query(connection, deadline_ns) != STATUS_OK;
        db_pool_return(probe->database, connection);
    }
    atomic_store_explicit(&probe->is_silent, is_silent, memory_order_relaxed);
    atomic_store_explicit(&probe->is_running, false, memory_order_release);
}

void database_probe_tick(struct database_probe *probe) {
    uint64_t now_ns = clock_get_monotonic_ns(probe->clock);
    if (now_ns < probe->due_ns || atomic_load_explicit(&probe->is_running, memory_order_acquire))
        return;
    probe->due_ns = now_ns + PERIOD_S * S_NS;
    probe->job.run = run;
    probe->job.share = LANE_DEPLOYMENT; // no company's
    atomic_store_explicit(&probe->is_running, true, memory_order_relaxed);
    if (worker_pool_submit(probe->workers, &probe->job) != STATUS_OK)
        atomic_store_explicit(&probe->is_running, false, memory_order_relaxed);
}

bool database_probe_is_silent(const struct database_probe *probe) {
    return atomic_load_explicit(&probe->is_silent, memory_order_relaxed);
}
