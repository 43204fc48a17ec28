#include "tests/integration/validator/scene.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/db/array.h"
#include "common/db/migrate.h"
#include "services/validator/image/quiescence.h"
#include "tests/unit/unit.h"

#define AWAIT_S 30
#define FOLLOWER_NAME "followertest"

// --- time ---

static uint64_t read_monotonic_ns(const struct clock *clock) {
    (void)clock;
    return clock_get_monotonic_ns(clock_get_system());
}

static uint64_t read_boottime_ns(const struct clock *clock) {
    struct scene *scene = CONTAINER_OF(clock, struct scene, clock);
    return clock_get_boottime_ns(clock_get_system()) + (uint64_t)atomic_load(&scene->added_boottime_ns);
}

static int64_t read_realtime_ns(const struct clock *clock) {
    struct scene *scene = CONTAINER_OF(clock, struct scene, clock);
    return clock_get_system()->read_realtime_ns(clock_get_system()) + atomic_load(&scene->added_realtime_ns);
}

// --- ids ---

struct uuid scene_get_uuid(char kind, unsigned number) {
    struct uuid uuid = {{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80}};
    uuid.bytes[9] = (uint8_t)kind;
    uuid.bytes[12] = (uint8_t)(number >> 24);
    uuid.bytes[13] = (uint8_t)(number >> 16);
    uuid.bytes[14] = (uint8_t)(number >> 8);
    uuid.bytes[15] = (uint8_t)number;
    return uuid;
}

struct digest scene_get_digest(unsigned number) {
    struct digest digest;
    memset(digest.bytes, 0x5a, sizeof(digest.bytes));
    struct uuid uuid = scene_get_uuid('s', number);
    memcpy(digest.bytes, uuid.bytes, sizeof(uuid.bytes));
    return digest;
}

static void append_uuid(struct buffer *to, char kind, unsigned number) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(scene_get_uuid(kind, number), text);
    buffer_append_format(to, "'%s'::uuid", text);
}

static void append_digest(struct buffer *to, unsigned number) {
    struct digest digest = scene_get_digest(number);
    buffer_append_text(to, "'\\x");
    for (size_t i = 0; i < sizeof(digest.bytes); i++)
        buffer_append_format(to, "%02x", digest.bytes[i]);
    buffer_append_text(to, "'::bytea");
}

// Each $x12 replaced by the literal it stands for; as the role that sees all rows.
static char *expand(const char *sql) {
    struct buffer to = {0};
    buffer_append_text(&to, "SET ROLE latchkey_owner;");
    while (*sql) {
        if (sql[0] != '$' || !islower((unsigned char)sql[1])) {
            buffer_append_byte(&to, (uint8_t)*sql++);
            continue;
        }
        char *end;
        unsigned number = (unsigned)strtoul(sql + 2, &end, 10);
        if (sql[1] == 's')
            append_digest(&to, number);
        else
            append_uuid(&to, sql[1], number);
        sql = end;
    }
    buffer_append_byte(&to, '\0');
    assert_false(to.failed);
    return (char *)to.data;
}

void scene_run(struct scene *scene, const char *sql) {
    char *expanded = expand(sql);
    database_run(scene->database.url, expanded);
    free(expanded);
}

int64_t scene_ask(struct scene *scene, const char *sql) {
    char *expanded = expand(sql);
    int64_t answer = database_ask(scene->database.url, expanded);
    free(expanded);
    return answer;
}

void scene_await_answer(struct scene *scene, const char *sql, int64_t wanted) {
    char *expanded = expand(sql);
    database_await(scene->database.url, expanded, wanted);
    free(expanded);
}

// --- rounds ---

enum lease_state scene_get_state(const struct scene *scene) {
    return lease_get_state(&scene->validator.lease, clock_get_boottime_ns(&scene->clock));
}

const struct image *scene_get_image(const struct scene *scene) {
    return validator_get_image(&scene->validator);
}

static void on_round(void *context) {
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    scene->rounds++;
    scene->seen_states |= 1u << scene_get_state(scene);
    pthread_cond_signal(&scene->round_ended);
    pthread_mutex_unlock(&scene->lock);
}

static bool wait_for_round(struct scene *scene, unsigned after, const struct timespec *end) {
    int result = 0;
    pthread_mutex_lock(&scene->lock);
    while (scene->rounds == after && result == 0)
        result = pthread_cond_timedwait(&scene->round_ended, &scene->lock, end);
    pthread_mutex_unlock(&scene->lock);
    return result == 0;
}

static unsigned get_rounds(struct scene *scene) {
    pthread_mutex_lock(&scene->lock);
    unsigned rounds = scene->rounds;
    pthread_mutex_unlock(&scene->lock);
    return rounds;
}

static void fail_with_reason(struct scene *scene) {
    struct buffer reason = {0};
    follower_write_unready(scene->follower, &reason);
    buffer_append_byte(&reason, '\0');
    fail_msg("it did not come to pass in time; the follower says: %s", (const char *)reason.data);
}

void scene_await(struct scene *scene, bool (*is_so)(struct scene *scene)) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += AWAIT_S;
    for (;;) {
        unsigned rounds = get_rounds(scene);
        if (is_so(scene))
            return;
        if (!wait_for_round(scene, rounds, &end))
            fail_with_reason(scene);
    }
}

static enum lease_state wanted_state;

static bool is_in_wanted_state(struct scene *scene) {
    return scene_get_state(scene) == wanted_state;
}

void scene_await_state(struct scene *scene, enum lease_state state) {
    wanted_state = state;
    scene_await(scene, is_in_wanted_state);
}

static int64_t wanted_heads[LANE_COUNT];

int64_t scene_get_position(const struct scene *scene, unsigned lane) {
    quiescence_go_online();
    const struct image *image = scene_get_image(scene);
    int64_t seq = image ? lanes_get_positions(image_get_lanes(image))->seqs[lane] : -1;
    quiescence_go_offline();
    return seq;
}

static bool is_at_wanted_heads(struct scene *scene) {
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (scene_get_position(scene, lane) < wanted_heads[lane])
            return false;
    return true;
}

// Companies of tests are numbered 1 and 2, and so are their lanes.
void scene_await_head(struct scene *scene) {
    static const unsigned lanes[] = {1, 2, LANE_DEPLOYMENT};
    memset(wanted_heads, 0, sizeof(wanted_heads));
    for (size_t i = 0; i < ARRAY_LENGTH(lanes); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "SELECT head FROM latchkey.change_lane WHERE lane = %u", lanes[i]);
        wanted_heads[lanes[i]] = scene_ask(scene, sql);
    }
    scene_await(scene, is_at_wanted_heads);
}

void scene_follow(struct scene *scene) {
    database_run(scene->database.url, "NOTIFY latchkey_change");
    scene_await_head(scene);
}

// --- life ---

void scene_start(struct scene *scene) {
    memset(&scene->validator, 0, sizeof(scene->validator));
    assert_int_equal(follower_new(&scene->options, &scene->validator, &scene->follower), STATUS_OK);
}

void scene_stop(struct scene *scene) {
    follower_free(scene->follower);
    scene->follower = NULL;
}

static void migrate(const char *url) {
    struct db_connection *connection = database_open(url);
    struct db_migrate_report report;
    if (db_migrate(connection, db_migrations_get_embedded(), deadline_in_ms(60000), NULL, &report) !=
        STATUS_OK)
        fail_msg("%s", report.sentence);
    db_connection_close(connection);
}

static void make_company(struct scene *scene) {
    scene_run(
        scene,
        "INSERT INTO latchkey.company (company_id, name, external_id) VALUES ($c1, 'Acme', 'ext');"
        "INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l1, $c1);"
        "INSERT INTO latchkey.whitelist (company_id, live_list_id) VALUES ($c1, $l1);"
        "INSERT INTO latchkey.role (role_id, company_id, name, builtin)"
        " VALUES ($r1, $c1, 'Administrator', 'administrator');"
        "INSERT INTO latchkey.member (member_id, company_id, email) VALUES ($m1, $c1, 'ada@example.com');"
        "INSERT INTO latchkey.member_role VALUES ($c1, $m1, $r1);"
        "INSERT INTO latchkey.permission (name) VALUES ('charges.create'), ('charges.read');"
        "INSERT INTO latchkey.token (token_id, company_id, member_id, kind, channels, permissions)"
        " VALUES ($t1, $c1, $m1, 'a', 1, '{charges.*}');"
        "INSERT INTO latchkey.token_secret (digest, token_id, company_id, hint)"
        " VALUES ($s1, $t1, $c1, 'lk_a_x9Qz');");
}

void scene_init(struct scene *scene) {
    memset(scene, 0, sizeof(*scene));
    quiescence_enter_thread();
    scene->database = database_new();
    database_url_with(scene->database.url, "application_name", FOLLOWER_NAME, scene->url);
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->round_ended, NULL);
    scene->clock = (struct clock){read_monotonic_ns, read_boottime_ns, read_realtime_ns};
    scene->connection = (struct db_connection_options){
        .url = scene->url, .application_name = FOLLOWER_NAME, .role = "latchkey_validator"};
    scene->options = (struct follower_options){.database = &scene->connection,
                                               .lanes = LANE_SET_ALL,
                                               .clock = &scene->clock,
                                               .name = "validator under test",
                                               .address = "127.0.0.1:7078",
                                               .poll_ms = 60000,
                                               .max_staleness_ms = 3600000,
                                               .max_clock_skew_ms = 5000,
                                               .load_connections = 2,
                                               .on_round = on_round,
                                               .context = scene};
    migrate(scene->database.url);
    make_company(scene);
}

void scene_init_serving(struct scene *scene) {
    scene_init(scene);
    scene_start(scene);
    scene_await_state(scene, LEASE_SERVING);
}

void scene_keep_file(struct scene *scene, int64_t period_ms) {
    snprintf(scene->directory, sizeof(scene->directory), "%s", "/tmp/latchkey-snapshot-XXXXXX");
    assert_non_null(mkdtemp(scene->directory));
    snprintf(scene->snapshot_path, sizeof(scene->snapshot_path), "%s/file", scene->directory);
    scene->options.snapshot_path = scene->snapshot_path;
    scene->options.snapshot_period_ms = period_ms;
}

static void remove_file(struct scene *scene) {
    unlink(scene->snapshot_path);
    assert_int_equal(rmdir(scene->directory), 0);
}

void scene_fini(struct scene *scene) {
    scene_stop(scene);
    if (scene->directory[0])
        remove_file(scene);
    quiescence_leave_thread();
    database_drop(&scene->database);
    pthread_mutex_destroy(&scene->lock);
    pthread_cond_destroy(&scene->round_ended);
}

const struct token_record *scene_find(const struct scene *scene, unsigned number) {
    struct digest digest = scene_get_digest(number);
    bool is_found;
    const struct token_record *record = image_find_token_or_decoy(scene_get_image(scene), &digest, &is_found);
    return is_found ? record : NULL;
}

void scene_kill_backend(struct scene *scene) {
    database_run(scene->database.url,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                 "'" FOLLOWER_NAME "' AND datname = current_database() AND query NOT LIKE 'LISTEN%'");
}

// --- what it was and says ---

bool scene_has_seen(struct scene *scene, enum lease_state state) {
    pthread_mutex_lock(&scene->lock);
    bool has_seen = scene->seen_states & 1u << state;
    pthread_mutex_unlock(&scene->lock);
    return has_seen;
}

void scene_forget_states(struct scene *scene) {
    pthread_mutex_lock(&scene->lock);
    scene->seen_states = 0;
    pthread_mutex_unlock(&scene->lock);
}

bool scene_says(const struct scene *scene, const char *text) {
    struct buffer said = {0};
    follower_write_unready(scene->follower, &said);
    buffer_append_byte(&said, '\0');
    assert_false(said.failed);
    bool is_said = strstr((const char *)said.data, text) != NULL;
    buffer_fini(&said);
    return is_said;
}

// --- what goes wrong ---

static void allow_connections(const struct scene *scene, bool are_allowed) {
    char sql[160];
    snprintf(sql, sizeof(sql), "ALTER DATABASE %s WITH ALLOW_CONNECTIONS %s", scene->database.name,
             are_allowed ? "true" : "false");
    database_run(getenv("LATCHKEY_TEST_DATABASE_URL"), sql);
}

void scene_close_database(struct scene *scene) {
    char sql[200];
    allow_connections(scene, false);
    snprintf(
        sql, sizeof(sql),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND pid <> pg_backend_pid()",
        scene->database.name);
    database_run(getenv("LATCHKEY_TEST_DATABASE_URL"), sql);
}

void scene_open_database(struct scene *scene) {
    allow_connections(scene, true);
}

void scene_lock(struct scene *scene, struct scene_lock *lock, const char *table) {
    arena_init(&lock->arena, 0);
    lock->connection = database_open(scene->database.url);
    struct db_begin_options options = {
        .arena = &lock->arena, .deadline_ns = DB_NO_DEADLINE, .role = "latchkey_owner"};
    struct db_transaction *transaction;
    assert_int_equal(db_begin(lock->connection, &options, &transaction), STATUS_OK);
    struct db_statement statement = {"test_lock",
                                     arena_format(&lock->arena, "LOCK TABLE latchkey.%s", table)};
    assert_int_equal(db_query(transaction, &statement, NULL, NULL), STATUS_OK);
}

void scene_unlock(struct scene_lock *lock) {
    db_connection_close(lock->connection);
    arena_fini(&lock->arena);
}

void scene_await_stuck(struct scene *scene) {
    database_await(scene->database.url,
                   "SELECT (count(*) > 0)::int FROM pg_stat_activity WHERE application_name = '" FOLLOWER_NAME
                   "' AND datname = current_database() AND wait_event_type = 'Lock'",
                   1);
}
