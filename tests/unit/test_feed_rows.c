// What an image is told to do, as the feed tells it, makes another image that answers the same: from its
// beginning on, and as a snapshot between whose rows runs stand.
#include <stdlib.h>
#include <string.h>

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "common/grpc/framing.h"
#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/feed/feed_rows.h"
#include "services/validator/follow/feed_reader_rpc.h"
#include "services/validator/image/image_internal.h"
#include "tests/unit/plain_image.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static const struct fingerprint_key key = {{1, 2}};

// --- what is done to an image, written down ---

static void on_catalogue(void *rows, const struct permission_definition *definitions, size_t count) {
    feed_rows_add_catalogue(rows, definitions, count);
}
static void on_company(void *rows, const struct company_row *row) {
    feed_rows_add_company(rows, row);
}
static void on_whitelist(void *rows, const struct whitelist_row *row) {
    feed_rows_add_whitelist(rows, row);
}
static void on_role(void *rows, const struct role_row *row) {
    feed_rows_add_role(rows, row);
}
static void on_member(void *rows, const struct member_row *row) {
    feed_rows_add_member(rows, row);
}
static void on_token(void *rows, const struct token_row *row) {
    feed_rows_add_token(rows, row);
}
static void on_entries(void *rows, const struct uuid *company_id, const struct ip_set_change *change) {
    feed_rows_add_entries(rows, company_id, change);
}
static void on_sweep(void *rows, enum image_scope scope, const struct uuid *id) {
    feed_rows_add_lookup(rows, scope, id);
}

static const struct image_observer observer = {on_catalogue, on_company, on_whitelist, on_role,
                                               on_member,    on_token,   on_entries,   on_sweep};

// --- and done again elsewhere ---

struct fed {
    struct reclaim reclaim;
    struct image *image;
    struct feed_reader reader;
    struct arena arena;
};

static void begin_fed(struct fed *fed) {
    *fed = (struct fed){.image = NULL};
    arena_init(&fed->arena, 0);
    assert_int_equal(image_new(&fed->reclaim, &key, LANE_SET_ALL, &fed->image), STATUS_OK);
    fed->reader = (struct feed_reader){.image = fed->image, .arena = &fed->arena};
}

static void end_fed(struct fed *fed) {
    reclaim_fini(&fed->reclaim);
    image_free(fed->image);
    feed_reader_fini(&fed->reader);
    arena_fini(&fed->arena);
}

static enum status take_message(struct fed *fed, struct bytes message) {
    ProtobufCMessage *unpacked;
    const char *why;
    arena_reset(&fed->arena);
    enum status status = message_unpack(&latchkey__v1__watch_changes_response__descriptor, message,
                                        &fed->arena, &unpacked, &why);
    if (status != STATUS_OK)
        return status;
    const Latchkey__V1__WatchChangesResponse *response = (const void *)unpacked;
    if (!response->goes_on)
        image_begin_pass(fed->image);
    return response->rows ? feed_reader_apply(&fed->reader, response->rows) : STATUS_OK;
}

static enum status take_all(struct fed *fed, struct feed_rows *rows) {
    struct framing framing;
    struct bytes rest, message;
    enum status status = STATUS_OK;
    feed_rows_end_message(rows);
    assert_false(rows->frames.failed);
    rest = buffer_get_bytes(&rows->frames);
    framing_init(&framing, 1 << 20);
    while (status == STATUS_OK && rest.len > 0) {
        assert_int_equal(framing_read(&framing, &rest, &message), FRAMING_MESSAGE);
        status = take_message(fed, message);
    }
    framing_fini(&framing);
    feed_rows_reset(rows);
    return status;
}

struct stage {
    struct plain_rows plain;
    struct reclaim reclaim;
    struct image *source;
    struct feed_rows rows;
    struct fed fed;
};

static void begin_stage(struct stage *stage, struct seed *seed) {
    *stage = (struct stage){.rows.is_run = true};
    assert_int_equal(image_new(&stage->reclaim, &key, LANE_SET_ALL, &stage->source), STATUS_OK);
    begin_fed(&stage->fed);
    image_set_observer(stage->source, &observer, &stage->rows);
    plain_draw_rows(seed, &stage->plain);
    assert_int_equal(plain_apply(&stage->plain, NULL, stage->source), STATUS_OK);
}

static void end_stage(struct stage *stage) {
    feed_rows_fini(&stage->rows);
    end_fed(&stage->fed);
    reclaim_fini(&stage->reclaim);
    image_free(stage->source);
}

// --- cases ---

static void what_is_told_makes_the_same_image(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 60; round++) {
        struct stage stage;
        begin_stage(&stage, &seed);
        assert_int_equal(take_all(&stage.fed, &stage.rows), STATUS_OK);
        plain_check_image(&stage.plain, stage.fed.image);
        for (unsigned run = 0; run < 10; run++) {
            struct plain_change change = {0};
            plain_change_rows(&seed, &stage.plain, &change);
            assert_int_equal(plain_apply(&stage.plain, &change, stage.source), STATUS_OK);
            assert_int_equal(take_all(&stage.fed, &stage.rows), STATUS_OK);
            plain_check_image(&stage.plain, stage.source);
            plain_check_image(&stage.plain, stage.fed.image);
            reclaim_run(&stage.reclaim);
            reclaim_run(&stage.fed.reclaim);
        }
        end_stage(&stage);
    }
}

static void a_list_of_many_parts_is_put_as_one(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    struct fed fed;
    struct feed_rows rows = {.is_run = true};
    const struct uuid company_id = {{1}};
    const struct whitelist_row row = {company_id, true, WHITELIST_SCOPE_ALL, {{2}}};
    const struct company_row company = {.company_id = company_id};
    struct ip_set_entry *entries = calloc(COUNT, sizeof(*entries));
    assert_non_null(entries);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct ip_address address = {IP_FAMILY_V4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
        entries[i] = (struct ip_set_entry){ip_prefix_of(&address, 32), CLOCK_NEVER_MS};
    }
    begin_fed(&fed);
    feed_rows_add_company(&rows, &company);
    feed_rows_add_whitelist(&rows, &row);
    feed_rows_add_entries(&rows, &company_id,
                          &(struct ip_set_change){.entries = entries, .entry_count = COUNT});
    assert_int_equal(take_all(&fed, &rows), STATUS_OK);
    const struct company *made = uuid_index_find(&fed.image->companies, &company_id);
    assert_int_equal(ip_set_get_count(interned_get_object(made->ips)), COUNT);

    // A part of it is gone, and one entry stands for another time.
    struct ip_prefix prefixes[10000];
    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++)
        prefixes[i] = entries[i].prefix;
    entries[5].ends_at_ms = 7;
    feed_rows_add_entries(&rows, &company_id,
                          &(struct ip_set_change){prefixes, ARRAY_LENGTH(prefixes), &entries[5], 1});
    assert_int_equal(take_all(&fed, &rows), STATUS_OK);
    assert_int_equal(ip_set_get_count(interned_get_object(made->ips)), COUNT - ARRAY_LENGTH(prefixes) + 1);
    assert_false(ip_set_contains(interned_get_object(made->ips), &entries[4].prefix.address, 0));
    assert_true(ip_set_contains(interned_get_object(made->ips), &entries[5].prefix.address, 6));
    assert_false(ip_set_contains(interned_get_object(made->ips), &entries[5].prefix.address, 7));
    free(entries);
    feed_rows_fini(&rows);
    end_fed(&fed);
}

// A prefix that could not be read contains nobody; no prefix at all would be no restriction.
static void a_list_of_nobody_stays_one(void **state) {
    (void)state;
    struct fed fed;
    struct feed_rows rows = {.is_run = true};
    const struct ip_prefix nobody = {{IP_FAMILY_V6, {[10] = 0xff, [11] = 0xff}}, 128};
    const struct member_row member = {.member_id = {{1}}, .company_id = {{2}}, .ips = &nobody, .ip_count = 1};
    begin_fed(&fed);
    feed_rows_add_member(&rows, &member);
    assert_int_equal(take_all(&fed, &rows), STATUS_OK);
    const struct member *made = uuid_index_find(&fed.image->members, &member.member_id);
    struct ip_address address = {IP_FAMILY_V4, {0}};
    assert_non_null(made->ips);
    assert_false(ip_set_contains(interned_get_object(made->ips), &address, 0));
    feed_rows_fini(&rows);
    end_fed(&fed);
}

static void a_message_cut_anywhere_is_no_crash(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct stage stage;
    begin_stage(&stage, &seed);
    feed_rows_end_message(&stage.rows);
    struct bytes frame = buffer_get_bytes(&stage.rows.frames);
    for (size_t len = FRAMING_PREFIX_BYTES; len < frame.len; len++) {
        struct bytes cut = bytes_of(frame.data + FRAMING_PREFIX_BYTES, len - FRAMING_PREFIX_BYTES);
        (void)!take_message(&stage.fed, cut);
    }
    end_stage(&stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_makes_the_same_image),
        cmocka_unit_test(a_list_of_many_parts_is_put_as_one),
        cmocka_unit_test(a_list_of_nobody_stays_one),
        cmocka_unit_test(a_message_cut_anywhere_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
