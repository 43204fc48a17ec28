// The life of an invitation, every event in every state.
#include "services/invitation/invitation_state.h"
#include "tests/unit/unit.h"

static const struct {
    enum invitation_state from;
    enum invitation_event event;
    enum invitation_state to; // INVITATION_ANY = refused
    const char *reason;
} moves[] = {
    {INVITATION_PENDING, INVITATION_RESEND, INVITATION_PENDING, NULL},
    {INVITATION_PENDING, INVITATION_ACCEPT, INVITATION_ACCEPTED, NULL},
    {INVITATION_PENDING, INVITATION_DEACTIVATE, INVITATION_DEACTIVATED, NULL},
    {INVITATION_EXPIRED, INVITATION_RESEND, INVITATION_PENDING, NULL},
    {INVITATION_EXPIRED, INVITATION_ACCEPT, INVITATION_ANY, "INVITATION_EXPIRED"},
    {INVITATION_EXPIRED, INVITATION_DEACTIVATE, INVITATION_DEACTIVATED, NULL},
    {INVITATION_ACCEPTED, INVITATION_RESEND, INVITATION_ANY, "INVITATION_ACCEPTED"},
    {INVITATION_ACCEPTED, INVITATION_ACCEPT, INVITATION_ANY, "INVITATION_ACCEPTED"},
    {INVITATION_ACCEPTED, INVITATION_DEACTIVATE, INVITATION_ANY, "INVITATION_ACCEPTED"},
    {INVITATION_DEACTIVATED, INVITATION_RESEND, INVITATION_ANY, "INVITATION_DEACTIVATED"},
    {INVITATION_DEACTIVATED, INVITATION_ACCEPT, INVITATION_ANY, "INVITATION_DEACTIVATED"},
    {INVITATION_DEACTIVATED, INVITATION_DEACTIVATE, INVITATION_DEACTIVATED, NULL},
};

static void every_event_leads_where_the_diagram_says(void **state) {
    (void)state;
    assert_int_equal(ARRAY_LENGTH(moves), (INVITATION_STATE_COUNT - 1) * INVITATION_EVENT_COUNT);
    for (size_t i = 0; i < ARRAY_LENGTH(moves); i++) {
        struct arena arena;
        struct fault fault;
        enum invitation_state to = INVITATION_ANY;
        arena_init(&arena, 0);
        fault_init(&fault, &arena);
        enum status status = invitation_move(moves[i].from, moves[i].event, &fault, &to);
        assert_int_equal(to, moves[i].to);
        assert_int_equal(status, moves[i].reason ? STATUS_FAILED_PRECONDITION : STATUS_OK);
        assert_int_equal(fault.status, status);
        if (moves[i].reason)
            assert_string_equal(fault.reason, moves[i].reason);
        arena_fini(&arena);
    }
}

static void a_pending_invitation_expires_at_the_very_millisecond(void **state) {
    (void)state;
    assert_int_equal(invitation_state_of('p', 1000, 999), INVITATION_PENDING);
    assert_int_equal(invitation_state_of('p', 1000, 1000), INVITATION_EXPIRED);
    assert_int_equal(invitation_state_of('a', 1000, 2000), INVITATION_ACCEPTED);
    assert_int_equal(invitation_state_of('d', 1000, 2000), INVITATION_DEACTIVATED);
}

static void what_is_stored_and_unknown_is_dead(void **state) {
    (void)state;
    assert_int_equal(invitation_state_of('\0', 1000, 0), INVITATION_DEACTIVATED);
    assert_int_equal(invitation_state_of('x', 1000, 0), INVITATION_DEACTIVATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_leads_where_the_diagram_says),
        cmocka_unit_test(a_pending_invitation_expires_at_the_very_millisecond),
        cmocka_unit_test(what_is_stored_and_unknown_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
