// Which answers of a feeder still count, and from when.
#include "services/validator/follow/nonce_ring.h"
#include "tests/unit/unit.h"

enum { NONCES = 3 * NONCE_RING_SIZE };

static void nothing_that_was_not_sent_is_known(void **state) {
    (void)state;
    struct nonce_ring ring = {0};
    struct clock_manual manual;
    bool is_newest;
    clock_manual_init(&manual);
    assert_null(nonce_ring_find(&ring, 0, &is_newest));
    uint64_t nonce = nonce_ring_draw(&ring, &manual.clock);
    assert_null(nonce_ring_find(&ring, nonce + 2, &is_newest));
    assert_null(nonce_ring_find(&ring, 0, &is_newest));
}

static void the_last_ones_count_each_from_when_it_was_drawn(void **state) {
    (void)state;
    struct nonce_ring ring = {0};
    struct clock_manual manual;
    struct sent_nonce drawn[NONCES];
    clock_manual_init(&manual);
    for (size_t i = 0; i < NONCES; i++) {
        clock_manual_advance_ms(&manual, 10);
        drawn[i] = (struct sent_nonce){.boottime_ns = clock_get_boottime_ns(&manual.clock),
                                       .realtime_ms = clock_get_realtime_ms(&manual.clock)};
        drawn[i].nonce = nonce_ring_draw(&ring, &manual.clock);
        assert_int_not_equal(drawn[i].nonce, 0);
        for (size_t k = 0; k <= i; k++) {
            bool is_newest = false;
            const struct sent_nonce *sent = nonce_ring_find(&ring, drawn[k].nonce, &is_newest);
            assert_int_equal(sent != NULL, i - k < NONCE_RING_SIZE);
            if (!sent)
                continue;
            assert_int_equal(is_newest, k == i);
            assert_int_equal(sent->boottime_ns, drawn[k].boottime_ns);
            assert_int_equal(sent->realtime_ms, drawn[k].realtime_ms);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_not_sent_is_known),
        cmocka_unit_test(the_last_ones_count_each_from_when_it_was_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
