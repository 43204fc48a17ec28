// The rows of an image make another that answers the same, also when they were taken while it was changed and
// the changes were applied afterwards.
#include <string.h>

#include "services/validator/image/image_export.h"
#include "services/validator/image/image_internal.h"
#include "tests/unit/plain_image.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct fingerprint_key key = {{1, 2}};

struct copy {
    struct reclaim reclaim;
    struct image *image;
    struct permission_definition definitions[PLAIN_NAMES];
    char names[PLAIN_NAMES][PERMISSION_NAME_MAX + 1];
    size_t definition_count;
};

// --- a visitor that puts what it is given ---

static enum status put_permission(void *context, const struct permission_definition *definition) {
    struct copy *copy = context;
    size_t i = copy->definition_count++;
    assert_true(i < PLAIN_NAMES);
    memcpy(copy->names[i], definition->name.data, definition->name.len);
    copy->definitions[i] = (struct permission_definition){bytes_of(copy->names[i], definition->name.len),
                                                          definition->is_operator_only};
    return STATUS_OK;
}

static enum status put_company(void *context, const struct company_row *row) {
    return image_put_company(((struct copy *)context)->image, row);
}

static enum status put_whitelist(void *context, const struct whitelist_row *row,
                                 const struct ip_set_entry *entries, size_t count) {
    struct copy *copy = context;
    enum status status = image_put_whitelist(copy->image, row);
    return status == STATUS_OK ? image_set_entries(copy->image, &row->company_id, entries, count) : status;
}

static enum status put_role(void *context, const struct role_row *row) {
    return image_put_role(((struct copy *)context)->image, row);
}

static enum status put_member(void *context, const struct member_row *row) {
    return image_put_member(((struct copy *)context)->image, row);
}

static enum status put_token(void *context, const struct token_row *row) {
    return image_put_token(((struct copy *)context)->image, row);
}

static const struct image_visitor visitor = {put_permission, put_company, put_whitelist,
                                             put_role,       put_member,  put_token};

static void begin_copy(struct copy *copy) {
    *copy = (struct copy){.definition_count = 0};
    assert_int_equal(image_new(&copy->reclaim, &key, LANE_SET_ALL, &copy->image), STATUS_OK);
}

static void end_copy(struct copy *copy) {
    reclaim_fini(&copy->reclaim);
    image_free(copy->image);
}

// One step; what is granted from the catalogue comes after it.
static void step(struct image_export *export, struct copy *copy) {
    bool is_catalogue = export->stage == EXPORT_CATALOGUE;
    assert_int_equal(image_export_step(export, &visitor, copy), STATUS_OK);
    if (is_catalogue)
        assert_int_equal(image_set_catalogue(copy->image, copy->definitions, copy->definition_count),
                         STATUS_OK);
}

static void copy_all(const struct copy *source, struct copy *copy) {
    struct image_export export;
    assert_int_equal(image_export_init(&export, source->image), STATUS_OK);
    while (export.stage != EXPORT_DONE)
        step(&export, copy);
    image_export_fini(&export);
}

// --- cases ---

static void rows_of_an_image_make_the_same_image(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 200; round++) {
        struct plain_rows rows;
        struct copy source, copy;
        begin_copy(&source);
        begin_copy(&copy);
        plain_draw_rows(&seed, &rows);
        assert_int_equal(plain_apply(&rows, NULL, source.image), STATUS_OK);
        copy_all(&source, &copy);
        assert_int_equal(image_apply_roles(copy.image), STATUS_OK);
        plain_check_image(&rows, copy.image);
        assert_int_equal(image_get_statistics(copy.image).tokens, image_get_statistics(source.image).tokens);
        end_copy(&copy);
        end_copy(&source);
    }
}

// Flags are bools all through.
static void unite(struct plain_change *all, const struct plain_change *change) {
    bool *to = (void *)all;
    const bool *from = (const void *)change;
    for (size_t i = 0; i < sizeof(*all); i++)
        to[i] |= from[i];
}

static void a_walk_beside_changes_and_then_the_changes_make_the_image_of_the_end(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 400; round++) {
        struct plain_rows rows;
        struct plain_change all = {0}, change;
        struct copy source, copy;
        struct image_export export;
        begin_copy(&source);
        begin_copy(&copy);
        plain_draw_rows(&seed, &rows);
        assert_int_equal(plain_apply(&rows, NULL, source.image), STATUS_OK);
        assert_int_equal(image_export_init(&export, source.image), STATUS_OK);
        while (export.stage != EXPORT_DONE) {
            step(&export, &copy);
            if (seed_next_below(&seed, 3) > 0)
                continue;
            plain_change_rows(&seed, &rows, &change);
            unite(&all, &change);
            assert_int_equal(plain_apply(&rows, &change, source.image), STATUS_OK);
            reclaim_run(&source.reclaim);
        }
        image_export_fini(&export);
        assert_int_equal(image_apply_roles(copy.image), STATUS_OK);
        assert_int_equal(plain_apply(&rows, &all, copy.image), STATUS_OK);
        plain_check_image(&rows, copy.image);
        end_copy(&copy);
        end_copy(&source);
    }
}

static void a_list_of_nobody_does_not_become_no_list(void **state) {
    (void)state;
    struct copy source, copy;
    const struct ip_prefix nobody = {{.family = IP_FAMILY_V6, .bytes = {[10] = 0xff, [11] = 0xff}}, 128};
    const struct uuid company_id = {{1}}, member_id = {{2}};
    const struct company_row company = {.company_id = company_id};
    const struct member_row member = {
        .member_id = member_id, .company_id = company_id, .ips = &nobody, .ip_count = 1};
    const struct token_row token = {.fingerprint = {{3}},
                                    .token_id = {{3}},
                                    .company_id = company_id,
                                    .member_id = member_id,
                                    .rule = {.ips = &nobody, .ip_count = 1}};
    begin_copy(&source);
    begin_copy(&copy);
    assert_int_equal(image_put_company(source.image, &company), STATUS_OK);
    assert_int_equal(image_put_member(source.image, &member), STATUS_OK);
    assert_int_equal(image_put_token(source.image, &token), STATUS_OK);
    copy_all(&source, &copy);
    const struct token_record *record = image_find_token_by_id(copy.image, &token.token_id);
    assert_non_null(record);
    assert_non_null(image_get_member(copy.image, record)->ips);
    assert_non_null(image_get_policy(copy.image, record)->ips);
    end_copy(&copy);
    end_copy(&source);
}

static void a_list_that_matches_no_domain_does_not_become_no_list(void **state) {
    (void)state;
    struct copy source, copy;
    const struct bytes domain = BYTES_LITERAL("");
    const struct token_row token = {.fingerprint = {{3}},
                                    .token_id = {{3}},
                                    .company_id = {{1}},
                                    .rule = {.domains = &domain, .domain_count = 1}};
    begin_copy(&source);
    begin_copy(&copy);
    assert_int_equal(image_put_token(source.image, &token), STATUS_OK);
    copy_all(&source, &copy);
    const struct token_record *record = image_find_token_by_id(copy.image, &token.token_id);
    assert_non_null(record);
    assert_non_null(image_get_policy(copy.image, record)->domains);
    end_copy(&copy);
    end_copy(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_an_image_make_the_same_image),
        cmocka_unit_test(a_walk_beside_changes_and_then_the_changes_make_the_image_of_the_end),
        cmocka_unit_test(a_list_of_nobody_does_not_become_no_list),
        cmocka_unit_test(a_list_that_matches_no_domain_does_not_become_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
