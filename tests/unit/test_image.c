// An image that follows random changes says what the plain rows say, and what one loaded afresh says; with
// every allocation failing once; and beside readers.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "services/validator/image/image.h"
#include "services/validator/image/image_internal.h"
#include "services/validator/image/quiescence.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/plain_image.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

struct stage {
    struct seed seed;
    struct reclaim reclaim;
    struct image *image;
    struct plain_rows rows;
    struct arena arena;
};

static const struct fingerprint_key key = {{1, 2}};

static struct image *new_image(struct reclaim *reclaim) {
    struct image *image;
    assert_int_equal(image_new(reclaim, &key, LANE_SET_ALL, &image), STATUS_OK);
    return image;
}

static void begin(struct stage *stage, struct seed seed) {
    *stage = (struct stage){.seed = seed};
    arena_init(&stage->arena, 0);
    stage->image = new_image(&stage->reclaim);
    plain_draw_rows(&stage->seed, &stage->rows);
    assert_int_equal(plain_apply(&stage->rows, NULL, stage->image), STATUS_OK);
}

static void end(struct stage *stage) {
    reclaim_fini(&stage->reclaim);
    image_free(stage->image);
    arena_fini(&stage->arena);
}

// What it takes is that of what it holds: nothing is forgotten on the way, and nothing kept.
static void compare_statistics(const struct image *followed, const struct image *fresh) {
    struct image_statistics a = image_get_statistics(followed), b = image_get_statistics(fresh);
    assert_int_equal(a.tokens, b.tokens);
    assert_int_equal(a.policies, b.policies);
    assert_int_equal(followed->extra_bytes, fresh->extra_bytes);
    assert_int_equal(followed->policies.size_bytes, fresh->policies.size_bytes);
    assert_int_equal(followed->pool.domain_sets.size_bytes, fresh->pool.domain_sets.size_bytes);
    assert_int_equal(followed->pool.permission_sets.count, fresh->pool.permission_sets.count);
}

static void compare_with_a_fresh_one(struct stage *stage) {
    struct reclaim reclaim = {0};
    struct image *fresh = new_image(&reclaim);
    assert_int_equal(plain_apply(&stage->rows, NULL, fresh), STATUS_OK);
    reclaim_run(&reclaim);
    plain_check_image(&stage->rows, fresh);
    compare_statistics(stage->image, fresh);
    reclaim_fini(&reclaim);
    image_free(fresh);
}

static void a_followed_image_is_as_its_rows_and_as_a_fresh_one(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage, seed_new());
    plain_check_image(&stage.rows, stage.image);
    for (unsigned round = 0; round < 600; round++) {
        struct plain_change change;
        plain_change_rows(&stage.seed, &stage.rows, &change);
        assert_int_equal(plain_apply(&stage.rows, &change, stage.image), STATUS_OK);
        if (round % 3 == 0)
            reclaim_run(&stage.reclaim);
        plain_check_image(&stage.rows, stage.image);
        if (round % 20 == 0) {
            reclaim_run(&stage.reclaim);
            compare_with_a_fresh_one(&stage);
        }
    }
    end(&stage);
}

static void applying_the_same_rows_again_changes_nothing(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage, seed_new());
    for (unsigned round = 0; round < 20; round++) {
        assert_int_equal(plain_apply(&stage.rows, NULL, stage.image), STATUS_OK);
        plain_check_image(&stage.rows, stage.image);
    }
    reclaim_run(&stage.reclaim);
    compare_with_a_fresh_one(&stage);
    end(&stage);
}

static void an_empty_image_knows_nobody(void **state) {
    (void)state;
    struct reclaim reclaim = {0};
    struct image *image = new_image(&reclaim);
    bool is_found;
    struct digest digest = plain_get_digest(0, 0);
    struct uuid id = {.bytes = {1}};
    assert_null(image_find_token_or_decoy(image, &digest, &is_found));
    assert_false(is_found);
    assert_true(uuid_is_zero(image_find_live_list(image, &id)));
    image_begin_pass(image);
    assert_int_equal(image_sweep(image, IMAGE_COMPANY, &id), STATUS_OK);
    assert_int_equal(image_sweep(image, IMAGE_ROLES_OF, &id), STATUS_OK);
    assert_int_equal(image_sweep(image, IMAGE_MEMBERS_OF, &id), STATUS_OK);
    assert_int_equal(image_sweep(image, IMAGE_TOKENS_OF, &id), STATUS_OK);
    assert_int_equal(image_sweep(image, IMAGE_TOKEN, &id), STATUS_OK);
    assert_int_equal(image_get_statistics(image).companies, 0);
    reclaim_fini(&reclaim);
    image_free(image);
    image_free(NULL);
}

// ---- what is shared ----

static const struct uuid company_id = {.bytes = {1}}, member_id = {.bytes = {2}}, token_id = {.bytes = {3}};
static const struct ip_prefix ips[] = {
    {.address = {.family = IP_FAMILY_V4, .bytes = {10}}, .bits = 8},
    {.address = {.family = IP_FAMILY_V4, .bytes = {192, 0, 2}}, .bits = 24}};

static void put_one_of_each(struct image *image) {
    const struct company_row company = {.company_id = company_id};
    const struct whitelist_row whitelist = {.company_id = company_id, .is_enabled = true};
    const struct ip_set_entry entries[] = {{ips[1], CLOCK_NEVER_MS}, {ips[0], CLOCK_NEVER_MS}};
    const struct member_row member = {
        .member_id = member_id, .company_id = company_id, .ips = ips, .ip_count = ARRAY_LENGTH(ips)};
    const struct token_row token = {.fingerprint = {{1, 2}},
                                    .token_id = token_id,
                                    .company_id = company_id,
                                    .member_id = member_id,
                                    .rule = {.ips = ips, .ip_count = ARRAY_LENGTH(ips)}};
    assert_int_equal(image_put_company(image, &company), STATUS_OK);
    assert_int_equal(image_put_whitelist(image, &whitelist), STATUS_OK);
    assert_int_equal(image_set_entries(image, &company_id, entries, ARRAY_LENGTH(entries)), STATUS_OK);
    assert_int_equal(image_put_member(image, &member), STATUS_OK);
    assert_int_equal(image_put_token(image, &token), STATUS_OK);
}

static void a_list_of_a_company_a_member_and_a_token_is_held_once(void **state) {
    (void)state;
    struct reclaim reclaim = {0};
    struct image *image = new_image(&reclaim);
    put_one_of_each(image);
    const struct token_record *record = image_find_token_by_id(image, &token_id);
    const struct ip_set *shared = image_get_policy(image, record)->ips;
    assert_ptr_equal(image_get_company(image, record)->ips, shared);
    assert_ptr_equal(image_get_member(image, record)->ips, shared);
    assert_int_equal(image->pool.ip_sets.count, 1);

    // A change of one's own leaves the others theirs; the same change back finds it again.
    const struct ip_set_entry entry = {ips[0], CLOCK_NEVER_MS};
    const struct ip_set_change go = {ips, 1, NULL, 0}, come = {ips, 1, &entry, 1};
    assert_int_equal(image_change_entries(image, &company_id, &go), STATUS_OK);
    reclaim_run(&reclaim);
    assert_int_equal(ip_set_get_count(image_get_company(image, record)->ips), 1);
    assert_int_equal(ip_set_get_count(image_get_member(image, record)->ips), 2);
    assert_int_equal(image->pool.ip_sets.count, 2);
    assert_int_equal(image_change_entries(image, &company_id, &come), STATUS_OK);
    reclaim_run(&reclaim);
    assert_ptr_equal(image_get_company(image, record)->ips, shared);
    assert_int_equal(image->pool.ip_sets.count, 1);
    reclaim_fini(&reclaim);
    image_free(image);
}

// ---- without memory ----

static bool make_an_image(void *context) {
    (void)context;
    struct reclaim reclaim = {0};
    struct image *image;
    if (image_new(&reclaim, &key, LANE_SET_ALL, &image) != STATUS_OK)
        return false;
    image_free(image);
    reclaim_fini(&reclaim);
    return true;
}

static void a_failing_allocation_gives_no_image(void **state) {
    (void)state;
    allocation_failure_try_each(make_an_image, NULL);
}

// One pass with allocation `k` failing, readers still served, then the pass again. Returns whether it failed.
static bool try_pass(struct stage *stage, const struct plain_change *change, size_t k) {
    allocation_failure_begin(k);
    enum status status = plain_apply(&stage->rows, change, stage->image);
    size_t count = allocation_failure_end();
    for (size_t token = 0; token < PLAIN_TOKENS; token++)
        for (size_t secret = 0; secret < PLAIN_SECRETS; secret++) {
            struct digest digest = plain_get_digest(token, secret);
            assert_true(strlen(plain_describe_image(stage->image, &digest, &stage->arena)) > 0);
        }
    assert_null(token_table_check(stage->image->tokens));
    reclaim_run(&stage->reclaim);
    if (status != STATUS_OK)
        assert_int_equal(plain_apply(&stage->rows, change, stage->image), STATUS_OK);
    plain_check_image(&stage->rows, stage->image);
    return count >= k;
}

static void a_pass_that_ran_out_of_memory_is_made_good_by_the_next(void **state) {
    (void)state;
    struct seed seed = seed_new();
    bool is_disturbed = true;
    size_t k = 1;
    for (; is_disturbed; k++) {
        struct stage stage;
        struct plain_change change;
        begin(&stage, seed);
        plain_change_rows(&stage.seed, &stage.rows, &change);
        change.catalogue = true; // the longest way
        is_disturbed = try_pass(&stage, &change, k);
        reclaim_run(&stage.reclaim);
        compare_with_a_fresh_one(&stage);
        end(&stage);
    }
    assert_true(k > 30);
}

// ---- beside readers ----

enum { READERS = 2 };

struct audience {
    const struct image *image;
    _Atomic bool is_over;
    _Atomic size_t answers;
};

static void *ask_along(void *context) {
    struct audience *audience = context;
    struct arena arena;
    arena_init(&arena, 0);
    quiescence_enter_thread();
    for (size_t turn = 0; !atomic_load(&audience->is_over); turn++) {
        quiescence_go_online();
        for (size_t token = 0; token < PLAIN_TOKENS; token++) {
            struct digest digest = plain_get_digest(token, turn % PLAIN_SECRETS);
            atomic_fetch_add(&audience->answers,
                             strlen(plain_describe_image(audience->image, &digest, &arena)) > 0);
        }
        quiescence_go_offline();
        arena_reset(&arena);
    }
    quiescence_leave_thread();
    arena_fini(&arena);
    return NULL;
}

static void readers_are_served_while_the_image_follows(void **state) {
    (void)state;
    struct stage stage;
    begin(&stage, seed_new());
    struct audience audience = {.image = stage.image};
    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, ask_along, &audience), 0);
    for (unsigned round = 0; round < 200 || atomic_load(&audience.answers) < 1000; round++) {
        struct plain_change change;
        plain_change_rows(&stage.seed, &stage.rows, &change);
        assert_int_equal(plain_apply(&stage.rows, &change, stage.image), STATUS_OK);
        reclaim_run(&stage.reclaim);
    }
    atomic_store(&audience.is_over, true);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    plain_check_image(&stage.rows, stage.image);
    end(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_image_knows_nobody),
        cmocka_unit_test(applying_the_same_rows_again_changes_nothing),
        cmocka_unit_test(a_list_of_a_company_a_member_and_a_token_is_held_once),
        cmocka_unit_test(a_failing_allocation_gives_no_image),
        cmocka_unit_test(a_pass_that_ran_out_of_memory_is_made_good_by_the_next),
        cmocka_unit_test(a_followed_image_is_as_its_rows_and_as_a_fresh_one),
        cmocka_unit_test(readers_are_served_while_the_image_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
