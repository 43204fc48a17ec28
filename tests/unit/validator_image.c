#include "tests/unit/validator_image.h"

#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

const struct bearer_shape validator_image_shape = {.brand = VALIDATOR_IMAGE_BRAND};

enum { NAMES_MAX = 64 };
#define CENTURY_NS (UINT64_C(100) * 365 * 86400 * 1000000000)

static void set_catalogue(struct image *image, const char *const *names, size_t count, size_t operator_only) {
    struct permission_definition definitions[NAMES_MAX];
    assert_true(count <= NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        definitions[i] = (struct permission_definition){bytes_of_text(names[i]), i >= operator_only};
    assert_int_equal(image_set_catalogue(image, definitions, count), STATUS_OK);
}

static void publish(struct validator_image *made) {
    struct lanes *lanes = image_get_own_lanes(made->image);
    assert_int_equal(lanes_publish(lanes, ++made->round, made->heads, &made->reclaim), STATUS_OK);
}

void validator_image_init(struct validator_image *made, const char *const *names, size_t count,
                          size_t operator_only) {
    validator_image_init_serving(made, LANE_SET_ALL, names, count, operator_only);
}

void validator_image_init_serving(struct validator_image *made, struct lane_set served,
                                  const char *const *names, size_t count, size_t operator_only) {
    *made = (struct validator_image){0};
    const struct fingerprint_key key = fingerprint_key_new();
    assert_int_equal(image_new(&made->reclaim, &key, served, &made->image), STATUS_OK);
    set_catalogue(made->image, names, count, operator_only);
    image_begin_pass(made->image);
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++) {
        struct revision applied = {lane, VALIDATOR_IMAGE_SEQ, VALIDATOR_IMAGE_MARK};
        lanes_note(image_get_own_lanes(made->image), applied);
        made->heads[lane] = VALIDATOR_IMAGE_SEQ;
    }
    publish(made);
    lease_init(&made->validator.lease, CENTURY_NS);
    lease_grant(&made->validator.lease, 1, CENTURY_NS);
    atomic_store(&made->validator.image, made->image);
}

void validator_image_fini(struct validator_image *made) {
    reclaim_run(&made->reclaim);
    image_free(made->image);
    reclaim_fini(&made->reclaim);
}

struct uuid validator_image_add_company(struct validator_image *made, uint8_t number) {
    struct uuid company_id = {{number, [15] = number}}, list_id = {{number, 1}};
    struct company_row company = {.company_id = company_id, .external_id = BYTES_LITERAL("acme")};
    struct whitelist_row whitelist = {
        .company_id = company_id, .scope = WHITELIST_SCOPE_ALL, .live_list_id = list_id};
    assert_int_equal(image_put_company(made->image, &company), STATUS_OK);
    assert_int_equal(image_put_whitelist(made->image, &whitelist), STATUS_OK);
    return company_id;
}

struct token_row validator_image_make_row(uint8_t number, struct uuid company_id, const struct bytes *grants,
                                          size_t grant_count) {
    return (struct token_row){.token_id = {{number, 2}},
                              .company_id = company_id,
                              .kind = TOKEN_KIND_ACCESS,
                              .channels = CHANNEL_BIT(CHANNEL_API),
                              .suspended_until_ms = CLOCK_NEVER_MS,
                              .not_before_ms = CLOCK_ALWAYS_MS,
                              .expires_at_ms = CLOCK_NEVER_MS,
                              .rule = {.grants = grants, .grant_count = grant_count}};
}

struct secret validator_image_put(struct validator_image *made, struct token_row row) {
    struct secret secret;
    enum secret_kind kind = row.kind == TOKEN_KIND_LOGIN ? SECRET_LOGIN : SECRET_ACCESS;
    secret_new(VALIDATOR_IMAGE_BRAND, kind, validator_image_get_lane(row.company_id), &secret);
    struct digest digest;
    digest_sha256(bytes_of(secret.text, SECRET_LENGTH), &digest);
    row.fingerprint = fingerprint_of(image_get_fingerprint_key(made->image), &digest);
    assert_int_equal(image_put_token(made->image, &row), STATUS_OK);
    return secret;
}

void validator_image_publish(struct validator_image *made, uint8_t lane, int64_t seq, int64_t mark,
                             int64_t head) {
    lanes_note(image_get_own_lanes(made->image), (struct revision){lane, seq, mark});
    made->heads[lane] = head;
    publish(made);
}

uint8_t validator_image_get_lane(struct uuid company_id) {
    return company_id.bytes[15] & 63;
}
