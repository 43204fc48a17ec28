// A database with the schema and one company in it, and a follower on it: what the tests of the follower play
// in. Time is the kernel's plus what a test has added, so that leases run out without waiting.
#ifndef LATCHKEY_TESTS_INTEGRATION_VALIDATOR_SCENE_H
#define LATCHKEY_TESTS_INTEGRATION_VALIDATOR_SCENE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/db/connection.h"
#include "services/validator/follow/follower.h"
#include "services/validator/image/validator.h"
#include "tests/integration/db/database.h"

// The objects of the company are numbered: scene_run() writes $c for the company's id, $l for its list's, $r1
// for a role's, $m1 for a member's, $t1 for a token's, $e1 for an entry's, and $s1 for the digest of a
// secret.
struct scene {
    struct database database;
    char url[DATABASE_URL_MAX + 1]; // the follower's, with an application_name of its own

    struct clock clock;
    _Atomic int64_t added_boottime_ns, added_realtime_ns;

    struct db_connection_options connection;
    struct follower_options options;
    struct validator validator;
    struct follower *follower;             // NULL while there is none
    char directory[64], snapshot_path[96]; // "": it keeps no snapshot file

    pthread_mutex_t lock;
    pthread_cond_t round_ended;
    unsigned rounds;      // under the lock
    unsigned seen_states; // under the lock: a bit for each state of the lease that a round ended in
};

// The calling thread becomes a reader (quiescence.h); what it finds stays as long as nothing is changed.
// With a company, its list, whitelist (off), administrator role $r1, member $m1 who has it and a token $t1 of
// hers with the secret $s1. No follower yet.
void scene_init(struct scene *scene);
void scene_fini(struct scene *scene); // frees the follower if there is one

// The same, and a follower that serves.
void scene_init_serving(struct scene *scene);

// Before a follower is started: it keeps a snapshot file, in a directory that goes with the scene.
void scene_keep_file(struct scene *scene, int64_t period_ms);

// Statements as one transaction.
void scene_run(struct scene *scene, const char *sql);
int64_t scene_ask(struct scene *scene, const char *sql);
void scene_await_answer(struct scene *scene, const char *sql, int64_t wanted);

// Polls every minute by default, so that what happens at once does not happen by polling; the lease is 30 s.
void scene_start(struct scene *scene);
void scene_stop(struct scene *scene);

// Returns once `is_so` holds, looking after every round; fails the test after 30 s.
void scene_await(struct scene *scene, bool (*is_so)(struct scene *scene));

// Waits until it serves, and until all that is in the log now is applied.
void scene_await_state(struct scene *scene, enum lease_state state);
void scene_await_head(struct scene *scene);

// The same, woken by NOTIFY first.
void scene_follow(struct scene *scene);

enum lease_state scene_get_state(const struct scene *scene);
const struct image *scene_get_image(const struct scene *scene);
int64_t scene_get_position(const struct scene *scene, unsigned lane); // -1 = nothing is loaded

// What is known now: the record of secret `number` or NULL.
const struct token_record *scene_find(const struct scene *scene, unsigned number);
struct uuid scene_get_uuid(char kind, unsigned number);
struct digest scene_get_digest(unsigned number);

// Whether the lease has been in that state since the last call of scene_forget_states().
bool scene_has_seen(struct scene *scene, enum lease_state state);
void scene_forget_states(struct scene *scene);

// Whether the follower says `text` about why it does not serve.
bool scene_says(const struct scene *scene, const char *text);

// Ends the session of the follower that renews, as a failing server would.
void scene_kill_backend(struct scene *scene);

// The database lets nobody in any more, or again, and who was in is out.
void scene_close_database(struct scene *scene);
void scene_open_database(struct scene *scene);

// Keeps everybody from a table until scene_unlock(): what the follower does next gets stuck where it needs
// it.
struct scene_lock {
    struct arena arena;
    struct db_connection *connection;
};
void scene_lock(struct scene *scene, struct scene_lock *lock, const char *table);
void scene_unlock(struct scene_lock *lock);
void scene_await_stuck(struct scene *scene);

#endif
