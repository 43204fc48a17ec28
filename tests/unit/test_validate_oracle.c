// Validate's decisions over an image beside a second implementation, slow and obvious (plain_world.h).
#include <stdio.h>

#include "tests/unit/plain_world.h"
#include "tests/unit/unit.h"

enum {
    WORLDS = UNIT_IS_SANITIZED ? 20 : 400,
    QUESTIONS = 25000, // of each world,
    TOGETHER_MAX = 16, // of which so many are looked up at once, as a loop does with what came together
};

struct asking {
    struct seed seed;
    struct secret stranger; // well-formed, nobody's
    uint64_t given[REASON_COUNT];
};

static struct bytes choose_secret(struct asking *asking, const struct plain_world *world,
                                  struct plain_question *plain) {
    static const char *const misshapen[] = {"", "lka_", "Bearer x"};
    if (seed_is_one_in(&asking->seed, 20))
        return bytes_of(asking->stranger.text, SECRET_LENGTH);
    if (seed_is_one_in(&asking->seed, 20)) {
        plain->is_malformed = true;
        return bytes_of_text(misshapen[seed_next_below(&asking->seed, ARRAY_LENGTH(misshapen))]);
    }
    plain->token = &world->tokens[seed_next_below(&asking->seed, PLAIN_WORLD_TOKENS)];
    return bytes_of(plain->token->secret.text, SECRET_LENGTH);
}

static void choose_question(struct asking *asking, const struct plain_world *world,
                            struct plain_question *plain, struct validate_question *question,
                            struct bytes lists[2][PLAIN_WORLD_LIST_MAX]) {
    plain_world_choose_question(&asking->seed, plain);
    *question = (struct validate_question){
        .token = choose_secret(asking, world, plain),
        .client_ip = bytes_of_text(plain->address->text),
        .domain = bytes_of_text(plain->domain->text),
        .channel = plain->channel,
        .permissions = lists[0],
        .permission_count = plain_world_borrow(plain->all, plain->all_count, lists[0]),
        .any_permissions = lists[1],
        .any_permission_count = plain_world_borrow(plain->any, plain->any_count, lists[1])};
}

static struct validate_asker choose_asker(struct seed *seed, const struct plain_world *world) {
    struct validate_asker asker = {.is_local = !seed_is_one_in(seed, 4),
                                   .has_bearer = seed_is_one_in(seed, 2)};
    if (!asker.has_bearer)
        return asker;
    asker.company_id = world->companies[seed_next_below(seed, PLAIN_WORLD_COMPANIES)].company_id;
    asker.has_any = seed_is_one_in(seed, 2);
    asker.has_detail = seed_is_one_in(seed, 2);
    return asker;
}

static bool is_visible(const struct validate_asker *asker, const struct plain_world *world,
                       const struct plain_token *token) {
    struct uuid company_id = world->companies[token->company].company_id;
    return asker->is_local || asker->has_any ||
           (asker->has_bearer && uuid_is_equal(asker->company_id, company_id));
}

static bool has_detail(const struct validate_asker *asker, const struct plain_world *world,
                       const struct plain_token *token) {
    struct uuid company_id = world->companies[token->company].company_id;
    return asker->has_detail && (asker->has_any || uuid_is_equal(asker->company_id, company_id));
}

static void check_ids(const struct plain_world *world, const struct plain_token *token,
                      const struct validate_answer *answer) {
    struct uuid company_id = world->companies[token->company].company_id;
    assert_true(bytes_is_text(answer->company_id, typeid_of(TYPEID_COMPANY, company_id).text));
    assert_true(bytes_is_text(answer->token_id, typeid_of(TYPEID_TOKEN, token->row.token_id).text));
    assert_true(answer->expires_at_ms == token->row.expires_at_ms);
}

static void check_allowed(const struct plain_world *world, const struct plain_token *token,
                          const struct validate_answer *answer) {
    check_ids(world, token, answer);
    const char *member_id =
        token->member < 0 ? "" : typeid_of(TYPEID_MEMBER, world->members[token->member].member_id).text;
    assert_true(bytes_is_text(answer->member_id, member_id));
    assert_true(bytes_is_text(answer->company_external_id, "acme"));
    assert_true(bytes_is_equal(answer->token_external_id, token->row.external_id));
    assert_int_equal(answer->kind, token->row.kind);
    assert_int_equal(answer->missing_count, 0);
    struct bytes rest = answer->permissions, name;
    for (size_t i = 0; i < PLAIN_WORLD_NAME_COUNT; i++) // they are sorted, and so is the answer
        if (plain_world_can(world, token, plain_world_names[i]))
            assert_true(permission_tail_next(&rest, &name) && bytes_is_text(name, plain_world_names[i]));
    assert_int_equal(rest.len, 0);
}

static void check_missing(const struct plain_world *world, const struct plain_question *plain,
                          const struct validate_answer *answer) {
    size_t count = 0;
    bool has_any = plain->any_count == 0;
    for (size_t i = 0; i < plain->any_count; i++)
        has_any |= plain_world_can(world, plain->token, plain->any[i]);
    for (size_t i = 0; i < plain->all_count; i++)
        if (!plain_world_can(world, plain->token, plain->all[i]))
            assert_true(bytes_is_text(answer->missing[count++], plain->all[i]));
    for (size_t i = 0; i < plain->any_count && !has_any; i++)
        assert_true(bytes_is_text(answer->missing[count++], plain->any[i]));
    assert_int_equal(answer->missing_count, count);
}

static void check_refused(const struct plain_world *world, const struct plain_question *plain,
                          const struct validate_asker *asker, const struct validate_answer *answer,
                          bool is_found) {
    assert_int_equal(answer->member_id.len, 0);
    assert_int_equal(answer->company_external_id.len, 0);
    assert_int_equal(answer->token_external_id.len, 0);
    assert_int_equal(answer->permissions.len, 0);
    assert_int_equal(answer->kind, TOKEN_KIND_NONE);
    if (!is_found || !has_detail(asker, world, plain->token)) {
        assert_int_equal(answer->company_id.len + answer->token_id.len + answer->missing_count, 0);
        assert_true(answer->expires_at_ms == CLOCK_NEVER_MS);
        return;
    }
    check_ids(world, plain->token, answer);
    if (answer->reason == REASON_PERMISSION_MISSING)
        check_missing(world, plain, answer);
    else
        assert_int_equal(answer->missing_count, 0);
}

static void check_revision(const struct plain_world *world, const struct plain_question *plain,
                           const struct validate_answer *answer) {
    struct revision revision;
    assert_true(revision_parse(answer->revision, &revision));
    assert_int_equal(revision.seq, VALIDATOR_IMAGE_SEQ);
    unsigned lane = plain->is_malformed ? LANE_DEPLOYMENT
                    : plain->token      ? world->companies[plain->token->company].company_id.bytes[15] & 63u
                                        : 0;
    assert_int_equal(revision.lane, lane);
}

struct inquiry {
    struct plain_question plain;
    struct validate_question question;
    struct bytes lists[2][PLAIN_WORLD_LIST_MAX]; // what the question points to
    struct validate_asker asker;
    struct validate_view view;
    struct validate_key key;
};

static void choose_inquiry(struct asking *asking, const struct plain_world *world, struct inquiry *inquiry) {
    choose_question(asking, world, &inquiry->plain, &inquiry->question, inquiry->lists);
    inquiry->asker = choose_asker(&asking->seed, world);
    inquiry->view =
        (struct validate_view){.image = world->made.image,
                               .positions = lanes_get_positions(image_get_lanes(world->made.image)),
                               .shape = &validator_image_shape,
                               .now_ms = PLAIN_WORLD_NOW_MS,
                               .folds_reasons = seed_is_one_in(&asking->seed, 4)};
}

static void compare(struct asking *asking, const struct plain_world *world, const struct inquiry *inquiry,
                    const struct validate_answer *answer) {
    const struct plain_question *plain = &inquiry->plain;
    const struct validate_asker *asker = &inquiry->asker;
    enum reason expected = plain_world_judge(world, plain);
    bool is_found = plain->token && expected != REASON_UNKNOWN && is_visible(asker, world, plain->token);
    if (plain->token && !is_found)
        expected = REASON_UNKNOWN;
    bool sees_detail = is_found ? has_detail(asker, world, plain->token) : asker->has_detail;
    if (inquiry->view.folds_reasons && !sees_detail && expected >= REASON_MALFORMED &&
        expected <= REASON_EXPIRED)
        expected = REASON_UNKNOWN;
    assert_int_equal(answer->reason, expected);
    asking->given[expected]++;
    check_revision(world, plain, answer);
    if (expected == REASON_OK)
        check_allowed(world, plain->token, answer);
    else
        check_refused(world, plain, asker, answer, is_found);
}

static void ask_both(struct asking *asking, const struct plain_world *world, size_t count,
                     struct arena *arena) {
    struct inquiry inquiries[TOGETHER_MAX];
    struct validate_answer answer;
    struct validate_keys keys = {0};
    for (size_t i = 0; i < count; i++) {
        choose_inquiry(asking, world, &inquiries[i]);
        validate_keys_add(&keys, &inquiries[i].view, inquiries[i].question.token, &inquiries[i].key);
    }
    validate_keys_end(&keys);
    for (size_t i = 0; i < count; i++)
        validate_key_advance(&inquiries[i].view, &inquiries[i].key);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(validate_decide_by_key(&inquiries[i].view, &inquiries[i].asker,
                                                &inquiries[i].question, &inquiries[i].key, arena, &answer),
                         STATUS_OK);
        compare(asking, world, &inquiries[i], &answer);
    }
}

static void ask_about_world(struct asking *asking, const struct plain_world *world, struct arena *arena) {
    size_t left = QUESTIONS;
    while (left > 0) {
        size_t together = 1 + seed_next_below(&asking->seed, TOGETHER_MAX);
        size_t count = together < left ? together : left;
        arena_reset(arena);
        ask_both(asking, world, count, arena);
        left -= count;
    }
}

static void millions_of_answers_agree_with_the_oracle_and_every_reason_comes(void **state) {
    (void)state;
    static struct plain_world world;
    struct asking asking = {.seed = seed_new()};
    struct arena arena;
    arena_init(&arena, 0);
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, 0, &asking.stranger);
    for (int i = 0; i < WORLDS; i++) {
        plain_world_make(&world, &asking.seed);
        ask_about_world(&asking, &world, &arena);
        validator_image_fini(&world.made);
    }
    arena_fini(&arena);
    for (enum reason reason = REASON_OK; reason <= ACCESS_LAST_CHECK; reason++) {
        printf("%10lu %s\n", (unsigned long)asking.given[reason], reason_get_name(reason));
        assert_true(asking.given[reason] > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(millions_of_answers_agree_with_the_oracle_and_every_reason_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
