// What an image stands on: the index by id against a list, and what waits for readers.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/validator/image/quiescence.h"
#include "services/validator/image/reclaim.h"
#include "services/validator/image/uuid_index.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

// ---- uuid_index ----

enum { OBJECTS = 400, IDS = 600 };

struct object {
    uint32_t number;
    struct uuid id;
    bool is_in;
};

static struct uuid make_id(uint64_t number) {
    struct uuid id = {.bytes = {0x01, 0x92, 0xf5, 0xc8, 0x7e, 0x4a, 0x70}}; // as of one millisecond
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

static struct object *find_in_list(struct object *objects, const struct uuid *id) {
    for (size_t i = 0; i < OBJECTS; i++)
        if (objects[i].is_in && uuid_is_equal(objects[i].id, *id))
            return &objects[i];
    return NULL;
}

static void compare_all(const struct uuid_index *index, const struct object *objects) {
    bool is_seen[OBJECTS] = {false};
    size_t cursor = 0, count = 0, expected = 0;
    for (const struct object *object; (object = uuid_index_next_of_all(index, &cursor)); count++) {
        assert_true(object->is_in && !is_seen[object->number]);
        is_seen[object->number] = true;
    }
    for (size_t i = 0; i < OBJECTS; i++)
        expected += objects[i].is_in;
    assert_int_equal(count, expected);
    assert_int_equal(index->count, expected);
}

static void change_one(struct seed *seed, struct uuid_index *index, struct object *objects) {
    struct object *object = &objects[seed_next_below(seed, OBJECTS)];
    struct uuid id = make_id(seed_next_below(seed, IDS));
    if (object->is_in) {
        uuid_index_remove(index, object);
        object->is_in = false;
    } else if (!find_in_list(objects, &id)) {
        object->id = id;
        assert_int_equal(uuid_index_add(index, object), STATUS_OK);
        object->is_in = true;
    }
}

static void the_index_agrees_with_a_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct object *objects = calloc(OBJECTS, sizeof(*objects));
    struct uuid_index index;
    assert_non_null(objects);
    uuid_index_init(&index, offsetof(struct object, id));
    for (uint32_t i = 0; i < OBJECTS; i++)
        objects[i].number = i;
    struct uuid nobody = make_id(IDS);
    assert_null(uuid_index_find(&index, &nobody));
    for (unsigned step = 0; step < 30000; step++) {
        change_one(&seed, &index, objects);
        struct uuid id = make_id(seed_next_below(&seed, IDS + 1));
        assert_ptr_equal(uuid_index_find(&index, &id), find_in_list(objects, &id));
        if (step % 500 == 0)
            compare_all(&index, objects);
    }
    assert_true(index.count <= index.capacity / 4 * 3);
    uuid_index_fini(&index);
    free(objects);
}

static bool fill_an_index(void *context) {
    struct object *objects = context;
    struct uuid_index index;
    enum status status = STATUS_OK;
    size_t count = 0;
    uuid_index_init(&index, offsetof(struct object, id));
    while (count < 50 && status == STATUS_OK) {
        status = uuid_index_add(&index, &objects[count]);
        count += status == STATUS_OK;
    }
    bool is_whole = index.count == count;
    for (size_t i = 0; i < count; i++)
        is_whole = is_whole && uuid_index_find(&index, &objects[i].id) == &objects[i];
    uuid_index_fini(&index);
    return is_whole && status == STATUS_OK;
}

static void a_failing_allocation_leaves_the_index_as_it_was(void **state) {
    (void)state;
    struct object objects[50] = {0};
    for (size_t i = 0; i < 50; i++)
        objects[i].id = make_id(i);
    allocation_failure_try_each(fill_an_index, objects);
}

// ---- reclaim and quiescence ----

struct journal {
    struct reclaim reclaim;
    char text[16];
    size_t len;
};

static void note(void *owner, void *object) {
    struct journal *journal = owner;
    journal->text[journal->len++] = *(const char *)object;
}

static void note_and_add(void *owner, void *object) {
    struct journal *journal = owner;
    static char last = 'z';
    note(owner, object);
    reclaim_add(&journal->reclaim, note, journal, &last);
}

static void what_is_added_is_released_once_in_its_order(void **state) {
    (void)state;
    struct journal journal = {0};
    char letters[] = "abc";
    reclaim_add(&journal.reclaim, note, &journal, &letters[0]);
    reclaim_add(&journal.reclaim, note, &journal, NULL);
    reclaim_add(&journal.reclaim, note_and_add, &journal, &letters[1]);
    reclaim_add(&journal.reclaim, note, &journal, &letters[2]);
    assert_string_equal(journal.text, "");
    reclaim_run(&journal.reclaim);
    assert_string_equal(journal.text, "abcz");
    reclaim_run(&journal.reclaim);
    assert_string_equal(journal.text, "abcz");
    reclaim_add(&journal.reclaim, note, &journal, &letters[0]);
    reclaim_fini(&journal.reclaim);
    assert_string_equal(journal.text, "abcza");
}

static void without_memory_it_releases_at_once(void **state) {
    (void)state;
    struct journal journal = {0};
    char letter = 'a';
    allocation_failure_begin(1);
    reclaim_add(&journal.reclaim, note, &journal, &letter);
    allocation_failure_end();
    assert_string_equal(journal.text, "a");
    reclaim_fini(&journal.reclaim);
    assert_string_equal(journal.text, "a");
}

struct reader {
    _Atomic bool is_online, may_leave, has_left;
};

static void *hold_on(void *context) {
    struct reader *reader = context;
    quiescence_enter_thread();
    quiescence_go_online();
    atomic_store(&reader->is_online, true);
    while (!atomic_load(&reader->may_leave))
        sched_yield();
    atomic_store(&reader->has_left, true);
    quiescence_go_offline();
    quiescence_leave_thread();
    return NULL;
}

static void *let_go(void *context) {
    struct reader *reader = context;
    atomic_store(&reader->may_leave, true);
    return NULL;
}

static void waiting_ends_when_the_reader_is_between_two_turns(void **state) {
    (void)state;
    struct reader reader = {0};
    pthread_t holder, releaser;
    assert_int_equal(pthread_create(&holder, NULL, hold_on, &reader), 0);
    while (!atomic_load(&reader.is_online))
        sched_yield();
    assert_int_equal(pthread_create(&releaser, NULL, let_go, &reader), 0);
    quiescence_wait();
    assert_true(atomic_load(&reader.has_left));
    assert_int_equal(pthread_join(releaser, NULL), 0);
    assert_int_equal(pthread_join(holder, NULL), 0);
    quiescence_wait(); // nobody is left to wait for
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_agrees_with_a_list),
        cmocka_unit_test(a_failing_allocation_leaves_the_index_as_it_was),
        cmocka_unit_test(what_is_added_is_released_once_in_its_order),
        cmocka_unit_test(without_memory_it_releases_at_once),
        cmocka_unit_test(waiting_ends_when_the_reader_is_between_two_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
