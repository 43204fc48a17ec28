// A snapshot for one who serves a part of the lanes: what it does not want takes the follower's time as well,
// and so is passed by in portions.
#include <string.h>

#include "services/validator/feed/feed.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

enum { TOKENS = 80000, PORTION = 8 * 4096 }; // so many rows are looked at in one step, and a few more

static struct validator_image made;
static struct loop_group *group;
static struct feed *feed;
static unsigned wakes;

static void wake_follower(void *context) {
    (void)context;
    wakes++;
}

static void ignore_news(void *context) {
    (void)context;
}

static void put_tokens(uint8_t number, size_t count) {
    struct uuid company_id = validator_image_add_company(&made, number);
    struct token_row row = validator_image_make_row(number, company_id, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        memcpy(row.token_id.bytes, &i, sizeof(i));
        validator_image_put(&made, row);
    }
}

static int set_up(void **state) {
    (void)state;
    const struct feed_options options = {
        .validator = &made.validator, .log_bytes_max = 1024, .wake_follower = wake_follower};
    validator_image_init(&made, NULL, 0, 0);
    put_tokens(1, 1);
    put_tokens(2, TOKENS);
    assert_int_equal(loop_group_new(1, clock_get_system(), &group), STATUS_OK);
    assert_int_equal(feed_new(&options, &feed), STATUS_OK);
    feed_set_image(feed, made.image);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    assert_int_equal(loop_group_start(group), STATUS_OK);
    loop_group_stop(group);
    loop_group_free(group);
    feed_free(feed);
    validator_image_fini(&made);
    return 0;
}

static struct feed_watcher *open_watcher(struct lane_set lanes) {
    const struct feed_start start = {.instance_id = {{1}},
                                     .name = BYTES_LITERAL("part"),
                                     .lanes = lanes,
                                     .loop = loop_group_get_loop(group, 0),
                                     .on_news = ignore_news};
    struct feed_watcher *watcher;
    assert_int_equal(feed_open(feed, &start, &watcher), STATUS_OK);
    feed_begin_round(feed, 1);
    return watcher;
}

static size_t take_all(struct feed_watcher *watcher) {
    struct feed_piece piece;
    size_t size = 0;
    while (feed_take(watcher, &piece) == FEED_PIECE) {
        size += piece.bytes.len;
        feed_piece_fini(&piece);
    }
    return size;
}

static void others_rows_are_passed_by_in_portions(void **state) {
    (void)state;
    struct feed_watcher *watcher = open_watcher((struct lane_set){1 << 1});
    size_t size = 0, steps = 0;
    unsigned before;
    do {
        before = wakes;
        feed_step(feed);
        size += take_all(watcher);
        steps++;
    } while (wakes > before);
    feed_close(watcher, true);
    assert_true(steps > TOKENS / PORTION);
    assert_true(size > 0 && size < 8192); // of all that is its own, and how far it goes
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(others_rows_are_passed_by_in_portions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
