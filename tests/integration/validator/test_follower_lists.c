// A list of many blocks (common/ip/ip_blocks.h) is followed entry by entry, while readers look into it. Every
// answer is compared with the database's own.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "services/validator/image/image.h"
#include "services/validator/image/quiescence.h"
#include "tests/integration/validator/scene.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { ENTRIES = 30000, ROUNDS = 25, PROBES = 12, READERS = 2 };

static struct scene scene;
static struct seed seed;

// Entry n is 10.(n / 200).(n % 200).7; the ids count, too.
#define NUMBERED "('10.' || n / 200 || '.' || n %% 200 || '.7')::cidr"
#define FILL                                                                              \
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)" \
    " SELECT gen_random_uuid(), $c1, %s, 'row', " NUMBERED " FROM generate_series(0, %d) AS n"

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...) {
    char sql[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    scene_run(&scene, sql);
}

static const struct ip_set *get_list(void) {
    return image_get_company(scene_get_image(&scene), scene_find(&scene, 1))->ips;
}

// ---- changes ----

static unsigned pick(unsigned count) {
    return (unsigned)seed_next_below(&seed, count);
}

static void add_one(void) {
    run("INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr, expires_at)"
        " SELECT gen_random_uuid(), $c1, live_list_id, 'one', '10.%u.%u.%u/%u'::inet::cidr, %s FROM latchkey.whitelist"
        " WHERE company_id = $c1",
        pick(150), pick(200), pick(4) * 64, 26 + pick(2) * 6, pick(2) ? "NULL" : "now() - interval '1 hour'");
}

static void remove_some(void) {
    run("DELETE FROM latchkey.whitelist_entry WHERE cidr <<= '10.%u.%u.0/24'", pick(150), pick(200));
}

static void disable_some(void) {
    run("UPDATE latchkey.whitelist_entry SET disabled = NOT disabled WHERE cidr <<= '10.%u.%u.0/24'",
        pick(150), pick(200));
}

static void move_some(void) {
    run("UPDATE latchkey.whitelist_entry SET cidr = '10.%u.%u.9' WHERE cidr <<= '10.%u.%u.0/24'", pick(150),
        pick(200), pick(150), pick(200));
}

static void open_and_close_much(void) {
    unsigned second = pick(150);
    run("DELETE FROM latchkey.whitelist_entry WHERE address = 'wide';"
        "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
        " SELECT gen_random_uuid(), $c1, live_list_id, 'wide', '10.%u.0.0/%u' FROM latchkey.whitelist"
        " WHERE company_id = $c1",
        second - second % 4, 14 + pick(3));
}

static void publish(void) {
    unsigned list = 10 + pick(1000000);
    run("INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l%u, $c1);"
        "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
        " SELECT gen_random_uuid(), $c1, $l%u, 'row', " NUMBERED " FROM generate_series(0, %d, %u) AS n;"
        "UPDATE latchkey.whitelist SET live_list_id = $l%u WHERE company_id = $c1",
        list, list, ENTRIES, 1 + pick(3), list);
}

static void change(void) {
    static void (*const changes[])(void) = {add_one,     add_one,      add_one,   remove_some,
                                            remove_some, disable_some, move_some, open_and_close_much};
    for (unsigned i = 1 + pick(4); i > 0; i--)
        changes[pick(ARRAY_LENGTH(changes))]();
    if (pick(12) == 0)
        publish();
}

// ---- comparing ----

static bool is_in_database(const struct ip_address *address) {
    char sql[512], text[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(address, text);
    snprintf(
        sql, sizeof(sql),
        "SELECT count(*) FROM latchkey.whitelist w JOIN latchkey.whitelist_entry e ON e.list_id = w.live_list_id"
        " WHERE NOT e.disabled AND coalesce(e.expires_at > now(), true) AND e.cidr >>= '%s'",
        text);
    return scene_ask(&scene, sql) > 0;
}

static void compare(void) {
    for (unsigned i = 0; i < PROBES; i++) {
        static const uint8_t last[] = {0, 7, 9, 63, 64, 128};
        struct ip_address address = {
            .family = IP_FAMILY_V4,
            .bytes = {10, (uint8_t)pick(152), (uint8_t)pick(200), last[pick(ARRAY_LENGTH(last))]}};
        bool is_listed = is_in_database(&address);
        quiescence_go_online();
        bool is_found = ip_set_contains(get_list(), &address, clock_get_realtime_ms(clock_get_system()));
        quiescence_go_offline();
        assert_int_equal(is_found, is_listed);
    }
}

// ---- readers ----

static atomic_bool is_over;

struct reader {
    pthread_t thread;
    uint64_t questions, misses;
};

// An entry that nobody touches is there at every moment, whatever happens to its neighbours.
static void *read_all_the_time(void *context) {
    struct reader *reader = context;
    const struct ip_address stays = {.family = IP_FAMILY_V4, .bytes = {10, 75, 201, 1}};
    const struct ip_address never = {.family = IP_FAMILY_V4, .bytes = {11, 75, 201, 1}};
    quiescence_enter_thread();
    while (!atomic_load(&is_over)) {
        quiescence_go_online();
        const struct ip_set *list = get_list();
        reader->misses += !ip_set_contains(list, &stays, 0) + ip_set_contains(list, &never, 0);
        reader->questions++;
        quiescence_go_offline();
    }
    quiescence_leave_thread();
    return NULL;
}

#define KEEP                                                                                         \
    "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"            \
    " SELECT gen_random_uuid(), $c1, live_list_id, 'keep', '10.75.201.0/29' FROM latchkey.whitelist" \
    " WHERE company_id = $c1"

static void readers_never_miss_an_entry_that_stays(void **state) {
    (void)state;
    run(FILL, "$l1", ENTRIES);
    run(KEEP);
    scene_follow(&scene);
    struct reader readers[READERS] = {{0}};
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all_the_time, &readers[i]), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        add_one();
        remove_some();
        if (i % 8 == 0)
            open_and_close_much();
        scene_follow(&scene);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].questions > 0);
        assert_int_equal(readers[i].misses, 0);
    }
}

static void random_changes_give_the_answers_of_the_database(void **state) {
    (void)state;
    run(FILL, "$l1", ENTRIES);
    scene_follow(&scene);
    for (unsigned i = 0; i < ROUNDS; i++) {
        change();
        if (pick(10) == 0)
            scene_kill_backend(&scene);
        scene_follow(&scene);
        compare();
    }
    quiescence_go_online();
    assert_null(ip_set_check(get_list()));
    quiescence_go_offline();
}

// The rest of the list is not asked for: nobody could read it.
static void one_changed_entry_is_all_that_is_read(void **state) {
    (void)state;
    run(FILL, "$l1", ENTRIES);
    scene_follow(&scene);
    size_t count = ip_set_get_count(get_list());
    // why: behind the log's back, as only a test may do.
    run("ALTER TABLE latchkey.whitelist_entry DISABLE TRIGGER change_log_delete;"
        "DELETE FROM latchkey.whitelist_entry WHERE cidr <<= '10.0.0.0/10' AND address = 'row';"
        "ALTER TABLE latchkey.whitelist_entry ENABLE ALWAYS TRIGGER change_log_delete");
    run(KEEP);
    scene_follow(&scene);
    assert_int_equal(ip_set_get_count(get_list()), count + 1);
}

// The log is read in pieces, and rows as they are: a list may be read when the change of the pointer to it is
// still to come. The hidden change stands for that.
static void a_pointer_that_went_and_came_back_has_its_own_entries(void **state) {
    (void)state;
    const struct ip_address of_other = {.family = IP_FAMILY_V4, .bytes = {11, 75, 201, 1}};
    run(FILL, "$l1", ENTRIES);
    scene_follow(&scene);
    size_t count = ip_set_get_count(get_list());
    run("INSERT INTO latchkey.whitelist_list (list_id, company_id) VALUES ($l2, $c1);"
        "INSERT INTO latchkey.whitelist_entry (entry_id, company_id, list_id, address, cidr)"
        " VALUES (gen_random_uuid(), $c1, $l2, 'other', '11.75.201.1')");
    run("ALTER TABLE latchkey.whitelist DISABLE TRIGGER change_log_update;"
        "UPDATE latchkey.whitelist SET live_list_id = $l2 WHERE company_id = $c1;"
        "ALTER TABLE latchkey.whitelist ENABLE ALWAYS TRIGGER change_log_update");
    run("UPDATE latchkey.whitelist_entry SET disabled = disabled WHERE list_id = $l1");
    scene_follow(&scene);
    run("UPDATE latchkey.whitelist SET live_list_id = $l1 WHERE company_id = $c1");
    scene_follow(&scene);
    assert_int_equal(ip_set_get_count(get_list()), count);
    assert_false(ip_set_contains(get_list(), &of_other, 0));
}

static int set_up(void **state) {
    (void)state;
    seed = seed_new();
    scene_init_serving(&scene);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scene_fini(&scene);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_changes_give_the_answers_of_the_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_never_miss_an_entry_that_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_changed_entry_is_all_that_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pointer_that_went_and_came_back_has_its_own_entries, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
